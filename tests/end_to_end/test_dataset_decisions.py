"""From reports to a described bundle: cases found by their reports, and nothing leaves before the whole was judged."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_main_job import consign, done
from tests.factory import ct_series, make_study, save

PATIENTS = 24
PROTOCOL = """\
id = "cases-1"
title = "Cases and controls"
contact = "organiser@example.org"
[selection]
where = 'Modality == "CT"'
[images]
detectors = ["glyphs"]
[[groups]]
name = "cases"
listed = true
[[groups]]
name = "controls"
[[reports.terms]]
name = "embolism"
phrases = ["pulmonary embol*", "PE"]
group = "cases"
[dataset]
owner = "Example Hospital Group"
licence = "https://creativecommons.org/licenses/by-nc/4.0/"
[dataset.checks]
smallest_group = 2
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients whose scanner tells who is a case; one with a study in each group, one with a head CT."""
    folder = tmp_path_factory.mktemp("site")
    reports = [("AccessionNumber", "Text")]
    studies = [make_study(seed) for seed in range(PATIENTS)]
    studies.append(make_study(1000, identity=studies[0].identity))
    for number, study in enumerate(studies):
        is_case = number % 2 == 0 and number < PATIENTS
        is_head = number == 5
        study = replace(study, identity=replace(study.identity, sex="FM"[number // 2 % 2]))  # noqa: PLW2901
        size, slices = (128, 16) if is_head else (32, 1)
        for image in ct_series(study, slices=slices, rows=size, columns=size, thickness_mm=5.0):
            image.Manufacturer = "SIEMENS" if is_case else "Philips"
            image.ManufacturerModelName = image.SoftwareVersions = ""
            image.BodyPartExamined = "HEAD" if is_head else "CHEST"
            if is_head:
                image.SeriesDescription = image.StudyDescription = "Head axial"
            save(image, folder / "export" / f"{number}" / f"{image.InstanceNumber}.dcm")
        text = f"Acute pulmonary embolism of {study.identity.patient_name}." if is_case else "No PE."
        reports.append((study.accession_number, text))
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(reports)
    (folder / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    return folder


def told(*arguments: str | Path) -> dict[str, Any]:
    """The last line of a command's JSON, whatever its exit code."""
    result = consign(*arguments, "--json")
    assert result.exit_code in (0, 1), result.output
    content: dict[str, Any] = json.loads(result.output.strip().splitlines()[-1])
    return content


def by_kind(project: Path) -> dict[str, list[str]]:
    """Ids of the findings that wait, by kind."""
    found: dict[str, list[str]] = {}
    for one in told("dataset", project)["findings"]:
        if one["waits"]:
            found.setdefault(one["kind"], []).append(one["id"])
    return found


def test_cases_come_from_reports_and_the_whole_is_judged_before_it_leaves(site: Path, tmp_path: Path) -> None:
    project, out = tmp_path / "project", tmp_path / "out"
    done("new", project, "--site", "SITEA", "--protocol", site / "protocol.toml")
    done("scan", project, site / "export", "--workers", "serial")
    hits = told("reports", project, site / "reports.csv")["hits"]
    cases = [hit["hit"] for hit in hits if hit["context"] == "affirmed"]
    assert (len(hits), len(cases)) == (PATIENTS + 1, PATIENTS // 2)
    accepted = [part for hit in cases for part in ("--accept", hit)]
    assert told("reports", project, site / "reports.csv", *accepted)["studies"] == PATIENTS // 2
    done("select", project)
    done("images", project, "--detect", "--workers", "serial")
    done("prepare", project, "--workers", "serial")

    waiting = by_kind(project)
    assert set(waiting) == {"patient-overlap", "target-leakage", "small-groups", "face"}
    refused = consign("approve", project, "--as", "Ada Champion", "--role", "site champion")
    assert refused.exit_code == 1
    assert "wait for a decision" in refused.output

    done_or_waiting("dataset", project, "--exclude", waiting["patient-overlap"][0], "--note", "seen in both")
    done_or_waiting("dataset", project, "--exclude", waiting["face"][0])
    done_or_waiting("dataset", project, "--steps", "PatientAge", "--remove", "PatientSize", "--remove", "PatientWeight")
    stale = consign("approve", project, "--as", "Ada Champion", "--role", "site champion")
    assert "consign prepare" in stale.output
    done("prepare", project, "--workers", "serial")
    waiting = by_kind(project)
    assert "patient-overlap" not in waiting
    assert "face" not in waiting
    if "small-groups" in waiting:
        done_or_waiting("dataset", project, "--exclude", waiting["small-groups"][0])
        done("prepare", project, "--workers", "serial")
    for one in [name for names in by_kind(project).values() for name in names]:
        done_or_waiting("dataset", project, "--keep", one, "--note", "two scanners")
    assert by_kind(project) == {}
    done("approve", project, "--as", "Ada Champion", "--role", "site champion")
    done("export", project, "--out", out, "--workers", "serial")
    assert "Verified" in done("verify", out, "--project", project)
    check_bundle(out)


def done_or_waiting(*arguments: str | Path) -> None:
    """A command that takes a decision; it may say that others still wait."""
    assert consign(*arguments).exit_code in (0, 1)


def check_bundle(out: Path) -> None:
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "1 series that show a face stayed at the site" in report
    assert "PatientAge: told in steps only, by decision of the site." in report
    assert "PatientSize: removed, by decision of the site." in report
    assert "Manufacturer alone tells group" in report
    assert "kept: a person knows of it and lets it leave" in report
    assert "two scanners" not in report  # notes stay
    with zipfile.ZipFile(next(out.glob("*.zip"))) as part:
        base = part.namelist()[0].split("/")[0]
        values = csv.DictReader(io.StringIO(part.read(f"{base}/metadata/values.csv").decode()))
        ages = {row["value"] for row in values if row["path"] == "PatientAge"}
        rules = csv.DictReader(io.StringIO(part.read(f"{base}/metadata/rules.csv").decode()))
        sources = {row["keyword"]: (row["action"], row["source"]) for row in rules}
        card = json.loads(part.read(f"{base}/metadata/dataset-card.json"))["description"]
        everything = b"".join(part.read(name) for name in part.namelist())
    assert ages
    assert all(age.endswith("0Y") for age in ages)
    assert sources["PatientAge"] == ("coarsen", "site decision")
    assert sources["PatientSize"] == ("remove", "site decision")
    assert card["owner"] == "Example Hospital Group"
    assert set(card["groups"]) == {"cases", "controls"}
    assert b"pulmonary embolism" not in everything
