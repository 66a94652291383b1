"""Groups, and rows of study lists with problems, in words."""

from collections.abc import Mapping

from app.project.cohorts import GroupCounts, Shortage
from app.project.study_list import RowSource
from app.selection.joining import ListProblem, RowTrouble
from app.text.i18n import Translate, mark

TROUBLES: Mapping[RowTrouble, str] = {
    RowTrouble.NOT_FOUND: mark("No study in the sources has these identifiers."),
    RowTrouble.DISAGREES: mark("The identifiers belong to different studies."),
    RowTrouble.TWO_VALUES: mark("Rows give the same study different values of {label}; none of them counts."),
    RowTrouble.TWO_GROUPS: mark("Rows put the same study into different groups; none of them counts."),
    RowTrouble.NOT_IN_PROTOCOL: mark("The protocol knows no such group or value; it does not count."),
    RowTrouble.IS_IDENTIFIER: mark("The number for {label} is an identifier of the patient; it does not count."),
}
SOURCES: Mapping[RowSource, str] = {
    RowSource.LIST: mark("Row {line} of the list"),
    RowSource.REPORTS: mark("Report in row {line}"),
}


def trouble_sentence(problem: ListProblem, translate: Translate = str) -> str:
    """What is wrong with a row of a list; without the identifiers."""
    return f"{row_name(problem, translate)}: {trouble_name(problem, translate)}"


def row_name(problem: ListProblem, translate: Translate = str) -> str:
    """Which row it is."""
    return translate(SOURCES[problem.source]).format(line=problem.line)


def trouble_name(problem: ListProblem, translate: Translate = str) -> str:
    """What is wrong, without the row."""
    return translate(TROUBLES[problem.trouble]).format(label=problem.label)


def group_sentence(counts: GroupCounts, translate: Translate = str) -> str:
    """How a group came out: "100 of 240 studies are taken."."""
    if counts.wanted is None:
        sentence = translate(mark("Studies taken: {drawn}, all that were found."))
    elif not counts.wanted:
        sentence = translate(mark("The group that it is matched to is empty."))
    elif counts.short:
        sentence = translate(mark("Studies taken: {drawn} of {wanted} wanted; not found: {short}."))
    else:
        sentence = translate(mark("Studies taken: {drawn} of {wanted} wanted; found: {found}."))
    return sentence.format(drawn=counts.drawn, wanted=counts.wanted, short=counts.short, found=counts.found)


def shortage_sentence(shortage: Shortage, translate: Translate = str) -> str:
    """Of which kind of study there are too few. It may show values of the files."""
    if not shortage.original_kind:
        text = mark("What is matched is not given for some studies; partners that are lacking: {wanted}.")
        return translate(text).format(wanted=shortage.wanted)
    return translate(mark("{kind}: {found} of {wanted} wanted found.")).format(
        kind=", ".join(shortage.original_kind), found=shortage.found, wanted=shortage.wanted
    )
