"""Text patterns without regard to case: for SQLite's GLOB, and matched by ourselves.

Every character stands for itself in either case, as Unicode maps single characters; ``*`` and ``?`` are
wildcards only in a pattern of ``matches``. Neither engine can blow up on one: both take at most quadratic
time.
"""

from app.protocol.predicates import Comparison, Operator

ANY_TEXT = "*"
ANY_CHARACTER = "?"

# One item a position: a wildcard, or the set of characters that may stand there.
Pattern = tuple[str | frozenset[str], ...]


def patterns(comparison: Comparison) -> tuple[Pattern, ...]:
    """The patterns of a comparison of texts, of which a value must match one."""
    has_wildcards = comparison.operator is Operator.MATCHES
    return tuple(_pattern(str(value).strip(" "), has_wildcards) for value in comparison.values)


def _pattern(text: str, has_wildcards: bool) -> Pattern:
    return tuple(
        character if has_wildcards and character in (ANY_TEXT, ANY_CHARACTER) else _cases(character)
        for character in text
    )


def _cases(character: str) -> frozenset[str]:
    # Some characters become two in the other case (German sharp s): a position can't hold those.
    return frozenset(form for form in (character, character.lower(), character.upper()) if len(form) == 1)


def to_glob(pattern: Pattern) -> str:
    """The pattern in SQLite's GLOB syntax."""
    return "".join(item if isinstance(item, str) else _glob_characters(item) for item in pattern)


def _glob_characters(characters: frozenset[str]) -> str:
    ordered = sorted(characters)
    if len(ordered) == 1 and ordered[0] not in "*?[":
        return ordered[0]
    return f"[{''.join(ordered)}]"


def matches_pattern(pattern: Pattern, text: str) -> bool:
    """Whether the whole text matches."""
    at, star, retry_from = 0, -1, 0
    position = 0
    while position < len(text):
        item = pattern[at] if at < len(pattern) else None
        if item == ANY_TEXT:
            star, retry_from = at, position
            at += 1
        elif item is not None and (item == ANY_CHARACTER or text[position] in item):
            at += 1
            position += 1
        elif star >= 0:
            # Only the last star can still take more: what stood before it has matched.
            retry_from += 1
            at, position = star + 1, retry_from
        else:
            return False
    return all(item == ANY_TEXT for item in pattern[at:])
