from collections.abc import Iterator
from pathlib import Path

import pytest

from app.project.decisions import Decisions, save_decisions
from app.project.folder import Project
from app.project.values import RowKind, Suspicion, ValueRow
from app.review.dump import DumpMemory, build_dump, dump_stamp
from tests.unit.review_project import add_dropped_word, add_instance, add_patient, add_value, open_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        yield opened


def row_of(project: Project, path: str, value: str = "") -> ValueRow:
    (row,) = [row for row in build_dump(project) if (row.path, row.value) == (path, value)]
    return row


def test_value_is_one_row_over_all_batches(project: Project) -> None:
    add_value(project, "SeriesDescription", "Thorax", patient=2, count=3, batch="2:0")
    add_value(project, "SeriesDescription", "Thorax", patient=2, count=4, batch="2:1")
    add_value(project, "SeriesDescription", "Thorax", patient=1, count=5)
    assert build_dump(project) == [
        ValueRow(RowKind.VALUE, "SeriesDescription", "Thorax", "LO", "", "", "", 12, 2, 1, ())
    ]


def test_same_value_at_two_paths_is_two_rows(project: Project) -> None:
    add_value(project, "SeriesDescription", "Thorax")
    add_value(project, "StudyDescription", "Thorax")
    assert [row.path for row in build_dump(project)] == ["SeriesDescription", "StudyDescription"]


def test_folded_numbers_are_one_row_ordered_as_numbers(project: Project) -> None:
    for patient, low, high in [(1, "9", "10.5"), (2, "10", "9007199254740993"), (3, "-2.5", "7")]:
        add_value(project, "SliceLocation", "", patient=patient, vr="DS", fold="number", low=low, high=high, count=2)
    row = row_of(project, "SliceLocation")
    assert (row.kind, row.low, row.high) == (RowKind.RANGE, "-2.5", "9007199254740993")
    assert (row.instances, row.patients, row.suspicion) == (6, 3, ())


def test_folded_dates_have_their_range_and_uids_none(project: Project) -> None:
    add_value(project, "StudyDate", "", patient=1, vr="DA", fold="date", low="20010203", high="20010204")
    add_value(project, "StudyDate", "", patient=2, vr="DA", fold="date", low="19990101", high="20000101")
    add_value(project, "StudyInstanceUID", "", vr="UI", fold="uid")
    assert (row_of(project, "StudyDate").low, row_of(project, "StudyDate").high) == ("19990101", "20010204")
    assert (row_of(project, "StudyInstanceUID").low, row_of(project, "StudyInstanceUID").high) == ("", "")


def test_path_with_folded_and_plain_values_has_both_rows(project: Project) -> None:
    add_value(project, "ReferencedSOPClassUID", "1.2.840.10008.5.1.4.1.1.2", vr="UI")
    add_value(project, "ReferencedSOPClassUID", "", vr="UI", fold="uid")
    assert [row.kind for row in build_dump(project)] == [RowKind.RANGE, RowKind.VALUE]


def test_hit_of_the_engine_is_an_identity(project: Project) -> None:
    add_value(project, "SeriesDescription", "Thorax", patient=1)
    add_value(project, "SeriesDescription", "Thorax", patient=2, identity_hit=1)
    add_value(project, "StudyID", "", vr="IS", fold="number", low="1", high="2", identity_hit=1)
    rows = build_dump(project)
    assert [row.suspicion for row in rows] == [(Suspicion.IDENTITY,)] * 2
    assert all(row.blocks for row in rows)


def test_identity_that_the_engine_missed_is_found_in_values_of_its_own_patient(project: Project) -> None:
    add_patient(project, 1, {"name": "Thorax^Jane", "id": "AB-1234"})
    add_patient(project, 2, {"name": "Roe^Richard"})
    add_value(project, "SeriesDescription", "thorax routine", patient=1)
    add_value(project, "StudyDescription", "thorax routine", patient=2)
    add_value(project, "StationName", "AB1234", vr="SH", patient=1)
    add_value(project, "ImageType", "ORIGINAL\\JANE", vr="CS", patient=1)
    add_value(project, "BodyPartExamined", "THORAX", vr="CS", patient=1)
    blocking = {(row.path, row.value) for row in build_dump(project) if row.blocks}
    assert blocking == {
        ("SeriesDescription", "thorax routine"),
        ("StationName", "AB1234"),
        ("ImageType", "ORIGINAL\\JANE"),
    }


def test_patient_id_inside_a_uid_of_the_standard_is_no_identity(project: Project) -> None:
    add_patient(project, 1, {"id": "10008"})
    add_value(project, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2", vr="UI")
    add_value(project, "FrameOfReferenceUID", "1.9.10008.3", vr="UI")
    assert [row.path for row in build_dump(project) if row.blocks] == ["FrameOfReferenceUID"]


def test_suspicious_rows_come_first_worst_first(project: Project) -> None:
    add_value(project, "A", "Thorax")
    add_value(project, "B", "Zzyzx")
    add_value(project, "C", "a@example.org")
    add_value(project, "D", "Thorax", identity_hit=1)
    assert [row.path for row in build_dump(project)] == ["D", "C", "B", "A"]


def test_same_facts_in_another_order_give_the_same_dump(tmp_path: Path) -> None:
    facts = [(path, value, patient) for path in "ABC" for value in ("Zzyzx", "Thorax", "x 1") for patient in (1, 2)]
    dumps = []
    for number, ordered in enumerate([facts, facts[::-1]]):
        with open_project(tmp_path / str(number)) as project:
            for path, value, patient in ordered:
                add_value(project, path, value, patient=patient)
            dumps.append(build_dump(project))
    assert dumps[0] == dumps[1]


def test_rare_and_unknown_values_say_so(project: Project) -> None:
    for patient in range(1, 6):
        add_value(project, "SeriesDescription", "Thorax", patient=patient)
    add_value(project, "SeriesDescription", "Zzyzx", patient=3)
    assert row_of(project, "SeriesDescription", "Zzyzx").suspicion == (Suspicion.UNKNOWN_WORD, Suspicion.RARE)
    assert row_of(project, "SeriesDescription", "Thorax").suspicion == ()


def test_words_that_the_project_calls_safe_are_not_suspicious(project: Project) -> None:
    add_value(project, "SeriesDescription", "consignium zzyzx")
    assert row_of(project, "SeriesDescription", "consignium zzyzx").suspicion
    save_decisions(project.layout, Decisions(safe_words=frozenset({"zzyzx"})))
    assert not row_of(project, "SeriesDescription", "consignium zzyzx").suspicion


def test_dropped_word_of_many_patients_is_offered_once(project: Project) -> None:
    for patient in (1, 2, 3):
        add_value(project, "SeriesDescription", "Thorax", patient=patient)
        add_dropped_word(project, "Kölnscan" if patient == 1 else "KÖLNSCAN", patient, count=2)
        add_dropped_word(project, "Fluxor", patient)
        add_dropped_word(project, "FLUXOR", patient)
        add_dropped_word(project, "123456", patient)
    add_dropped_word(project, "Zzyzx", 1, count=99)
    (row,) = [row for row in build_dump(project) if row.kind is RowKind.WORD]
    assert (row.value, row.patients, row.instances) == ("fluxor", 3, 6)
    assert row.suspicion == (Suspicion.UNKNOWN_WORD,)
    assert not row.blocks


def test_word_of_a_twentieth_of_the_patients_is_needed_in_a_large_project(project: Project) -> None:
    for patient in range(1, 101):
        add_value(project, "SeriesDescription", "Thorax", patient=patient)
    for patient in range(1, 6):
        add_dropped_word(project, "often", patient)
        if patient < 5:
            add_dropped_word(project, "seldom", patient)
    assert [row.value for row in build_dump(project) if row.kind is RowKind.WORD] == ["often"]


def test_dropped_word_that_is_somebodys_name_says_so_and_does_not_block(project: Project) -> None:
    add_patient(project, 9, {"name": "Müller^Eva"})
    for patient in (1, 2, 3):
        add_dropped_word(project, "müller", patient)
    (row,) = build_dump(project)
    assert row.suspicion == (Suspicion.IDENTITY, Suspicion.UNKNOWN_WORD)
    assert not row.blocks


def test_nothing_prepared_is_an_empty_dump(project: Project) -> None:
    assert build_dump(project) == []


def test_stamp_changes_with_what_was_prepared_and_with_safe_words(tmp_path: Path) -> None:
    with open_project(tmp_path) as project:
        add_instance(project, 1)
        before = dump_stamp(project, Decisions())
        assert dump_stamp(project, Decisions(tags_dropped=frozenset({"StudyDate"}))) == before
        assert dump_stamp(project, Decisions(safe_words=frozenset({"kardex"}))) != before
        project.store.execute("UPDATE instances SET prepared_with = 'another'")
        assert dump_stamp(project, Decisions()) != before


def test_memory_gives_the_dump_of_now_and_builds_it_once(tmp_path: Path) -> None:
    memory = DumpMemory()
    with open_project(tmp_path) as project:
        add_instance(project, 1)
        add_value(project, "SeriesDescription", "Thorax")
        rows = memory.rows(project)
        assert rows == build_dump(project)
        save_decisions(project.layout, Decisions(tags_dropped=frozenset({"StudyDate"})))
        assert memory.rows(project) is rows
        save_decisions(project.layout, Decisions(safe_words=frozenset({"thorax"})))
        assert memory.rows(project) is not rows
    with open_project(tmp_path / "other") as other:
        assert memory.rows(other) == []
