"""Private elements: those that PS3.15 Table E.3.10-1 calls safe, by creator, where the option is on; no others."""

from collections.abc import Callable, Iterable, Sequence

from app.deid.hits import Applied, Hit, text_record
from app.deid.rules import Rule, Source, safe_private
from app.deid.values import Drop
from app.dicom.profile import Action, Option
from app.dicom.tagpath import format_path
from app.dicom.tokens import Element
from app.dicom.writing import encode_element

ReleaseLeaf = Callable[[int, str, bytes, str, Rule], Hit]
"""Tag, VR, value, path and rule of a private element; what becomes of it."""


def without_private(prefix: tuple[int, ...], groups: Iterable[int]) -> Hit:
    """The private elements of some groups, gone."""
    where = format_path(prefix)
    applied = [Applied(f"{where}({group:04X},private)", "remove", Drop.PRIVATE.value) for group in groups]
    return Hit(b"", applied=tuple(sorted(applied)))


def release_private(
    prefix: tuple[int, ...], elements: Sequence[Element], options: frozenset[Option], release_leaf: ReleaseLeaf
) -> list[tuple[int, Hit]]:
    """What becomes of the private elements of one dataset or item, under Retain Safe Private."""
    kept: list[tuple[int, Hit]] = []
    creators: dict[int, tuple[str, int]] = {}
    gone: set[int] = set()
    for tag, vr, value in elements:
        group, number = tag >> 16, tag & 0xFFFF
        if 0x10 <= number <= 0xFF and isinstance(value, bytes):
            creators[group << 8 | number] = (value.decode("latin-1").strip(" \0"), tag)
            continue
        creator, creator_tag = creators.get(group << 8 | number >> 8, ("", 0))
        listed = safe_private().get((creator, group, number & 0xFF)) if creator else None
        rule = _rule(*listed, options) if listed is not None else None
        hit = None
        if rule is not None and isinstance(value, bytes) and value:
            path = _path(prefix, group, f"xx{number & 0xFF:02X}", creator)
            hit = release_leaf(tag, rule.vrs[0] if vr == "UN" else vr, value, path, rule)
        if hit is None or not hit.encoded:
            gone.add(group)
            continue
        if all(kept_tag != creator_tag for kept_tag, _ in kept):
            kept.append((creator_tag, _creator_hit(prefix, creator_tag, creator)))
        kept.append((tag, hit))
    if gone:
        kept.append((elements[0].tag, without_private(prefix, sorted(gone))))
    return kept


def _rule(vr: str, vm_max: int | None, options: frozenset[Option]) -> Rule | None:
    """The rule of a safe private element: its dates and UIDs follow the same options as the standard's."""
    action = _action(vr, options)
    if action is Action.REMOVE:
        return None
    return Rule(
        action=action,
        source=Source.PROFILE,
        removal="X",
        option=Option.RETAIN_SAFE_PRIVATE,
        verbatim=False,
        technical=True,
        vrs=(vr,),
        vm_max=vm_max,
    )


def _action(vr: str, options: frozenset[Option]) -> Action:
    match vr:
        case "UI":
            return Action.KEEP if Option.RETAIN_UIDS in options else Action.UID
        case "DA" | "DT":
            if Option.RETAIN_FULL_DATES in options:
                return Action.KEEP
            return Action.SHIFT if Option.RETAIN_MODIFIED_DATES in options else Action.REMOVE
        case "TM" if not options & {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}:
            return Action.REMOVE
        case _:
            return Action.KEEP


def _path(prefix: tuple[int, ...], group: int, number: str, creator: str) -> str:
    return ".".join(part for part in (format_path(prefix), f"({group:04X},{number})[{creator}]") if part)


def _creator_hit(prefix: tuple[int, ...], tag: int, creator: str) -> Hit:
    path = _path(prefix, tag >> 16, "00xx", creator)
    return Hit(encode_element(tag, "LO", creator.encode()), records=(text_record(path, "LO", creator),))
