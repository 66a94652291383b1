"""Where an element stands in a dataset: tags from the outside in, items not numbered."""

from functools import lru_cache

from app.dicom.dictionary import keyword_of, tag_of

TagPath = tuple[int, ...]


def format_tag(tag: int) -> str:
    """``(0008,0060)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def parse_tag(text: str) -> int:
    """A tag from ``(0008,0060)``, ``00080060`` or a keyword of PS3.6; raises ValueError for anything else."""
    known = tag_of(text)
    if known is not None:
        return known
    digits = text.strip("()").replace(",", "")
    if len(digits) != 8:
        raise ValueError("not a tag and not a keyword")
    return int(digits, 16)


def format_path(path: TagPath) -> str:
    """Keywords where PS3.6 has them, joined by dots: ``RequestAttributesSequence.CodeValue``."""
    return ".".join(_name(tag) for tag in path)


@lru_cache(maxsize=1 << 14)
def _name(tag: int) -> str:
    # Tags of a repeating group share one keyword: only a keyword that leads back names a tag.
    keyword = keyword_of(tag)
    return keyword if keyword and tag_of(keyword) == tag else format_tag(tag)


def parse_path(text: str) -> TagPath:
    """The inverse of ``format_path``; raises ValueError."""
    return tuple(parse_tag(part) for part in text.split("."))
