"""The window: the six steps at the left, the page at the right, the running job at the bottom."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QPalette,
    QShortcut,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.errors import ConsignError
from app.events import Event
from app.gui.about import AboutButton
from app.gui.appearance import apply_appearance, apply_scheme
from app.gui.pages.start import StartPage, projects_folder
from app.gui.preferences import Preferences
from app.gui.session import Ending, Outcome, Session
from app.gui.text import tr
from app.gui.theme import icon
from app.gui.widgets.job_strip import JobStrip
from app.gui.widgets.page_stack import PageStack
from app.gui.widgets.parts import key_text, quiet, scaled, text_label
from app.gui.widgets.step_button import StepButton
from app.gui.widgets.toast import Toast
from app.pipeline.overview import Overview, load_overview
from app.pipeline.progress import Step, StepState, step_of_job, step_states
from app.project.folder import Project, is_project
from app.text.messages import sentences_for

_NAV_WIDTH_PX = 236
_REFRESH_MS = 150

# A page is imported when it is first shown: the window is there sooner.
_PAGES: Mapping[Step, tuple[str, str]] = {
    Step.PROTOCOL: ("app.gui.pages.protocol", "ProtocolPage"),
    Step.FIND: ("app.gui.pages.find", "FindPage"),
    Step.DEIDENTIFY: ("app.gui.pages.deidentify", "DeidentifyPage"),
    Step.VALUES: ("app.gui.pages.values", "ValuesPage"),
    Step.IMAGES: ("app.gui.pages.images", "ImagesPage"),
    Step.SIGN_OFF: ("app.gui.pages.signoff", "SignoffPage"),
}


def import_pages() -> None:
    """Import all of them: in another thread, the first look at one does not make the window wait."""
    for module, _ in _PAGES.values():
        import_module(module)


class Window(QMainWindow):
    """The application. ``preferences`` and ``workers`` are given so that tests have their own."""

    language_changed = Signal()  # whoever made the window makes another one

    def __init__(self, preferences: Preferences | None = None, *, workers: str | None = None) -> None:
        super().__init__()
        self.preferences = preferences or Preferences()
        self.session = Session(workers or self.preferences.workers, self)
        self.setWindowTitle("Consign")
        self.setWindowIcon(icon("consign", "#0b6e75"))
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 640)
        self.pages: dict[str, QWidget] = {}
        self._dropped: list[Path] = []
        self._is_opening = False  # nobody was led to a page yet
        self._working: Step | None = None
        self._overview: Overview | None = None
        self._states: Mapping[Step, StepState] = step_states(None)
        self._build()
        self._connect()
        geometry = self.preferences.geometry
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1280, 800)
        self.show_page("start")

    # building -----------------------------------------------------------------

    def _build(self) -> None:
        self.start_page = StartPage(self.preferences)
        self.stack = PageStack()
        self.stack.addWidget(self.start_page)
        self.pages["start"] = self.start_page
        self.strip = JobStrip()
        body = QHBoxLayout()
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self._build_nav())
        body.addWidget(self.stack, 1)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(body, 1)
        column.addWidget(self.strip)
        self.setCentralWidget(central)
        self.toast = Toast(central)
        self._refresh_timer = QTimer(self, singleShot=True, interval=_REFRESH_MS)

    def _build_nav(self) -> QFrame:
        nav = QFrame()
        nav.setObjectName("nav")
        nav.setMinimumWidth(_NAV_WIDTH_PX)
        nav.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._project_name = text_label("Consign", wrap=False)
        self._project_name.setFont(scaled(self.font(), 1.3, bold=True))
        self._project_place = quiet(text_label("", wrap=False))
        column = QVBoxLayout(nav)
        column.setContentsMargins(12, 20, 12, 14)
        column.setSpacing(4)
        column.addWidget(self._project_name)
        column.addWidget(self._project_place)
        column.addSpacing(12)
        self.steps = {step: StepButton(step, number) for number, step in enumerate(Step, start=1)}
        # No exclusive group: it would let the Tab key reach one step alone. show_page checks the right one.
        for step, button in self.steps.items():
            column.addWidget(button)
            button.clicked.connect(lambda _checked, step=step: self.show_page(step.value))
        column.addStretch()
        self.home_button = self._nav_button("home", tr("Projects"), "Ctrl+0")
        self.settings_button = self._nav_button("settings", "", "Ctrl+,", name=tr("Settings"))
        self.help_button = self._nav_button("help", tr("Help about this page"), "F1")
        column.addWidget(self.home_button)
        column.addWidget(self.help_button)
        last = QHBoxLayout()
        last.addWidget(AboutButton())
        last.addStretch()
        last.addWidget(self.settings_button)
        column.addLayout(last)
        return nav

    def _nav_button(self, sign: str, text: str, keys: str, *, name: str = "") -> QPushButton:
        """A button at the bottom; without a text it needs a name."""
        button = QPushButton(text)
        button.setObjectName("step")
        button.setIcon(icon(sign, self.palette().color(QPalette.ColorRole.Text)))
        button.setToolTip(f"{name or text} ({key_text(keys)})")
        button.setAccessibleName(name or text)
        return button

    def _connect(self) -> None:
        session = self.session
        session.opened.connect(self._project_opened)
        session.closed.connect(self._project_closed)
        session.failed.connect(self._show_error)
        session.changed.connect(self._mark_stale)
        session.job_started.connect(self._job_started)
        session.job_event.connect(self._job_event)
        session.job_ended.connect(self._job_ended)
        self.strip.cancelled.connect(session.cancel)
        self.start_page.open_wanted.connect(self.open_project)
        self.start_page.demo_wanted.connect(self.start_demo)
        self.start_page.first_steps_wanted.connect(lambda: self.show_help("first_steps"))
        self.start_page.language_changed.connect(self.language_changed)
        self.home_button.clicked.connect(self.close_project)
        self.settings_button.clicked.connect(self.show_settings)
        self.help_button.clicked.connect(lambda _checked: self.show_help())
        self._refresh_timer.timeout.connect(self._refresh)
        for keys, action in (
            ("F1", self.show_help),
            ("Ctrl+,", self.show_settings),
            ("Ctrl+0", self.close_project),
            ("Ctrl+Q", self.close),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(action)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._scheme_changed)
        quit_action = QAction(tr("Quit"), self)
        quit_action.setMenuRole(QAction.MenuRole.QuitRole)
        quit_action.triggered.connect(self.close)
        self.addAction(quit_action)

    # pages --------------------------------------------------------------------

    def show_page(self, name: str) -> None:
        """Show a page by its name; the pages of the steps need an open project, except the first two."""
        page = self.pages.get(name) or self._make_page(Step(name))
        self.stack.setCurrentWidget(page)
        for step, button in self.steps.items():
            button.setChecked(step.value == name)
        # A page's letter keys work as soon as it is there. No focus proxy: the Tab key would pass over all else on it.
        first_focus: QWidget | None = getattr(page, "first_focus", None)
        if first_focus is not None:
            first_focus.setFocus()
        self._refresh_page()

    def _make_page(self, step: Step) -> QWidget:
        module, name = _PAGES[step]
        page: QWidget = getattr(import_module(module), name)(self.session)
        self.pages[step.value] = page
        self.stack.addWidget(page)
        for signal, slot in (
            ("go_to", self.show_page),
            ("new_project_wanted", self._propose_protocol),
            ("show_instance", self._show_instance),
            ("show_image", self._show_image),
        ):
            if hasattr(page, signal):
                getattr(page, signal).connect(slot)
        return page

    @property
    def page_name(self) -> str:
        """The name of the page that is shown."""
        current = self.stack.currentWidget()
        return next(name for name, page in self.pages.items() if page is current)

    def _refresh_page(self) -> None:
        page = self.stack.currentWidget()
        if hasattr(page, "refresh"):
            page.refresh()

    def _show_instance(self, instance_id: int) -> None:
        self._lead(Step.DEIDENTIFY, "show_instance_id", instance_id)

    def _show_image(self, instance_id: int) -> None:
        self._lead(Step.IMAGES, "show_instance_id", instance_id)

    def _lead(self, step: Step, method: str, argument: object) -> None:
        self.show_page(step.value)
        page = self.pages[step.value]
        if hasattr(page, method):
            getattr(page, method)(argument)

    def _propose_protocol(self, path: Path | None) -> None:
        self.show_page("start")
        self.start_page.propose_protocol(path)

    # projects -----------------------------------------------------------------

    def reopen_last(self) -> None:
        """Go on with the project that was open when the program ended."""
        last = self.preferences.last
        if last is not None:
            self._open(last)

    def _open(self, root: Path) -> None:
        self.session.open(root)
        self.start_page.opening.show_project(root.name)

    @Slot(object)
    def open_project(self, root: Path) -> None:
        """Open a project folder; says why where it can't be."""
        if self.session.root == root:
            self.show_page(self._next_page())
            return
        if self._may_leave():
            self._open(root)

    def close_project(self) -> None:
        """Back to the start page; asks where a job runs."""
        if self._may_leave():
            self.session.close()
            self.preferences.forget_last()
            self.show_page("start")

    def start_demo(self) -> None:
        """Make invented patients and a project for them, and begin."""
        from app.pipeline.demo import make_demo  # noqa: PLC0415 - seldom wanted

        self.start_page.demo_button.setEnabled(False)
        self.session.aside(lambda: make_demo(projects_folder()), self._open_demo)

    def _open_demo(self, made: tuple[Path, Path]) -> None:
        self.start_page.demo_button.setEnabled(True)
        root, source = made
        self._dropped = [source]
        self.open_project(root)

    def _project_opened(self) -> None:
        project = self.session.project
        assert project is not None
        root = project.layout.root
        self.preferences.remember(root)
        self._project_name.setText(root.name)
        self._project_name.setToolTip(str(root))
        self._project_place.setText(tr("Site {site}", site=project.site_id))
        self.setWindowTitle(f"{root.name} - Consign")
        self.start_page.problems.clear()
        dropped, self._dropped = self._dropped, []
        if dropped:
            self._end_opening()
            self._mark_stale()
            self._add_sources(dropped)
        else:
            self._is_opening = True
            self._ask_where_it_stands()

    def _next_page(self) -> str:
        """The first step that is not done: what a person came back for."""
        return next((step.value for step, state in self._states.items() if state is not StepState.DONE), "signoff")

    def _project_closed(self) -> None:
        # The pages stay: each forgets by itself, and what the session calls later must find its widgets.
        self._project_name.setText("Consign")
        self._project_place.setText("")
        self.setWindowTitle("Consign")
        self._working = self._overview = None
        self._end_opening()
        self._refresh_timer.stop()
        self.strip.end()
        self._show_states(step_states(None))
        self.show_page("start")

    # what stands where ----------------------------------------------------------

    def _mark_stale(self) -> None:
        self._refresh_timer.start()

    def _refresh(self) -> None:
        if self.session.project is None:
            return
        self._ask_where_it_stands()
        self._refresh_page()

    def _ask_where_it_stands(self) -> None:
        self.session.ask(self._overview_of, self._take_overview, key="overview")

    def _overview_of(self, project: Project) -> Overview:
        import_pages()  # where this leads to, the window must not wait for another thread's import
        return load_overview(project, self.session.dump.rows(project), self.session.plans.series(project))

    def _take_overview(self, overview: Overview) -> None:
        self._overview = overview
        self._show_states(step_states(overview, self._working))
        # A later question may have superseded the one that was asked at opening: whichever is answered leads on, unless
        # somebody went elsewhere in the meantime. In a large project that takes seconds.
        if self._is_opening and self.page_name == "start":
            self.show_page(self._next_page())
        self._end_opening()

    def _end_opening(self) -> None:
        self._is_opening = False
        self.start_page.opening.show_project("")

    def _show_states(self, states: Mapping[Step, StepState]) -> None:
        self._states = states
        for step, state in states.items():
            self.steps[step].show_state(state)

    # jobs -------------------------------------------------------------------

    def _job_started(self, title: str) -> None:
        self.strip.begin(title)
        self._job_name = title

    def _job_event(self, event: Event) -> None:
        self.strip.tell(event)
        step = step_of_job(event.step)
        if step is not self._working:
            self._working = step
            self._show_states(step_states(self._overview, step))

    def _job_ended(self, outcome: Outcome) -> None:
        self._working = None
        self.strip.end()
        match outcome.ending:
            case Ending.FINISHED if self.session.is_unasked:
                pass
            case Ending.FINISHED:
                self._notify(tr("{job}: finished.", job=self._job_name))
            case Ending.CANCELLED:
                self._notify(tr("{job}: stopped. Nothing is lost; it goes on from here.", job=self._job_name))
            case Ending.FAILED:
                if outcome.error is not None:
                    self._show_error(outcome.error)

    def _notify(self, text: str) -> None:
        self.toast.say(text)
        if not self.isActiveWindow():
            QApplication.alert(self)

    def _show_error(self, error: ConsignError) -> None:
        sentences = sentences_for(error, tr)
        self._end_opening()
        self.start_page.demo_button.setEnabled(True)
        page = self.stack.currentWidget()
        problems = getattr(page, "problems", None)
        if problems is not None:
            problems.show_sentences(sentences)
        else:
            self.toast.say(sentences[0])
        if not self.isActiveWindow():
            QApplication.alert(self)

    def _may_leave(self) -> bool:
        """Whether the project may be closed; asks where a job runs."""
        if not self.session.is_busy or self.session.is_unasked:
            return True
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "Consign",
            tr("A job is running: {job}. Stop it and go?", job=self.session.job_title),
            parent=self,
        )
        box.setInformativeText(tr("Nothing is lost: the next start goes on from here."))
        stop = box.addButton(tr("Stop and go"), QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton(tr("Stay"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.exec()
        return box.clickedButton() is stop

    # help, drops, closing ---------------------------------------------------------

    def show_help(self, page: str = "") -> None:
        """A page of the help; without a name the one about what is shown."""
        from app.gui.help import show_help  # noqa: PLC0415 - seldom wanted

        show_help(self, page or self.page_name)

    def show_settings(self) -> None:
        """The settings, in the one window that they have."""
        from app.gui.settings import SettingsWindow  # noqa: PLC0415 - seldom wanted

        shown = self.findChild(SettingsWindow)
        if shown is None:
            shown = SettingsWindow(self.preferences, self)
            shown.appearance_changed.connect(self._appearance_changed)
            shown.language_changed.connect(self.language_changed)
        shown.show()
        shown.raise_()
        shown.activateWindow()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files and folders may come."""
        if _paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Do the right thing with what was dropped."""
        event.acceptProposedAction()
        self.take_dropped(_paths(event))

    def take_dropped(self, paths: Sequence[Path]) -> None:
        """A project is opened, a protocol file is read back, anything else becomes a source."""
        projects = [path for path in paths if is_project(path)]
        protocols = [path for path in paths if path.suffix.lower() in (".toml", ".consign")]
        if projects:
            self.open_project(projects[0])
        elif protocols:
            self._show_protocol(protocols[0])
        elif self.session.project is not None:
            self._add_sources(paths)
        else:
            self._dropped = list(paths)
            self.show_page("start")
            self.toast.say(tr("Open or make a project first; what you dropped is added to it then."))

    def _show_protocol(self, path: Path) -> None:
        if self.session.project is None:
            self._propose_protocol(path)
        else:
            self._lead(Step.PROTOCOL, "show_file", path)

    def _add_sources(self, paths: Sequence[Path]) -> None:
        self._lead(Step.FIND, "add_sources", paths)

    def _scheme_changed(self) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply_scheme(application, self.preferences)
            self._refresh_page()  # what has a colour of its own takes the new one

    def _appearance_changed(self) -> None:
        application = QApplication.instance()
        if isinstance(application, QApplication):
            apply_appearance(application, self.preferences)
            self._refresh_page()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the icons in the colours of the new scheme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "steps"):
            self._colour_icons()

    def _colour_icons(self) -> None:
        self._show_states(self._states)
        colour = self.palette().color(QPalette.ColorRole.Text)
        self.home_button.setIcon(icon("home", colour))
        self.settings_button.setIcon(icon("settings", colour))
        self.help_button.setIcon(icon("help", colour))

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask where a job runs; stop it cleanly; remember the place."""
        if not self._may_leave():
            event.ignore()
            return
        self.preferences.keep_geometry(self.saveGeometry())
        self.session.close()
        event.accept()


def _paths(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
