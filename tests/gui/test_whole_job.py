"""The whole job in the real window, by mouse and keys: from an empty start to a bundle that verifies."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLabel, QLineEdit, QMessageBox, QTableView

from app.bundle.verify import verify_bundle
from app.gui.pages.images import ImagesPage
from app.gui.preferences import Preferences
from app.gui.window import Window
from app.pipeline.progress import Step, StepState
from tests.factory import cr_image, ct_series, make_study, save, to_bytes
from tests.gui.driving import Person, use_scheme, wait_until

PROTOCOL = Path(__file__).parents[1] / "quick.toml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two people's CTs, a radiograph with a name burned in, and a file that is cut."""
    folder = tmp_path / "source"
    for number in range(2):
        study = make_study(70 + number, description="Thorax Zwicklmann follow-up")
        for index, dataset in enumerate(ct_series(study, slices=4, rows=48, columns=48)):
            save(dataset, folder / f"P{number}" / f"IM{index}")
    save(cr_image(make_study(80), rows=440, columns=360), folder / "P9" / "IM0")
    whole = to_bytes(ct_series(make_study(90), slices=1, rows=48, columns=48)[0])
    (folder / "CUT").write_bytes(whole[:-500])
    return folder


@pytest.fixture
def person(tmp_path: Path, qapp: QApplication) -> Iterator[Person]:
    use_scheme(dark=False)
    window = Window(Preferences(tmp_path / "preferences.ini"), workers="serial")
    window.show()
    yield Person(window)
    window.session.close()
    window.close()
    window.deleteLater()


def texts(person: Person) -> str:
    """All that the page says."""
    return "\n".join(label.text() for label in person.page.findChildren(QLabel) if label.isVisible())


@pytest.mark.timeout(240)
def test_from_an_empty_start_to_a_verified_bundle(
    person: Person, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = person.window
    make_the_project(person, tmp_path)
    search(person, source)
    decide_on_values(person)
    mask_the_radiograph(person)
    prepare_again(person)
    sign(person)

    # A decision after the signature makes it void, and the page says so.
    person.go(4)
    person.settle()
    person.type(QLineEdit, "Search", "Body Part")
    table = person.find(QTableView, "Values")
    wait_until(lambda: table.model().rowCount() == 1, "the search")
    person.keys(table, Qt.Key.Key_T)
    person.settle()
    person.go(6)
    person.settle()
    wait_until(lambda: "something changed since" in texts(person), "the signature is void")
    wait_until(lambda: window.steps[Step.SIGN_OFF].state is not StepState.DONE)
    sign(person)

    # A full disk is a sentence with a next step, and the same press works once there is room.
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**9, used=10**9, free=0))
        jobs = len(person.endings)
        person.press("Export")
        person.wait_for_job(jobs + 1, "failed")
        assert "disk is too full" in person.problems
    person.press("Export")
    person.wait_for_job(jobs + 2)
    assert "Verified on" in texts(person)
    wait_until(lambda: all(button.state is StepState.DONE for button in window.steps.values()), "every step is done")

    assert window.session.project is not None
    report = verify_bundle([window.session.project.layout.export])
    assert not report.findings
    assert sum(part.instances for part in report.parts) == 9


def make_the_project(person: Person, folder: Path) -> None:
    window = person.window
    assert window.page_name == "start"
    wrong = folder / "wrong.toml"
    wrong.write_text(PROTOCOL.read_text(encoding="utf-8").replace("detectors", "detektors"), encoding="utf-8")
    person.drop(wrong)
    assert "detektors" in person.problems
    person.drop(PROTOCOL)
    assert not person.problems
    person.type(QLineEdit, "Site id", "CITYHOSP")
    person.type(QLineEdit, "Project folder", str(folder / "project"))
    person.press("Make the project")
    wait_until(lambda: window.page_name == "find", "the page Find")
    assert window.session.project is not None
    assert window.session.project.protocol.id == "quick"


def search(person: Person, source: Path) -> None:
    """A press on Stop ends the search, the next press on Search goes on from there; what can't be read is listed."""
    window = person.window
    person.drop(source)
    window.session.job_event.connect(
        lambda _: QTimer.singleShot(0, window.strip.cancel_button.click), Qt.ConnectionType.SingleShotConnection
    )
    person.press("Search")
    person.wait_for_job(1, "cancelled")
    assert "Nothing is lost" in window.toast.text
    person.press("Search", "Search again")  # by how much was read before the stop
    person.wait_for_job(2)
    wait_until(lambda: window.steps[Step.DEIDENTIFY].state is StepState.DONE, "found and de-identified")
    assert window.steps[Step.FIND].state is StepState.DONE
    assert "Taken: 9 of 9 images" in texts(person)
    person.press("Not usable")
    person.settle()
    assert "1 file can't be used: The pixel data are cut short." in everything_in_lists(person)


def everything_in_lists(person: Person) -> str:
    """What the lists of the page show."""
    found = []
    for view in person.page.findChildren(QAbstractItemView):
        model = view.model()
        if view.isVisible() and model is not None:
            found += [str(model.index(row, 0).data()) for row in range(model.rowCount())]
    return "\n".join(found)


def decide_on_values(person: Person) -> None:
    """Three decisions with a key each, and one taken back."""
    person.go(4)
    person.settle()
    table = person.find(QTableView, "Values")
    person.keys(table, Qt.Key.Key_K, Qt.Key.Key_D, Qt.Key.Key_K)
    QTest.keyClick(table, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    person.settle()


def mask_the_radiograph(person: Person) -> None:
    """The name that was found, and a mask drawn with the mouse, go black."""
    person.go(5)
    person.settle()
    page = person.page
    assert isinstance(page, ImagesPage)
    wait_until(lambda: bool(page.model.items), "the series")
    person.press("Start with the riskiest series")
    wait_until(lambda: page.viewer.review is not None and not page.viewer.is_waiting, "the picture")
    QTest.qWait(200)
    view = page.viewer.view
    person.drag(view, view.to_widget(200, 300).toPoint(), view.to_widget(300, 380).toPoint())
    person.settle()
    assert page.viewer.review is not None
    assert len(page.viewer.review.decisions.masks) == 1
    QTest.keyClick(view, Qt.Key.Key_M)
    person.settle()
    wait_until(lambda: not page.is_saving, "the decision")


def prepare_again(person: Person) -> None:
    person.go(3)
    person.settle()
    wait_until(lambda: not person.window.session.is_busy, "the preparation")
    person.settle()
    wait_until(lambda: person.window.steps[Step.IMAGES].state is StepState.DONE, "the images are decided")


def sign(person: Person) -> None:
    person.go(6)
    person.settle()
    wait_until(lambda: person.find(QLineEdit, "Your full name").isEnabled(), "signing is possible")
    person.type(QLineEdit, "Your full name", "Ann Example")
    person.press("Sign")
    person.settle()
    wait_until(lambda: "All signatures are there" in texts(person), "the signature")


@pytest.mark.timeout(240)
def test_search_that_was_stopped_by_closing_goes_on_at_the_next_start(person: Person, tmp_path: Path) -> None:
    window, source = person.window, tmp_path / "source"
    closed: list[bool] = []
    for index, dataset in enumerate(ct_series(make_study(70), slices=120, rows=16, columns=16)):
        save(dataset, source / f"IM{index}")

    def stop_and_go() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(each for each in box.buttons() if each.text() == "Stop and go").click()

    def close() -> None:
        QTimer.singleShot(0, stop_and_go)
        closed.append(window.close())

    make_the_project(person, tmp_path)
    person.drop(source)
    window.session.job_event.connect(lambda _: QTimer.singleShot(0, close), Qt.ConnectionType.SingleShotConnection)
    person.press("Search")
    wait_until(lambda: bool(closed), "the question")
    assert closed == [True]

    again = Person(Window(Preferences(tmp_path / "preferences.ini"), workers="serial"))
    again.window.show()
    again.window.reopen_last()
    try:
        wait_until(lambda: again.window.page_name == "find", "the step that was stopped")
        again.settle()
        again.press("Search", "Search again")  # the source is still there
        again.wait_for_job(1)
        wait_until(lambda: again.window.steps[Step.DEIDENTIFY].state is StepState.DONE, "de-identified")
        assert "Taken: 120 of 120 images" in texts(again)
    finally:
        again.window.session.close()
        again.window.close()
        again.window.deleteLater()
