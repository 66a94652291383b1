"""The groups, labels and checks of a protocol, read back as sentences."""

from collections.abc import Iterator, Mapping

from app.protocol.checks import CheckName, Expected, Severity
from app.protocol.groups import Group, Matching, MatchOn
from app.protocol.labels import Label, LabelType
from app.protocol.schema import Protocol
from app.text.check_words import BODY_PARTS, CHECK_NAMES, PHASES, PLANES
from app.text.i18n import Translate, mark
from app.text.query_words import phrase

_MATCHED: Mapping[MatchOn, str] = {
    MatchOn.AGE: mark("age"),
    MatchOn.SEX: mark("sex"),
    MatchOn.YEAR: mark("year of the study"),
    MatchOn.MANUFACTURER: mark("manufacturer"),
}


def cohort_sentences(protocol: Protocol, translate: Translate = str) -> Iterator[str]:
    """What is asked for beyond the query: groups in the file's order, labels, and what the checks are for."""
    for group in protocol.groups:
        yield " ".join(_group(group, translate))
    for label in protocol.labels:
        yield _label(label, translate)
    yield from _checks(protocol, translate)


def _group(group: Group, translate: Translate) -> Iterator[str]:
    if group.match is not None:
        yield translate(mark("Group {name}: {matching}.")).format(
            name=group.name, matching=_matching(group.match, translate)
        )
    elif group.wanted is not None:
        template = mark("Group {name}, drawn at random where there are more; studies: {count}.")
        yield translate(template).format(name=group.name, count=group.wanted)
    else:
        yield translate(mark("Group {name}: all studies that fit.")).format(name=group.name)
    if group.query_forms:
        yield translate(mark("What counts: {query}.")).format(query=phrase(group.predicate, translate))
    if group.one_per_patient:
        yield translate(mark("One study of a patient at most."))
    if group.listed:
        yield translate(mark("Only studies that a list puts into it."))


def _matching(match: Matching, translate: Translate) -> str:
    alike = ", ".join(translate(_MATCHED[attribute]) for attribute in match.on)
    if match.ratio == 1:
        return translate(mark("one study for each of group {other} that is alike in {alike}")).format(
            other=match.group, alike=alike
        )
    return translate(mark("{ratio} studies for each one of group {other}, alike in {alike}")).format(
        ratio=match.ratio, other=match.group, alike=alike
    )


def _label(label: Label, translate: Translate) -> str:
    if label.type is LabelType.CATEGORY:
        allowed = ", ".join(label.values)
    else:
        allowed = translate(mark("a number from {low} to {high}")).format(
            low=f"{label.minimum:g}", high=f"{label.maximum:g}"
        )
    template = (
        mark("The label {name} leaves with the images, and no study goes without it: {allowed}.")
        if label.required
        else mark("The label {name} leaves with the images where a list gives it: {allowed}.")
    )
    return translate(template).format(name=label.name, allowed=allowed)


def _checks(protocol: Protocol, translate: Translate) -> Iterator[str]:
    checks = protocol.checks
    for severity, template in (
        (Severity.EXCLUDE, mark("Series with these findings stay at your site: {checks}.")),
        (Severity.IGNORE, mark("This is not checked: {checks}.")),
    ):
        names = [translate(CHECK_NAMES[name]) for name in CheckName if checks.severity(name) is severity]
        if names:
            yield translate(template).format(checks=", ".join(names))
    told = list(_expected(checks.expect, translate))
    if told:
        yield translate(mark("A series is expected to be: {what}.")).format(what="; ".join(told))
    if not checks.excluding:
        yield translate(mark("Each series is checked from its headers. What is found is shown, and decided by you."))


def _expected(expect: Expected, translate: Translate) -> Iterator[str]:
    lists = (
        [translate(PLANES[plane]) for plane in expect.plane],
        [translate(BODY_PARTS[part]) for part in expect.body_part],
        [translate(PHASES[phase]) for phase in expect.phase],
    )
    yield from (translate(mark(" or ")).join(words) for words in lists if words)
    if expect.kernel:
        yield translate(mark("kernel {kernels}")).format(kernels=", ".join(expect.kernel))
    if expect.thinnest_mm is not None:
        yield translate(mark("{low} mm thick at least")).format(low=f"{expect.thinnest_mm:g}")
    if expect.thickest_mm is not None:
        yield translate(mark("{high} mm thick at most")).format(high=f"{expect.thickest_mm:g}")
    if expect.fewest_frames is not None:
        yield translate(mark("number of images at least {count}")).format(count=expect.fewest_frames)
    if expect.most_frames is not None:
        yield translate(mark("number of images at most {count}")).format(count=expect.most_frames)
