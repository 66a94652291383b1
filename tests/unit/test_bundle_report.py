"""The report for the privacy officer: says what it must, escapes what it is given, and needs nothing from outside."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.bundle.report import (
    Applied,
    AuditSample,
    DatasetFinding,
    DatasetSection,
    ImagesLeaving,
    KeptSuspicious,
    Override,
    Part,
    Reasoned,
    ReportData,
    Suspicion,
    Taken,
    render_report,
)
from app.bundle.sign_off import SignOffRecord
from tests.unit.bundle_project import report_data

PARTS = (Part("SITEA-lung-1-part-001.zip", 1234, 567_890_123, "ef" * 32),)
VOID = {"meta", "br", "link", "img", "input", "hr"}


def full_data() -> ReportData:
    return replace(
        report_data(),
        files=1300,
        released=1234,
        patients=40,
        studies=41,
        series=90,
        taken=(Taken("CT", 39, 40, 88, 1200), Taken("MR", 1, 1, 2, 34)),
        held_back=(Reasoned("burned-in-likely", "Text is probably burned into the image.", 16),),
        not_selected=(Reasoned("not-selected", "The protocol does not ask for it.", 40),),
        skipped=(Reasoned("not-dicom", "No DICOM file.", 9),),
        unreadable=(Reasoned("truncated-header", "The file ends too early.", 1),),
        applied=(Applied("PatientName", "pseudonym", "", 1234), Applied("StationName", "remove", "by-rule", 1200)),
        overrides=(Override("SeriesDescription", "keep", "clean", loosens=True),),
        images=ImagesLeaving(("ppocr", "glyphs"), 900, 20, 3, 300, 41),
        values=812,
        suspicions=(Suspicion("rare", "Occurs for one patient only.", 3, 1, 12),),
        kept_suspicious=(KeptSuspicious("SeriesDescription", "<b>Thorax & co</b>", ("rare",), 12, 1),),
        audit_sample=AuditSample(1100, 60, 0, 0.0487, 0.05, 59),
        dataset=DatasetSection(
            description=(("Owner", "Example & Sons"), ("Licence", "not told")),
            findings=(
                DatasetFinding("Small groups", ("4 of 40 patients <stand out>.",), "kept: a person knows of it"),
                DatasetFinding("Recognizable face", ("CT, 160 slices.",), "kept: a person knows of it"),
            ),
            studies_left_out=3,
            faces_left_out=2,
            faces_removed=0,
            attributes=(("PatientAge", "told in steps only"),),
        ),
    )


class Outline(HTMLParser):
    """Checks that tags are balanced, and collects the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for key, value in attrs if key in ("href", "src", "srcset", "action")]
        self.links += [key for key, _ in attrs if key.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(data: ReportData) -> Outline:
    page = Outline()
    page.feed(render_report(data, PARTS).decode("utf-8"))
    page.close()
    assert page.open == []
    return page


@pytest.mark.parametrize("data", [report_data(), full_data()])
def test_the_report_is_sound_html_without_scripts_or_resources(data: ReportData) -> None:
    page = outline(data)
    assert not page.seen & {"script", "iframe", "img", "link", "object", "form"}
    assert page.links == []
    assert render_report(data, PARTS).startswith(b"<!DOCTYPE html>")
    assert b"url(" not in render_report(data, PARTS)


def test_what_an_officer_must_know_stands_in_it() -> None:
    text = " ".join(outline(full_data()).text.split())
    for expected in (
        "Lung screening <pilot>",
        "R. Reviewer & Co",
        "1,234 images and other objects of 40 patients",
        "Text is probably burned into the image.",
        "lets more out than the profile",
        "at most 4.9 % of the images",
        "<b>Thorax & co</b>",
        "113100",
        "SITEA-lung-1-part-001.zip",
        "ef" * 32,
    ):
        assert expected in text
    assert "NO PERSON REVIEWED THIS" not in text
    assert "not accounted for" not in text


def test_values_are_escaped() -> None:
    assert b"<b>Thorax" not in render_report(full_data(), PARTS)


def test_an_unattended_release_says_so_first() -> None:
    data = replace(full_data(), sign_off=SignOffRecord((), unattended=True, digest=""))
    text = outline(data).text
    assert "NO PERSON REVIEWED THIS" in text
    assert text.index("NO PERSON REVIEWED THIS") < text.index("What was taken")
    assert "Approved by" not in text


def test_files_without_a_fate_are_an_alarm() -> None:
    assert "7 files are not accounted for" in outline(replace(full_data(), files=1307)).text


def test_the_same_data_make_the_same_bytes() -> None:
    assert render_report(full_data(), PARTS) == render_report(full_data(), PARTS)


def test_findings_on_the_data_set_stand_with_what_was_decided() -> None:
    text = outline(full_data()).text
    assert "4 of 40 patients <stand out>." in text
    assert "kept: a person knows of it" in text
    assert "3 studies stayed at the site" in text
    assert "2 series that show a face stayed at the site; from 0 the face was removed." in text
    assert "PatientAge: told in steps only, by decision of the site." in text
    assert "Example & Sons" in text


def test_the_audit_says_what_was_looked_at_and_what_follows() -> None:
    text = outline(full_data()).text
    assert "at most 4.9 % of the images that nothing flagged show any" in text
    assert "The protocol wants fewer than 5.0 %, for which 59 images without text had to be seen: shown." in text
    less = replace(full_data(), audit_sample=AuditSample(1100, 30, 0, 0.095, 0.05, 59))
    assert "had to be seen: not shown." in outline(less).text
