import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ProjectError
from app.project.decisions import (
    Decisions,
    ImageAction,
    ImageDecision,
    ValueAction,
    ValueDecision,
    load_decisions,
    save_decisions,
)
from app.project.folder import Layout
from app.project.values import RowKind, Suspicion, ValueRow

DECISIONS = Decisions(
    values={
        ("StudyDescription", "b"): ValueDecision(ValueAction.DROP),
        ("SeriesDescription", "z"): ValueDecision(ValueAction.REPLACE, "chest"),
        ("SeriesDescription", "a"): ValueDecision(
            ValueAction.KEEP, seen=frozenset({Suspicion.RARE, Suspicion.IDENTITY})
        ),
        ("StudyDate", ""): ValueDecision(ValueAction.KEEP),
    },
    tags_dropped=frozenset({"StationName"}),
    safe_words=frozenset({"zzyzx"}),
    refused_words=frozenset({"müller"}),
    images={
        "1.2.3": ImageDecision(ImageAction.RELEASE, "clean"),
        "1.2.3.4": ImageDecision(ImageAction.EXCLUDE),
    },
    notes={(RowKind.VALUE, "StudyDescription", "b"): "a note"},
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.decisions.mkdir()
    return layout


def row(path: str, value: str, *reasons: Suspicion, kind: RowKind = RowKind.VALUE) -> ValueRow:
    return ValueRow(kind, path, value, "LO", "", "", "", 1, 1, 1, reasons)


def test_no_file_means_no_decision(layout: Layout) -> None:
    assert load_decisions(layout) == Decisions()


def test_decisions_survive_and_their_files_are_sorted_and_readable(layout: Layout) -> None:
    save_decisions(layout, DECISIONS)
    assert load_decisions(layout) == DECISIONS
    assert layout.values_csv.read_text(encoding="utf-8").splitlines() == [
        "kind,path,value,suspicion,decision,replacement,note",
        "range,StudyDate,,,keep,,",
        "tag,StationName,,,drop-tag,,",
        "value,SeriesDescription,a,identity rare,keep,,",
        "value,SeriesDescription,z,,replace,chest,",
        "value,StudyDescription,b,,drop,,a note",
        "word,,müller,,drop,,",
        "word,,zzyzx,,keep,,",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_decision_files_are_for_their_owner_only(layout: Layout) -> None:
    save_decisions(layout, DECISIONS)
    assert stat.S_IMODE(layout.values_csv.stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.images_csv.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("path,kind\n", 1),
        ("kind,path,value,suspicion,decision,replacement,note\nvalue,P,v,,perhaps,,\n", 2),
        ("kind,path,value,suspicion,decision,replacement,note\nvalue,P,v,,keep,,\nvalue,P\n", 3),
        ('kind,path,value,suspicion,decision,replacement,note\nvalue,P,"v"x,,keep,,\n', 2),
    ],
)
def test_damaged_file_is_reported_with_its_line(layout: Layout, content: str, line: int) -> None:
    layout.values_csv.write_text(content, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        load_decisions(layout)
    assert caught.value.code == "decisions-damaged"
    assert caught.value.ids == {"file": "values.csv", "line": line}


def test_digest_changes_with_what_leaves_and_not_with_notes_or_order() -> None:
    digest = DECISIONS.digest()
    assert replace(DECISIONS, notes={}).digest() == digest
    assert replace(DECISIONS, values=dict(reversed(list(DECISIONS.values.items())))).digest() == digest
    for changed in (
        replace(DECISIONS, values={}),
        replace(DECISIONS, tags_dropped=frozenset()),
        replace(DECISIONS, safe_words=frozenset()),
        replace(DECISIONS, images={"1.2.3": ImageDecision(ImageAction.EXCLUDE)}),
    ):
        assert changed.digest() != digest


def test_keep_settles_only_the_blocking_reasons_that_were_seen() -> None:
    seen = Decisions(values={("P", "v"): ValueDecision(ValueAction.KEEP, seen=frozenset({Suspicion.IDENTITY}))})
    unseen = Decisions(values={("P", "v"): ValueDecision(ValueAction.KEEP, seen=frozenset({Suspicion.RARE}))})
    assert seen.settle(row("P", "v", Suspicion.IDENTITY))
    assert not unseen.settle(row("P", "v", Suspicion.IDENTITY))
    assert unseen.settle(row("P", "v", Suspicion.UNKNOWN_WORD))
    assert not seen.settle(row("Q", "v", Suspicion.IDENTITY))


@pytest.mark.parametrize("action", [ValueAction.DROP, ValueAction.REPLACE])
def test_value_that_goes_is_settled_whatever_was_seen(action: ValueAction) -> None:
    assert Decisions(values={("P", "v"): ValueDecision(action)}).settle(row("P", "v", Suspicion.IDENTITY))


def test_dropped_tag_settles_its_rows_and_words_are_settled_by_either_answer() -> None:
    assert DECISIONS.settle(row("StationName", "v", Suspicion.IDENTITY))
    assert DECISIONS.settle(row("", "zzyzx", kind=RowKind.WORD))
    assert DECISIONS.settle(row("", "müller", kind=RowKind.WORD))
    assert not DECISIONS.settle(row("", "other", kind=RowKind.WORD))
