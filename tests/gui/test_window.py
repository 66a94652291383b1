"""The window itself: steps and their states, projects, drops, jobs, both colour schemes."""

import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPalette, QTextDocument
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.events import Finished, Job, Progress
from app.files.resources import resource_path
from app.gui.help import HelpWindow
from app.gui.pages.start import projects_folder
from app.gui.preferences import Preferences
from app.gui.text import use_language
from app.gui.theme import DARK, LIGHT, apply_theme
from app.gui.widgets import job_strip
from app.gui.widgets.job_strip import duration
from app.gui.widgets.step_button import STATE_WORDS
from app.gui.window import Window
from app.pipeline.demo import make_demo
from app.pipeline.progress import Step, StepState
from app.project.folder import Project, create_project
from tests.gui.driving import Person
from tests.gui.review_case import copy_project, make_project

QUICK = Path(__file__).parents[1] / "quick.toml"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was prepared, with one value that only a person can decide on."""
    return make_project(tmp_path_factory.mktemp("window"))


@pytest.fixture
def make_window(tmp_path: Path, qtbot: QtBot) -> Iterator[Callable[[], Window]]:
    """Windows with the same preferences, as one start of the program after the other has them."""
    made: list[Window] = []

    def make() -> Window:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, dark=False)
        window = Window(Preferences(tmp_path / "preferences.ini"), workers="serial")
        made.append(window)
        window.show()
        return window

    yield make
    for window in made:
        window.session.close()
        window.close()
        window.deleteLater()


@pytest.fixture
def window(make_window: Callable[[], Window]) -> Window:
    return make_window()


def open_in(window: Window, root: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.opened):
        window.open_project(root)
    qtbot.waitUntil(lambda: window.page_name != "start" and window.steps[Step.PROTOCOL].state is StepState.DONE)


def answer(text: str, seen: list[str]) -> None:
    """Press a button of the question that is going to be asked."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        seen.append(box.text())
        next(each for each in box.buttons() if each.text() == text).click()

    QTimer.singleShot(50, press)


def forever(step: str = "scan") -> Job:
    while True:
        yield Progress(step, 5, 10)


def drop(window: Window, *paths: Path) -> None:
    """Drag files onto the window and let them go, as the desktop does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(300, 300), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(300, 300), copy, data, left, none)
    QApplication.sendEvent(window, event)
    assert event.isAccepted()


# steps ----------------------------------------------------------------------


def test_each_step_shows_its_state_as_a_sign_and_a_word(window: Window) -> None:
    signs = set()
    for state in StepState:
        window.steps[Step.VALUES].show_state(state)
        button = window.steps[Step.VALUES]
        labels = button.findChildren(QLabel)
        assert STATE_WORDS[state] in [label.text() for label in labels]
        assert STATE_WORDS[state] in button.accessibleName()
        signs.add(
            b"".join(bytes(label.pixmap().toImage().constBits()) for label in labels if not label.pixmap().isNull())
        )
    assert len(signs) == len(StepState)


def test_steps_tell_where_a_project_stands(window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot) -> None:
    open_in(window, copy_project(prepared, tmp_path / "project"), qtbot)
    states = {step: button.state for step, button in window.steps.items()}
    assert states[Step.FIND] is states[Step.DEIDENTIFY] is StepState.DONE
    assert states[Step.VALUES] is states[Step.IMAGES] is StepState.NEEDS_YOU
    assert states[Step.SIGN_OFF] is StepState.TO_DO
    assert window.page_name == "values", "a project opens where it was left"


def test_step_is_shown_as_working_only_while_its_job_runs(
    window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    go_on = threading.Event()

    def two_steps(*_: Any) -> Job:
        yield Progress("detect", 1, 40)
        go_on.wait(10)
        yield Progress("prepare", 1, 40)
        yield Finished("prepare", {})
        yield from forever("prepare")

    open_in(window, copy_project(prepared, tmp_path / "project"), qtbot)
    window.session.start("Working", two_steps)
    qtbot.waitUntil(lambda: window.steps[Step.IMAGES].state is StepState.WORKING)
    go_on.set()
    qtbot.waitUntil(lambda: window.steps[Step.DEIDENTIFY].state is StepState.WORKING)
    assert window.steps[Step.IMAGES].state is StepState.NEEDS_YOU
    window.session.cancel()
    qtbot.waitUntil(lambda: window.steps[Step.DEIDENTIFY].state is StepState.DONE)


def test_keys_lead_to_every_page(window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot) -> None:
    open_in(window, copy_project(prepared, tmp_path / "project"), qtbot)
    with qtbot.waitActive(window):
        window.activateWindow()
    for number, step in enumerate(Step, start=1):
        qtbot.keyClick(window, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.ControlModifier)
        qtbot.waitUntil(lambda step=step: window.page_name == step.value)  # type: ignore[misc]  # bound as a default
        assert window.steps[step].isChecked()


# projects -------------------------------------------------------------------


def test_last_project_opens_again_and_a_closed_one_does_not(
    make_window: Callable[[], Window], prepared: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    root = copy_project(prepared, tmp_path / "project")
    first = make_window()
    open_in(first, root, qtbot)
    assert root.name in first.windowTitle()
    first.close()

    second = make_window()
    with qtbot.waitSignal(second.session.opened):
        second.reopen_last()
    second.close_project()
    assert second.page_name == "start"
    assert second.windowTitle() == "Consign"
    assert {button.state for button in second.steps.values()} == {StepState.TO_DO}

    third = make_window()
    third.reopen_last()
    assert third.session.root is None
    assert third.start_page.recent.item(0).data(Qt.ItemDataRole.UserRole) == root


def test_page_that_a_person_chose_while_a_project_opened_stays(
    make_window: Callable[[], Window], prepared: Path, qtbot: QtBot
) -> None:
    window = make_window()
    window.session.opened.connect(lambda: window.show_page("protocol"))
    window.open_project(prepared)
    qtbot.waitUntil(lambda: window.steps[Step.PROTOCOL].state is StepState.DONE)
    assert window.page_name == "protocol"


def test_another_project_is_worked_on_after_the_first_was_closed(
    window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    def short(*_: Any) -> Job:
        yield Finished("scan", {})

    for name in ("one", "two"):
        open_in(window, copy_project(prepared, tmp_path / name), qtbot)
        for step in Step:
            window.show_page(step.value)
        with qtbot.waitSignal(window.session.job_ended):
            window.session.start("Reading", short)
        qtbot.wait(50)
        assert window.session.root == tmp_path / name
        window.close_project()
        assert window.page_name == "start"


def test_start_page_says_that_a_project_is_being_opened(window: Window, prepared: Path, qtbot: QtBot) -> None:
    window.open_project(prepared)
    opening = window.start_page.opening
    assert opening.isVisible()
    assert prepared.name in opening.heading.text()
    qtbot.waitUntil(lambda: window.page_name != "start")
    assert opening.isHidden()


def test_change_while_a_project_opens_leaves_nobody_on_the_start_page(
    window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    window.session.opened.connect(window._refresh, Qt.ConnectionType.SingleShotConnection)  # asks again, at once
    open_in(window, copy_project(prepared, tmp_path / "one"), qtbot)
    assert window.page_name != "start"


def test_project_is_made_from_the_start_page(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    page = window.start_page
    page.folder.setText(str(tmp_path / "new"))
    page.folder.setModified(True)
    page.site.setText("CITY HOSPITAL")
    qtbot.mouseClick(page.create_button, Qt.MouseButton.LeftButton)
    assert "letters, digits" in page.problems.text.casefold()
    page.site.setText("CITYHOSP")
    with qtbot.waitSignal(window.session.opened):
        qtbot.mouseClick(page.create_button, Qt.MouseButton.LeftButton)
    assert window.session.project is not None
    assert window.session.project.site_id == "CITYHOSP"
    qtbot.waitUntil(lambda: window.page_name == "find")


def test_project_that_cannot_be_opened_is_a_sentence_on_the_page(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(window.session.failed):
        window.open_project(tmp_path)
    assert window.page_name == "start"
    assert "not a Consign project" in window.start_page.problems.text
    assert window.start_page.opening.isHidden()


def test_demo_opens_with_its_export_as_a_source(
    window: Window, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.window.projects_folder", lambda: tmp_path)
    with qtbot.waitSignal(window.session.opened, timeout=20_000):
        qtbot.mouseClick(window.start_page.demo_button, Qt.MouseButton.LeftButton)
    assert window.page_name == "find"
    assert window.session.root == tmp_path / "Demo-1" / "demo-1"


# drops ----------------------------------------------------------------------


def test_dropped_project_is_opened(window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot) -> None:
    root = copy_project(prepared, tmp_path / "project")
    with qtbot.waitSignal(window.session.opened):
        drop(window, root)
    assert window.session.root == root


def test_dropped_protocol_is_taken_for_a_new_project(window: Window) -> None:
    drop(window, resource_path("samples/chest-ct.toml"))
    assert window.page_name == "start"
    assert "chest" in window.start_page.protocol_label.text().casefold()


def test_dropped_protocol_with_an_error_names_its_line(window: Window, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    text = resource_path("samples/chest-ct.toml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("[selection]", "[selektion]"), encoding="utf-8")
    drop(window, wrong)
    assert "selektion" in window.start_page.problems.text
    assert "line" in window.start_page.problems.text.casefold()


def test_dropped_protocol_is_read_back_on_its_page_while_a_project_is_open(
    window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    open_in(window, copy_project(prepared, tmp_path / "project"), qtbot)
    drop(window, resource_path("samples/chest-ct.toml"))
    assert window.page_name == "protocol"


def test_dropped_folder_and_zip_become_sources(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    _, source = make_demo(tmp_path)
    root = tmp_path / "quick"
    create_project(root, "SITEA", QUICK)
    archive = tmp_path / "more.zip"
    with zipfile.ZipFile(archive, "w") as written:
        written.write(source / "P3" / "CR" / "IM1", "IM1")
    shutil.rmtree(source / "P1")
    open_in(window, root, qtbot)
    drop(window, source, archive)
    search(window, qtbot)
    window.session.close()
    with Project(root) as project:
        assert project.store.execute("SELECT count(*) FROM patients").fetchone()[0] == 3
        locators = [row[0] for row in project.store.execute("SELECT original_locator FROM files")]
    assert any("more.zip" in locator for locator in locators)


def test_folder_dropped_without_a_project_waits_for_one(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    _, source = make_demo(tmp_path)
    root = tmp_path / "quick"
    create_project(root, "SITEA", QUICK)
    shutil.rmtree(source / "P1")
    drop(window, source)
    assert "first" in window.toast.text
    with qtbot.waitSignal(window.session.opened):
        window.open_project(root)
    search(window, qtbot)
    assert window.session.project is not None
    assert window.session.project.store.execute("SELECT count(*) FROM patients").fetchone()[0] == 3


def search(window: Window, qtbot: QtBot) -> None:
    """Press Search."""
    person = Person(window)
    assert window.page_name == "find"
    person.press("Search")
    qtbot.waitUntil(lambda: bool(person.endings), timeout=20_000)


# jobs -----------------------------------------------------------------------


def test_closing_asks_while_a_job_runs(window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot) -> None:
    root = copy_project(prepared, tmp_path / "project")
    open_in(window, root, qtbot)
    window.session.start("Counting sheep", lambda *_: forever())
    asked: list[str] = []
    answer("Stay", asked)
    assert not window.close()
    assert window.session.is_busy
    answer("Stop and go", asked)
    assert window.close()
    assert all("Counting sheep" in text for text in asked)
    assert len(asked) == 2
    with Project(root) as project:  # its lock was given back
        assert project.site_id == "SITEA"


def test_strip_tells_what_runs_how_fast_and_how_long_and_stops_it(
    window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_strip, "_FIRST_ESTIMATE_S", 0.05)
    pause = threading.Event()

    def count(*_: Any) -> Job:
        for number in range(100_000):
            yield Progress("scan", number, 100_000)
            pause.wait(0.001)

    open_in(window, copy_project(prepared, tmp_path / "project"), qtbot)
    window.session.start("Reading", count)
    details = window.strip.findChildren(QLabel)
    qtbot.waitUntil(lambda: any("left" in label.text() for label in details))
    told = " ".join(label.text() for label in details)
    assert "of 100,000 files" in told
    assert "a second" in told
    assert window.strip.isVisible()
    with qtbot.waitSignal(window.session.job_ended):
        qtbot.mouseClick(window.strip.cancel_button, Qt.MouseButton.LeftButton)
    assert not window.strip.isVisible()
    assert "stopped" in window.toast.text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (3600, "1 h 0 min"), (5000, "1 h 23 min")]
)
def test_durations_are_as_exact_as_they_can_be(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_finished_job_says_so_and_the_message_goes_by_itself_or_by_a_press(
    window: Window, prepared: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    def short(*_: Any) -> Job:
        yield Finished("scan", {})

    open_in(window, copy_project(prepared, tmp_path / "project"), qtbot)
    with qtbot.waitSignal(window.session.job_ended):
        window.session.start("Reading", short)
    assert window.toast.isVisible()
    assert window.toast.text == "Reading: finished."
    qtbot.mouseClick(window.toast, Qt.MouseButton.LeftButton)
    assert not window.toast.isVisible()
    window.toast._timer.setInterval(10)
    window.toast.say("Again")
    assert window.toast.isVisible()
    qtbot.waitUntil(lambda: not window.toast.isVisible())


# schemes and help -------------------------------------------------------------


def test_window_follows_the_scheme_of_the_system(window: Window, qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)

    def icon_of(button: QPushButton) -> bytes:
        return bytes(button.icon().pixmap(24).toImage().constBits())

    light = icon_of(window.help_button)
    assert window.palette().color(QPalette.ColorRole.Base).name() == LIGHT.base
    apply_theme(application, dark=True)
    QApplication.sendPostedEvents(None, QEvent.Type.PaletteChange.value)
    qtbot.waitUntil(lambda: window.palette().color(QPalette.ColorRole.Base).name() == DARK.base)
    assert icon_of(window.help_button) != light
    apply_theme(application, dark=False)
    qtbot.waitUntil(lambda: icon_of(window.help_button) == light)


def test_f1_shows_the_help_about_the_page_and_finds_words(window: Window, qtbot: QtBot) -> None:
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    shown = window.findChild(HelpWindow)
    assert shown is not None
    assert shown.page_name == "start"
    assert not shown.isModal()
    qtbot.keyClicks(shown.search, "crosswalk xylophone")
    assert shown.page_name == ""
    shown.search.setText("audit")
    assert shown.page_name == "images"
    assert shown.text.textCursor().selectedText().casefold() == "audit"
    window.show_help()
    assert len(window.findChildren(HelpWindow)) == 1
    qtbot.waitUntil(lambda: QApplication.focusWidget() is shown.list)
    qtbot.keyClick(shown.list, Qt.Key.Key_Escape)
    assert not shown.isVisible()


def test_the_help_speaks_the_language_of_the_window(window: Window, qtbot: QtBot) -> None:
    use_language("es")
    try:
        window.show_help("start")
    finally:
        use_language("en")
    shown = window.findChild(HelpWindow)
    assert shown is not None
    assert shown.text.toPlainText().startswith("Inicio")
    picture = shown.text.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl("pictures/step-find.png"))
    assert bytes(picture) == resource_path("help/es/pictures/step-find.png").read_bytes()
    qtbot.keyClicks(shown.search, "carpeta proyecto")
    assert shown.page_name == "start"
    shown.close()


def test_every_page_has_help(window: Window) -> None:
    window.show_help()
    shown = window.findChild(HelpWindow)
    assert shown is not None
    for name in ("start", *(step.value for step in Step)):
        shown.show_page(name)
        assert shown.page_name == name
        assert len(shown.text.toPlainText()) > 500
    shown.close()


def test_preferences_forget_what_is_gone(tmp_path: Path) -> None:
    preferences = Preferences(tmp_path / "preferences.ini")
    for name in ("one", "two"):
        create_project(tmp_path / name, "SITEA", None)
        preferences.remember(tmp_path / name)
    shutil.rmtree(tmp_path / "two")
    again = Preferences(tmp_path / "preferences.ini")
    assert again.recent == [tmp_path / "one"]
    assert again.last is None


def test_project_on_a_share_that_was_away_is_there_again(tmp_path: Path) -> None:
    preferences = Preferences(tmp_path / "preferences.ini")
    for name in ("share", "local"):
        create_project(tmp_path / name, "SITEA", None)
    preferences.remember(tmp_path / "share")
    (tmp_path / "share").rename(tmp_path / "away")
    preferences.remember(tmp_path / "local")
    assert preferences.recent == [tmp_path / "local"]
    (tmp_path / "away").rename(tmp_path / "share")
    assert preferences.recent == [tmp_path / "local", tmp_path / "share"]


def test_projects_are_not_made_where_onedrive_sends_them_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer"):
        monkeypatch.delenv(name, raising=False)
    usual = projects_folder()
    assert usual == Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)) / "Consign"
    monkeypatch.setenv("OneDriveCommercial", str(usual.parent))
    assert projects_folder() == Path.home() / "Consign"
