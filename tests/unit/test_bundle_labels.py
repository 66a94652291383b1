"""metadata/labels.csv: groups and labels under pseudonyms, and a separate reader that knows the protocol's schema."""

import csv
import io
from pathlib import Path

import pytest

from app.bundle.verify import verify_bundle
from app.project.cohorts import StudyGroup, replace_cohorts
from app.project.folder import Project
from tests.unit import bundle_project
from tests.unit.bundle_project import make_project, read_entries, run_export, study_uid, tamper

NAME = "metadata/labels.csv"
PART = "SITEA-lung-1-part-001.zip"
SCHEMA = """
[[groups]]
name = "cases"
[[groups]]
name = "controls"
[[labels]]
name = "finding"
type = "category"
values = ["benign", "malignant"]
groups = ["cases"]
[[labels]]
name = "size_mm"
type = "number"
minimum = -5
maximum = 80
decimals = 1
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bundle_project, "PROTOCOL", bundle_project.PROTOCOL + SCHEMA)
    root = make_project(tmp_path / "site", {1: 2, 2: 2, 3: 2})
    label(root, "malignant")
    return root


def label(root: Path, finding: str) -> None:
    groups = [StudyGroup(1, "1.2.1", "cases", is_drawn=True), StudyGroup(2, "1.2.2", "controls", is_drawn=True)]
    with Project(root) as project:
        replace_cohorts(
            project.store,
            groups,
            {(1, "1.2.1"): {"finding": finding, "size_mm": "7.5"}, (2, "1.2.2"): {"size_mm": "-0.5"}},
        )


def rows(out: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(read_entries(out / PART)[NAME].decode("utf-8"))))


def codes(out: Path) -> set[str]:
    return {finding.code for finding in verify_bundle([out]).findings}


def test_labels_leave_under_the_released_names_of_their_studies(root: Path, tmp_path: Path) -> None:
    run_export(root, tmp_path / "out")

    assert rows(tmp_path / "out") == [
        ["patient", "study_uid", "group", "finding", "size_mm"],
        ["SITEA-AAAAAA", study_uid(4), "controls", "", "-0.5"],
        ["SITEA-BBBBBB", study_uid(6), "", "", ""],
        ["SITEA-CCCCCC", study_uid(2), "cases", "malignant", "7.5"],
    ]
    assert codes(tmp_path / "out") == set()


def test_protocol_without_groups_and_labels_has_no_such_table(tmp_path: Path) -> None:
    run_export(make_project(tmp_path / "plain", {1: 2}), tmp_path / "out")

    assert NAME not in read_entries(tmp_path / "out" / PART)
    assert codes(tmp_path / "out") == set()


def test_part_is_built_anew_when_a_label_changes(root: Path, tmp_path: Path) -> None:
    run_export(root, tmp_path / "out")
    label(root, "benign")
    run_export(root, tmp_path / "out")

    assert [row[3] for row in rows(tmp_path / "out")[1:]] == ["", "", "benign"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"malignant", b"Mrs Smith", "label-not-allowed"),
        (b"7.5", b"81.0", "label-not-allowed"),
        (b"7.5", b"7.51", "label-not-allowed"),
        (b",controls,,", b",controls,benign,", "label-not-allowed"),
        (b",controls,", b",others,", "label-not-allowed"),
        (b"SITEA-BBBBBB", b"SITEA-BBBBBC", "labels-table-differs"),
        (b"study_uid", b"study", "bad-labels-table"),
    ],
)
def test_table_that_says_something_else_does_not_verify(
    root: Path, tmp_path: Path, old: bytes, new: bytes, code: str
) -> None:
    run_export(root, tmp_path / "out")

    def change(entries: dict[str, bytes]) -> None:
        assert old in entries[NAME]
        entries[NAME] = entries[NAME].replace(old, new)

    tamper(tmp_path / "out" / PART, change, mended=True)

    assert code in codes(tmp_path / "out")


def test_table_must_be_there_where_it_is_asked_for(root: Path, tmp_path: Path) -> None:
    def remove(entries: dict[str, bytes]) -> None:
        del entries[NAME]

    run_export(root, tmp_path / "out")
    tamper(tmp_path / "out" / PART, remove, mended=True)

    assert "entry-missing" in codes(tmp_path / "out")


def test_table_may_not_be_there_where_nobody_asked_for_it(tmp_path: Path) -> None:
    def add(entries: dict[str, bytes]) -> None:
        entries[NAME] = b"patient,study_uid,group\n"

    run_export(make_project(tmp_path / "plain", {1: 2}), tmp_path / "out")
    tamper(tmp_path / "out" / PART, add, mended=True)

    assert "entry-unexpected" in codes(tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"minimum = -5\n", b""), (b"maximum = 80", b"maximum = []"), (b'groups = ["cases"]', b"groups = 3")],
)
def test_labels_under_rules_that_make_no_sense_are_found(root: Path, tmp_path: Path, old: bytes, new: bytes) -> None:
    run_export(root, tmp_path / "out")

    def change(entries: dict[str, bytes]) -> None:
        assert old in entries["metadata/protocol.toml"]
        entries["metadata/protocol.toml"] = entries["metadata/protocol.toml"].replace(old, new, 1)

    tamper(tmp_path / "out" / PART, change, mended=True)
    assert "label-not-allowed" in codes(tmp_path / "out")
