"""The description of the data set: what it holds, and that the tools of its format read it."""

import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import pytest

from app.bundle.described import describe_values, description_lines
from app.bundle.release import ValueRow
from app.bundle.verify import verify_bundle
from tests.unit.bundle_project import (
    make_project,
    make_release,
    read_entries,
    run_export,
    tamper,
    value_rows,
)

DESCRIPTION: dict[str, Any] = {
    "identifier": "10.5281/example.1",
    "version": "1.2.0",
    "address": "https://example.org/lung-1",
    "citation": "Example et al., 2026",
    "owner": "Example Hospital Group",
    "responsible": "organiser@example.org",
    "licence": "https://creativecommons.org/licenses/by-nc/4.0/",
    "access": "",
    "allowed_use": "Research on lung cancer",
    "keywords": ["lung", "CT"],
    **describe_values(value_rows(), "shifted"),
}


@pytest.fixture
def part(tmp_path: Path) -> Path:
    run_export(make_project(tmp_path / "site", {1: 2}), tmp_path / "out", make_release(description=DESCRIPTION))
    return tmp_path / "out" / "SITEA-lung-1-part-001.zip"


@pytest.mark.filterwarnings("ignore")  # of rdflib and its like, which are the validator's own
def test_croissant_is_what_its_own_validator_wants_and_loads_the_tables(part: Path, tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    logging.disable(logging.CRITICAL)
    try:
        with zipfile.ZipFile(part) as archive:
            archive.extractall(tmp_path / "received")
        (base,) = (tmp_path / "received").iterdir()
        dataset = mlcroissant.Dataset(jsonld=str(base / "croissant.json"))
        issues = dataset.metadata.ctx.issues
        assert not issues.errors
        assert not issues.warnings
        (series, _) = list(dataset.records("series"))
        images = list(dataset.records("instances"))
    finally:
        logging.disable(logging.NOTSET)
    assert series["series/modality"] == b"CT"
    assert series["series/instances"] == 1
    assert {Path(base / one["instances/file"].decode()).is_file() for one in images} == {True}


def test_card_holds_what_a_catalogue_asks_for(part: Path) -> None:
    description = json.loads(read_entries(part)["metadata/dataset-card.json"])["description"]
    assert description["owner"] == "Example Hospital Group"
    assert description["image_types"]["Modality"] == {"images": {"CT": 9}}
    assert description["acquisition_parameters"]["SliceThickness"] == {"lowest": "1.25", "highest": "1.25"}
    assert description["storage_parameters"]["PhotometricInterpretation"] == {"images": {"MONOCHROME2": 9}}
    assert description["date_range"]["StudyDate"] == {"lowest": "20200101", "highest": "20201231"}
    assert "shifted" in description["date_range"]["note"]


def test_demographics_count_patients_and_the_rest_counts_images() -> None:
    rows = [
        ValueRow("PatientSex", "CS", "", "F", "", "", 900, 20),
        ValueRow("PatientSex", "CS", "", "M", "", "", 100, 30),
        ValueRow("KVP", "DS", "number", "", "80", "120", 900, 20),
        ValueRow("PerFrameFunctionalGroupsSequence.KVP", "DS", "number", "", "1", "2", 900, 20),
    ]
    told = describe_values(rows, "year-only")
    assert told["demographics"]["PatientSex"] == {"patients": {"M": 30, "F": 20}}
    assert told["acquisition_parameters"] == {"KVP": {"lowest": "80", "highest": "120"}}


def test_lines_for_people_say_what_is_missing() -> None:
    lines = dict(description_lines(DESCRIPTION))
    assert lines["Access"] == "not told"
    assert lines["Keywords"] == "lung; CT"
    assert lines["Image types"].startswith("ImageType: ORIGINAL\\PRIMARY\\AXIAL (9); Modality: CT (9)")
    assert "StudyDate: 20200101 to 20201231" in lines["Date range"]


def test_a_description_of_other_tables_does_not_verify(part: Path) -> None:
    def change(entries: dict[str, bytes]) -> None:
        entries["croissant.json"] = entries["croissant.json"].replace(b'"sha256": "', b'"sha256": "0')

    tamper(part, change, mended=True)
    assert "croissant-differs" in {one.code for one in verify_bundle([part.parent]).findings}


def test_another_description_is_another_part(part: Path, tmp_path: Path) -> None:
    before = part.read_bytes()
    other = make_release(description={**DESCRIPTION, "owner": "Another"})
    run_export(tmp_path / "site" / "project", tmp_path / "out", other)
    assert part.read_bytes() != before
