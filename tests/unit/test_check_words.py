"""What checks find, in words: every code that they can raise, with the fields that its sentence names."""

import ast
import re
from pathlib import Path

import app.checks
from app.project.series_findings import Finding
from app.protocol.checks import BodyPart, CheckName, Phase, Severity
from app.text.check_words import BODY_PARTS, CHECK_NAMES, FINDINGS_OF_CHECKS, PHASES, SEVERITIES, finding_sentence

SOURCES = sorted(Path(app.checks.__path__[0]).glob("*.py"))


def test_every_choice_has_a_word() -> None:
    assert set(CHECK_NAMES) == set(CheckName)
    assert set(SEVERITIES) == set(Severity)
    assert set(BODY_PARTS) == set(BodyPart)
    assert set(PHASES) == set(Phase)


def test_every_claim_in_the_source_has_a_sentence_and_no_sentence_is_unused() -> None:
    raised = {
        node.value
        for path in SOURCES
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Claim"
        for node in ast.walk(call.args[1])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert raised == set(FINDINGS_OF_CHECKS)


def test_sentence_is_filled_and_words_of_a_list_are_translated() -> None:
    fields: dict[str, str | int | float] = {"part": "chest, upper-limb", "wanted": "head", "percent": 83}
    finding = Finding(CheckName.BODY_PART, "other-body-part", Severity.WARN, fields)

    assert finding_sentence(finding) == "It shows: chest, arm or shoulder (83 % sure); the protocol wants: head."
    assert "Kopf" in finding_sentence(finding, lambda text: {"head": "Kopf"}.get(text, text))


def test_places_are_told_by_the_standards_names() -> None:
    fields = {"with": "ContrastBolusAgent", "without": "SeriesDescription"}
    finding = Finding(CheckName.PHASE, "phase-disagrees", Severity.WARN, fields)

    assert finding_sentence(finding) == "Contrast/Bolus Agent speaks for a contrast agent, Series Description against."


def test_each_is_a_sentence_and_numbers_are_plain() -> None:
    for text in FINDINGS_OF_CHECKS.values():
        assert re.match(r"[A-Z{]", text)
        assert text.endswith(".")
    finding = Finding(
        CheckName.MISSING_SLICES, "missing-slices", Severity.WARN, {"slices": 1, "at_mm": -5.0, "spacing_mm": 2.5}
    )
    assert "above -5 mm; the others are 2.5 mm apart" in finding_sentence(finding)
