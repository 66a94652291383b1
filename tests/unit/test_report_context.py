"""The sentences that the rules were made with; what they are worth on others is in test_report_search_quality."""

import pytest

from app.protocol.reports import ReportTerm
from app.reports.context import HitContext
from app.reports.search import find_hits
from app.reports.sentences import split_sentences

TERMS = (
    ReportTerm(name="embolism", phrases=("pulmonary embol*", "PE")),
    ReportTerm(name="pneumothorax", phrases=("pneumothora*",)),
    ReportTerm(name="nodule", phrases=("nodul*",)),
)


def contexts(report: str) -> list[tuple[str, str]]:
    return [(hit.term, hit.context.value) for hit in find_hits("A1", report, TERMS)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("There is no evidence of pulmonary embolism.", HitContext.NEGATED),
        ("A nodule is not seen on the left.", HitContext.NEGATED),
        ("Pneumothorax: none.", HitContext.NEGATED),
        ("Pulmonary embolus cannot be excluded.", HitContext.UNCERTAIN),
        ("?PE.", HitContext.UNCERTAIN),
        ("No new nodules.", HitContext.UNCERTAIN),
        ("Previous PE has resolved.", HitContext.HISTORICAL),
        ("The pneumothorax is no longer seen.", HitContext.HISTORICAL),
        ("The mother had PE.", HitContext.FAMILY),
        ("No significant change in the nodule.", HitContext.AFFIRMED),
        ("Dr. Smith was told of the pneumothorax.", HitContext.AFFIRMED),
    ],
)
def test_rule_tells_what_a_sentence_says(sentence: str, expected: HitContext) -> None:
    assert [context for _, context in contexts(sentence)] == [expected]


def test_a_stop_ends_the_reach_of_a_rule() -> None:
    found = contexts("Findings are suspicious for PE, although no nodule is seen.")
    assert found == [("embolism", "uncertain"), ("nodule", "negated")]
    found = contexts("History of pulmonary embolism, now with new PE.")
    assert found == [("embolism", "historical"), ("embolism", "affirmed")]


def test_a_negation_covers_a_list() -> None:
    assert contexts("No PE, pneumothorax or nodule.") == [
        ("embolism", "negated"),
        ("pneumothorax", "negated"),
        ("nodule", "negated"),
    ]


def test_a_heading_says_what_no_rule_says() -> None:
    report = "INDICATION: PE.\nFINDINGS:\nPE in both lungs."
    assert contexts(report) == [("embolism", "uncertain"), ("embolism", "affirmed")]


def test_capitals_are_needed_for_an_abbreviation_and_words_must_be_whole() -> None:
    assert contexts("A pe and a PEEP of 5.") == []


def test_wrapped_lines_are_one_sentence_and_bullets_are_not() -> None:
    report = "A nodule in the right\nupper lobe of 3.5 mm.\n\n- No PE\n- Pneumothorax"
    assert [one.original_text for one in split_sentences(report, ())] == [
        "A nodule in the right upper lobe of 3.5 mm.",
        "No PE",
        "Pneumothorax",
    ]
