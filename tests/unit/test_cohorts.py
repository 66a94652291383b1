"""The step ``select`` with a protocol that asks for groups, labels and checks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.pipeline.finding import load_found
from app.project.cohorts import (
    Shortage,
    load_drawn_groups,
    load_group_counts,
    load_patients_in_groups,
    load_study_groups,
    load_study_labels,
)
from app.project.folder import Project
from app.project.series_findings import CheckedSeries, Finding, checks_digest, replace_checked_series
from app.project.study_list import RowSource, StudyRow, save_study_rows
from app.protocol.checks import CheckName, Severity
from app.selection.by_hand import choose_by_hand
from app.selection.joining import RowTrouble, join_rows
from app.selection.result import excluded_series
from tests.unit.selection_project import add_series, make_project, run, selected_uids

HEAD = 'id = "p"\ntitle = "T"\ncontact = "C"\n[selection]\nwhere = \'Modality == "CT"\'\n'
LABELS = """
[[labels]]
name = "side"
type = "category"
values = ["left", "right"]
[[labels]]
name = "size"
type = "number"
minimum = 0
maximum = 99999
decimals = 0
"""


@contextmanager
def project_of(root: Path, protocol: str) -> Iterator[Project]:
    with make_project(root, protocol=HEAD + protocol) as project:
        yield project


def add_study(project: Project, number: int, patient: int | None = None, **attributes: object) -> None:
    """Study ``1.<number>``, one series of it; of a patient of its own unless one is given."""
    patient = number if patient is None else patient
    project.store.execute("INSERT OR IGNORE INTO patients VALUES (?, ?)", (patient, f"key {patient}"))
    known = {"Modality": "CT", "PatientID": f"P{patient}", "AccessionNumber": f"A{number}"}
    add_series(project, number, {**known, **attributes}, instances=1)
    project.store.execute("UPDATE series SET patient_id = ? WHERE id = ?", (patient, number))


def taken(project: Project) -> set[int]:
    return {int(uid.split(".")[1]) for uid in selected_uids(project)}


def reasons(project: Project) -> dict[int, str]:
    return {series.series_id: "; ".join(series.original_reasons) for series in excluded_series(project)}


def row(number: int, group: str = "", **labels: str) -> StudyRow:
    identifiers = (("AccessionNumber", f"A{number}"),)
    return StudyRow(RowSource.LIST, number + 1, identifiers, group, tuple(sorted(labels.items())))


class TestDrawing:
    TEN_OF_ALL = '[[groups]]\nname = "all"\nwanted = 10\n'

    def test_as_many_as_wanted_are_drawn_and_the_others_are_told_why(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.TEN_OF_ALL) as project:
            for number in range(1, 25):
                add_study(project, number)
            run(project)

            assert len(taken(project)) == 10
            assert set(reasons(project).values()) == {"not drawn for group all: 10 wanted, 24 found"}
            (counts,) = load_group_counts(project.store)
            assert (counts.wanted, counts.found, counts.drawn, counts.short, counts.over) == (10, 24, 10, 0, 14)
            drawn = {int(study[2:]) for _, study in load_drawn_groups(project.store)}
            assert drawn == taken(project)
            assert len(load_study_groups(project.store)) == 24

    def test_same_secret_and_protocol_draw_the_same_and_another_secret_does_not(self, tmp_path: Path) -> None:
        drawn = []
        for name in ("a", "b", "c"):
            if name == "b":
                (tmp_path / "b").mkdir()
                (tmp_path / "b" / "secret.key").write_bytes((tmp_path / "a" / "secret.key").read_bytes())
            with project_of(tmp_path / name, self.TEN_OF_ALL) as project:
                # In another order, with other row numbers: what is drawn hangs on who it is.
                for number in sorted(range(1, 41), reverse=name == "b"):
                    add_study(project, number)
                run(project)
                run(project)
                drawn.append(taken(project))

        assert drawn[0] == drawn[1]
        assert drawn[0] != drawn[2]

    def test_study_that_comes_or_goes_changes_no_more_than_it_must(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.TEN_OF_ALL) as project:
            for number in range(1, 31):
                add_study(project, number)
            run(project)
            before = taken(project)
            add_study(project, 31)
            run(project)

            assert len(before & taken(project)) >= 9

    def test_fewer_than_wanted_are_all_taken_and_told_short(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.TEN_OF_ALL) as project:
            for number in range(1, 4):
                add_study(project, number)
            run(project)

            assert taken(project) == {1, 2, 3}
            (counts,) = load_group_counts(project.store)
            assert (counts.short, counts.over) == (7, 0)

    def test_patient_counts_once_where_asked(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", '[[groups]]\nname = "g"\none_per_patient = true\n') as project:
            for number in range(1, 13):
                add_study(project, number, patient=1 + number % 4)
            run(project)

            assert len(taken(project)) == 4
            assert len({patient for patient, _ in load_drawn_groups(project.store)}) == 4
            assert set(reasons(project).values()) == {"not drawn for group g: one study per patient"}
            assert load_group_counts(project.store)[0].found == 4

    def test_hand_counts_more_than_the_draw(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", '[[groups]]\nname = "g"\nwanted = 3\n') as project:
            for number in range(1, 11):
                add_study(project, number)
            run(project)
            out, drawn = sorted(set(range(1, 11)) - taken(project)), sorted(taken(project))

            choose_by_hand(project, [out[0]], True, "an interesting one")
            choose_by_hand(project, [drawn[0]], False, "moved")
            run(project)

            assert out[0] in taken(project)
            assert drawn[0] not in taken(project)
            assert len(taken(project)) == 3
            assert load_drawn_groups(project.store)[out[0], f"1.{out[0]}"] == "g"

    def test_protocol_without_groups_takes_all_and_writes_none(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", "") as project:
            add_study(project, 1)
            run(project)

            assert taken(project) == {1}
            assert load_study_groups(project.store) == []
            assert load_group_counts(project.store) == ()


class TestAssigning:
    YOUNG_AND_OLD = """
[[groups]]
name = "old"
where = "PatientAge >= 60"
[[groups]]
name = "thin"
where = "SliceThickness <= 1"
"""

    def test_study_is_in_the_first_group_that_it_fits(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.YOUNG_AND_OLD) as project:
            add_study(project, 1, PatientAge="070Y", SliceThickness=1)
            add_study(project, 2, PatientAge="030Y", SliceThickness=1)
            add_study(project, 3, PatientAge="030Y", SliceThickness=5)
            run(project)

            groups = {study: group for (_, study), group in load_drawn_groups(project.store).items()}
            assert groups == {"1.1": "old", "1.2": "thin"}
            assert reasons(project) == {
                3: "not for group old: PatientAge 030Y < 60; not for group thin: SliceThickness 5 > 1"
            }

    def test_patient_in_two_groups_is_named_and_avoided_where_there_is_a_choice(self, tmp_path: Path) -> None:
        wanted = self.YOUNG_AND_OLD + "wanted = 1\n"
        with project_of(tmp_path / "a", wanted) as project:
            add_study(project, 1, patient=1, PatientAge="070Y", SliceThickness=5)
            add_study(project, 2, patient=1, PatientAge="059Y", SliceThickness=1)
            run(project)
            assert load_patients_in_groups(project.store) == {1: ("old", "thin")}
            assert load_found(project).cohorts.original_in_two == (("p", ("old", "thin")),)

            add_study(project, 3, PatientAge="030Y", SliceThickness=1)
            run(project)
            assert load_patients_in_groups(project.store) == {}
            assert taken(project) == {1, 3}

    def test_series_of_a_drawn_study_that_do_not_fit_its_group_stay(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.YOUNG_AND_OLD) as project:
            add_study(project, 1, PatientAge="030Y", SliceThickness=1)
            add_study(project, 2, patient=1, PatientAge="030Y", SliceThickness=5)
            project.store.execute("UPDATE series SET original_study_uid = '1.1'")
            run(project)

            assert taken(project) == {1}
            assert reasons(project) == {2: "not for group thin: SliceThickness 5 > 1"}

    def test_listed_group_takes_what_a_list_names_for_it_and_nothing_else_does(self, tmp_path: Path) -> None:
        groups = '[[groups]]\nname = "cases"\nlisted = true\n[[groups]]\nname = "controls"\n'
        with project_of(tmp_path / "a", groups) as project:
            for number in range(1, 5):
                add_study(project, number, SliceThickness=number)
            save_study_rows(project.layout, RowSource.LIST, [row(1, "cases")])
            save_study_rows(
                project.layout,
                RowSource.REPORTS,
                [StudyRow(RowSource.REPORTS, 9, (("AccessionNumber", "A2"),), "cases")],
            )
            run(project)

            groups_of = {study: group for (_, study), group in load_drawn_groups(project.store).items()}
            assert groups_of == {"1.1": "cases", "1.2": "cases", "1.3": "controls", "1.4": "controls"}

    def test_case_that_is_not_good_enough_does_not_become_a_control(self, tmp_path: Path) -> None:
        groups = (
            '[[groups]]\nname = "cases"\nlisted = true\nwhere = "SliceThickness <= 1"\n[[groups]]\nname = "controls"\n'
        )
        with project_of(tmp_path / "a", groups) as project:
            add_study(project, 1, SliceThickness=5)
            add_study(project, 2, SliceThickness=5)
            save_study_rows(project.layout, RowSource.LIST, [row(1, "cases")])
            run(project)

            assert taken(project) == {2}
            assert reasons(project) == {1: "not for group cases: SliceThickness 5 > 1"}


class TestMatching:
    GROUPS = """
[[groups]]
name = "cases"
where = "SliceThickness <= 1"
[[groups]]
name = "controls"
match = { group = "cases", on = ["age", "sex", "manufacturer"], ratio = 2 }
"""

    @staticmethod
    def add(project: Project, number: int, age: str, sex: str, maker: str, thickness: int) -> None:
        add_study(project, number, PatientAge=age, PatientSex=sex, Manufacturer=maker, SliceThickness=thickness)

    def test_controls_are_like_the_cases(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.GROUPS) as project:
            self.add(project, 1, "064Y", "F", "SIEMENS", 1)
            self.add(project, 2, "031Y", "M", "GE MEDICAL SYSTEMS", 1)
            for number, age in enumerate(("060Y", "069Y", "061Y", "065Y"), start=10):
                self.add(project, number, age, "F", "Siemens Healthineers", 5)
            self.add(project, 20, "059Y", "F", "SIEMENS", 5)
            self.add(project, 21, "064Y", "M", "SIEMENS", 5)
            self.add(project, 22, "035Y", "M", "GE MEDICAL SYSTEMS", 5)
            self.add(project, 23, "", "M", "GE MEDICAL SYSTEMS", 5)
            run(project)

            drawn = taken(project)
            assert {1, 2, 22} <= drawn
            assert len(drawn & {10, 11, 12, 13}) == 2
            assert not drawn & {20, 21, 23}
            cases, controls = load_group_counts(project.store)
            assert (cases.wanted, cases.drawn) == (None, 2)
            assert (controls.wanted, controls.drawn, controls.short) == (4, 3, 1)
            assert controls.original_shortages == (Shortage(("30-39 years", "M", "ge"), 2, 1),)
            told = reasons(project)
            assert told[20] == "not drawn for group controls: nobody in group cases is like it"
            assert told[23] == "not drawn for group controls: what is matched is not given"
            left = next(number for number in (10, 11, 12, 13) if number not in drawn)
            assert told[left] == "not drawn for group controls: 2 wanted and 4 found that match"

    def test_case_without_what_is_matched_is_told(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.GROUPS) as project:
            self.add(project, 1, "", "F", "SIEMENS", 1)
            run(project)

            assert load_group_counts(project.store)[1].original_shortages == (Shortage((), 2, 0),)


class TestLabels:
    def test_labels_join_by_any_identifier(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", LABELS) as project:
            for number in range(1, 4):
                add_study(project, number)
            rows = [
                row(1, side="left", size="7"),
                StudyRow(RowSource.LIST, 3, (("PatientID", "P2"),), "", (("side", "right"),)),
                StudyRow(RowSource.LIST, 4, (("StudyInstanceUID", "1.3"),), "", (("size", "8"),)),
            ]
            save_study_rows(project.layout, RowSource.LIST, rows)
            run(project)

            assert load_study_labels(project.store) == {
                (1, "1.1"): {"side": "left", "size": "7"},
                (2, "1.2"): {"side": "right"},
                (3, "1.3"): {"size": "8"},
            }
            assert taken(project) == {1, 2, 3}

    def test_study_without_a_required_label_stays(self, tmp_path: Path) -> None:
        required = LABELS.replace('"right"]\n', '"right"]\nrequired = true\n')
        with project_of(tmp_path / "a", required) as project:
            add_study(project, 1)
            add_study(project, 2)
            save_study_rows(project.layout, RowSource.LIST, [row(1, side="left"), row(2, size="3")])
            run(project)

            assert taken(project) == {1}
            assert reasons(project) == {2: "without the label side"}

    def test_label_of_one_group_is_not_given_to_another(self, tmp_path: Path) -> None:
        groups = '[[groups]]\nname = "cases"\nlisted = true\n[[groups]]\nname = "controls"\n'
        only = LABELS.replace('"right"]\n', '"right"]\nrequired = true\ngroups = ["cases"]\n')
        with project_of(tmp_path / "a", groups + only) as project:
            add_study(project, 1)
            add_study(project, 2)
            save_study_rows(
                project.layout, RowSource.LIST, [row(1, "cases", side="left"), row(2, side="right", size="1")]
            )
            run(project)

            assert taken(project) == {1, 2}
            assert load_study_labels(project.store) == {(1, "1.1"): {"side": "left"}, (2, "1.2"): {"size": "1"}}

    def test_what_contradicts_itself_counts_for_nothing_and_is_told(self, tmp_path: Path) -> None:
        groups = '[[groups]]\nname = "a"\n[[groups]]\nname = "b"\n'
        with project_of(tmp_path / "a", groups + LABELS) as project:
            for number in range(1, 6):
                add_study(project, number)
            project.store.execute("INSERT INTO identities VALUES (4, 'patient-id', '0044321')")
            rows = [
                row(1, "a", side="left"),
                row(1, "b", side="right", size="3"),
                StudyRow(RowSource.LIST, 8, (("PatientID", "P2"), ("AccessionNumber", "A3")), "", (("side", "left"),)),
                row(77, side="left"),
                row(4, size="44321"),
                row(5, side="up"),
                row(5, "c"),
            ]
            joined = join_rows(project.store, rows, project.protocol)

            assert joined.labels == {(1, "1.1"): {"size": "3"}}
            assert joined.groups == {}
            told = [(problem.trouble, problem.line, problem.label) for problem in joined.problems]
            assert told == [
                (RowTrouble.TWO_GROUPS, 2, ""),
                (RowTrouble.TWO_VALUES, 2, "side"),
                (RowTrouble.IS_IDENTIFIER, 5, "size"),
                (RowTrouble.NOT_IN_PROTOCOL, 6, ""),
                (RowTrouble.NOT_IN_PROTOCOL, 6, "side"),
                (RowTrouble.DISAGREES, 8, ""),
                (RowTrouble.NOT_FOUND, 78, ""),
            ]

    def test_another_list_makes_signatures_stale(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", LABELS) as project:
            add_study(project, 1)
            digests = set()
            for labels in ({}, {"side": "left"}, {"side": "right"}):
                save_study_rows(project.layout, RowSource.LIST, [row(1, **labels)] if labels else [])
                run(project)
                digests.add(project.store.get_meta("selection_digest"))
            assert len(digests) == 3


class TestChecks:
    EXCLUDING = '[checks]\nmissing_slices = "exclude"\n'

    @staticmethod
    def remember(project: Project, findings: Mapping[int, tuple[Finding, ...]], digest: str | None = None) -> None:
        checked = [CheckedSeries(series_id, (), 0.0, None, 0.0, found) for series_id, found in findings.items()]
        with project.store.transaction():
            replace_checked_series(project.store, digest or checks_digest(project.protocol.checks), checked)

    def test_series_that_a_check_excludes_stays_and_a_warning_does_not_matter(self, tmp_path: Path) -> None:
        bad = Finding(CheckName.MISSING_SLICES, "missing-slices", Severity.EXCLUDE, {})
        odd = Finding(CheckName.DERIVED, "derived", Severity.WARN, {})
        with project_of(tmp_path / "a", self.EXCLUDING) as project:
            for number in range(1, 4):
                add_study(project, number)
            self.remember(project, {1: (bad,), 2: (odd,), 3: ()})
            run(project)

            assert taken(project) == {2, 3}
            assert reasons(project) == {1: "left out by a check: missing-slices"}

    def test_what_was_not_checked_by_these_checks_waits(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", self.EXCLUDING) as project:
            add_study(project, 1)
            add_study(project, 2)
            run(project)
            assert set(reasons(project).values()) == {"not checked yet"}

            self.remember(project, {1: (), 2: ()}, digest="of another protocol")
            run(project)
            assert taken(project) == set()

    def test_without_excluding_checks_nothing_waits(self, tmp_path: Path) -> None:
        with project_of(tmp_path / "a", "") as project:
            add_study(project, 1)
            run(project)
            assert taken(project) == {1}

    def test_excluded_study_is_replaced_in_the_draw(self, tmp_path: Path) -> None:
        bad = Finding(CheckName.MISSING_SLICES, "missing-slices", Severity.EXCLUDE, {})
        with project_of(tmp_path / "a", '[[groups]]\nname = "g"\nwanted = 2\n' + self.EXCLUDING) as project:
            for number in range(1, 5):
                add_study(project, number)
            self.remember(project, {1: (bad,), 2: (bad,), 3: (), 4: ()})
            run(project)

            assert taken(project) == {3, 4}
            assert load_group_counts(project.store)[0].found == 2


@pytest.mark.parametrize("sex", ["F", " f "])
def test_sex_is_compared_without_case_or_spaces(tmp_path: Path, sex: str) -> None:
    groups = (
        '[[groups]]\nname = "cases"\nwhere = "SliceThickness <= 1"\n'
        '[[groups]]\nname = "controls"\nmatch = { group = "cases", on = ["sex"] }\n'
    )
    with project_of(tmp_path / "a", groups) as project:
        add_study(project, 1, PatientSex="F", SliceThickness=1)
        add_study(project, 2, PatientSex=sex, SliceThickness=5)
        run(project)
        assert taken(project) == {1, 2}
