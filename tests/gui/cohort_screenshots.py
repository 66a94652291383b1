"""Pictures of groups, labels and checks on the page Find, beside those of ``screenshots``: a site with planted faults.

Run by hand: ``python -m tests.gui.cohort_screenshots``.
"""

import csv
import itertools
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QItemSelectionModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.catalog.step import scan
from app.files.resources import resource_path
from app.gui.pages.find import FindPage
from app.gui.preferences import Preferences
from app.gui.window import Window
from app.jobs.executors import SerialExecutor
from app.logs import quieten_libraries
from app.pipeline.finding import check_and_select, load_found
from app.project.folder import Project, create_project
from app.selection.tree import Level
from tests.factory.site import VARIED, VARIED_FAULTS, write_site
from tests.gui.driving import use_scheme, wait_until
from tests.gui.screenshots import TO, Photographer

CHECKS_TAB, NOT_FOUND_TAB = 3, 5
WORDS = ("solid", "part-solid")


def main() -> None:
    """Fill the groups of the sample protocol from a list, and look at the checks."""
    quieten_libraries()
    QApplication(sys.argv[:1])
    TO.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root, studies = make_site(Path(folder))
        use_scheme(dark=False)
        window = Window(Preferences(Path(folder) / "preferences.ini"))
        window.show()
        person = Photographer(window)
        window.open_project(root)
        wait_until(lambda: window.session.project is not None, "the project")
        person.settle()
        person.go(2)
        person.settle()
        page = window.pages["find"]
        assert isinstance(page, FindPage)
        work_through(person, page, studies)
        window.close()


def make_site(folder: Path) -> tuple[Path, Path]:
    """A searched project, and a list for its groups with one row that fits nothing."""
    write_site(folder / "site", 3, [*itertools.islice(itertools.cycle(VARIED), 45)], VARIED_FAULTS)
    protocol = resource_path("samples/chest-ct.toml").read_text(encoding="utf-8")
    start, end = protocol.index("[selection]"), protocol.index("# Who is wanted")
    file = folder / "protocol.toml"
    file.write_text(f"{protocol[:start]}[selection]\nwhere = 'Modality == \"CT\"'\n{protocol[end:]}", encoding="utf-8")
    create_project(folder / "project", "CITYHOSP", file)
    with Project(folder / "project") as project:
        list(scan(project, [folder / "site"], SerialExecutor()))
        list(check_and_select(project, None, None))
        rows = load_found(project).rows
    accessions = sorted(
        {row.original_accession for row in rows if row.original_modality == "CT" and not row.is_flagged}
    )
    studies = folder / "list.csv"
    with studies.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["Accession", "Group", "Nodule", "Remark"])
        writer.writerows([one, "cases", WORDS[place % 2], ""] for place, one in enumerate(accessions[:6]))
        writer.writerow(["A0000001", "cases", "solid", ""])
    return folder / "project", studies


def work_through(person: Photographer, page: FindPage, studies: Path) -> None:
    """A picture of each state."""
    QTest.qWait(1500)  # the charts
    person.shoot("2-find-groups-empty")
    page.import_studies(studies)
    person.settle()
    wait_until(lambda: not person.window.session.is_busy, "the selection")
    person.settle()
    page.problems.clear()
    person.shoot("2-find-groups")
    page.tabs.button(CHECKS_TAB).setChecked(True)
    person.settle()
    model, flags = page.tree.model, QItemSelectionModel.SelectionFlag
    place = next(
        place
        for place, branch in enumerate(model.branches)
        if branch.level is Level.SERIES and branch.row is not None and branch.row.is_flagged
    )
    index = model.index_of(place)
    page.tree.view.expandAll()
    page.tree.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
    person.shoot("2-find-checks")
    page.tabs.button(NOT_FOUND_TAB).setChecked(True)
    person.settle()
    person.shoot("2-find-rows")


if __name__ == "__main__":
    main()
