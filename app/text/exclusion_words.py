"""Why a series is not taken, in words for people: the selection's own sentences, read back piece by piece.

The selection keeps them in English, for the tables and the command line, with keywords in place of names.
"""

import re
from collections.abc import Mapping

from app.protocol.predicates import VOCABULARY
from app.text.check_words import CHECK_NAMES
from app.text.i18n import Translate, mark
from app.text.query_words import VALUES, name_of_keyword

_KIND = "ObjectKind"
_OBJECTS: Mapping[re.Pattern[str], str] = {
    re.compile(pattern): text
    for pattern, text in {
        r"(?P<kind>\S+) is not (one of )?(?P<kinds>.*)": mark("the object is {kind}, not {kinds}"),
        r"(?P<kind>\S+) is .*": mark("the object is {kind}"),
    }.items()
}
_CHECKS = {name.value: text for name, text in CHECK_NAMES.items()}
# What stands behind a keyword: a value, and what it should have been. The first that fits counts.
_RELATIONS: Mapping[re.Pattern[str], str] = {
    re.compile(pattern): text
    for pattern, text in {
        r"missing": mark("{name} is not given"),
        r"(?P<value>.*?) is not one of (?P<wanted>.*)": mark("{name} {value} is not one of {wanted}"),
        r"(?P<value>.*?) is one of (?P<wanted>.*)": mark("{name} {value} is one of {wanted}"),
        r"(?P<value>.*?) is not between (?P<low>.*?) and (?P<wanted>.*)": mark(
            "{name} {value} is not between {low} and {wanted}"
        ),
        r"(?P<value>.*?) is between (?P<low>.*?) and (?P<wanted>.*)": mark(
            "{name} {value} is between {low} and {wanted}"
        ),
        r"(?P<value>.*?) is not (?P<wanted>.*)": mark("{name} {value} is not {wanted}"),
        r"(?P<value>.*?) is (?P<wanted>.*)": mark("{name} {value} is {wanted}"),
        r"(?P<value>.*?) does not match (?P<wanted>.*)": mark("{name} {value} does not match {wanted}"),
        r"(?P<value>.*?) matches (?P<wanted>.*)": mark("{name} {value} matches {wanted}"),
        r"(?P<value>.*?) does not contain (?P<wanted>.*)": mark("{name} {value} does not contain {wanted}"),
        r"(?P<value>.*?) contains (?P<wanted>.*)": mark("{name} {value} contains {wanted}"),
        r"(?P<value>.*?) exists": mark("{name} {value} is given"),
    }.items()
}
_SENTENCES: Mapping[re.Pattern[str], str] = {
    re.compile(pattern): text
    for pattern, text in {
        r"not in the list": mark("not in the list"),
        r"left out by hand: (?P<reason>.*)": mark("left out by hand: {reason}"),
        r"left out by a check: (?P<checks>.*)": mark("left out by a check: {checks}"),
        r"decided differently by the database and by its check": mark(
            "decided differently by the database and by its check"
        ),
        r"not checked yet": mark("not checked yet"),
        r"not listed for group (?P<group>\S+)": mark("not listed for group {group}"),
        r"without the label (?P<label>\S+)": mark("without the label {label}"),
        r"not for group (?P<group>\S+): (?P<why>.*)": mark("not for group {group}: {why}"),
        r"not drawn for group (?P<group>\S+): one study per patient": mark(
            "not drawn for group {group}: one study per patient"
        ),
        r"not drawn for group (?P<group>\S+): (?P<wanted>\d+) wanted, (?P<found>\d+) found": mark(
            "not drawn for group {group}: {wanted} wanted, {found} found"
        ),
        r"not drawn for group (?P<group>\S+): what is matched is not given": mark(
            "not drawn for group {group}: what is matched is not given"
        ),
        r"not drawn for group (?P<group>\S+): (?P<wanted>\d+) wanted and (?P<found>\d+) found that match": mark(
            "not drawn for group {group}: {wanted} wanted and {found} found that match"
        ),
        r"not drawn for group (?P<group>\S+): nobody in group (?P<other>\S+) is like it": mark(
            "not drawn for group {group}: nobody in group {other} is like it"
        ),
    }.items()
}


def exclusion_words(original_explanation: str, translate: Translate = str) -> str:
    """Why a series is not taken, with the names that people use in place of keywords."""
    text = "; ".join(_piece(piece, translate) for piece in original_explanation.split("; "))
    return f"{text[:1].upper()}{text[1:]}"


def _piece(piece: str, translate: Translate) -> str:
    keyword, _, rest = piece.partition(" ")
    if keyword not in VOCABULARY:
        return _told(_SENTENCES, piece, translate) or piece
    name = name_of_keyword(keyword, translate)
    if keyword == _KIND:
        return _told(_OBJECTS, rest, translate) or f"{name} {rest}"
    return _told(_RELATIONS, rest, translate, name=name) or f"{name} {rest}"


def _told(templates: Mapping[re.Pattern[str], str], text: str, translate: Translate, **fields: str) -> str | None:
    for pattern, template in templates.items():
        found = pattern.fullmatch(text)
        if found is not None:
            named = {key: _shown(key, value, translate) for key, value in found.groupdict().items()}
            return translate(template).format(**fields, **named)
    return None


def _shown(key: str, value: str, translate: Translate) -> str:
    match key:
        case "checks":
            return ", ".join(translate(_CHECKS.get(name, name)) for name in value.split(", "))
        case "kind" | "kinds":
            return ", ".join(translate(VALUES.get((_KIND, kind), kind)) for kind in value.split(", "))
        case "why":
            return _piece(value, translate)
        case _:
            return value
