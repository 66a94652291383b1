"""The start page: go on with a project, make one, or try it out on invented patients."""

import os
import re
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.errors import ConsignError
from app.gui.preferences import Preferences
from app.gui.settings import language_box
from app.gui.text import tr
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, Card, Problems, TitleRow, quiet, text_label
from app.project.folder import create_project
from app.protocol.load import load_protocol
from app.text.messages import sentences_for

_FORM_WIDTH_PX = 460


class StartPage(QWidget):
    """Shown while no project is open."""

    open_wanted = Signal(object)  # Path of a project
    demo_wanted = Signal()
    first_steps_wanted = Signal()
    language_changed = Signal()
    go_to = Signal(str)

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._protocol: Path | None = None
        title = TitleRow(
            tr("Give examinations to research, and no patient away"),
            tr("Consign finds what the organisers ask for, builds new files out of what is allowed to leave, and shows")
            + " "
            + tr("you the rest to judge. Nothing is sent anywhere."),
        )
        # Here, too, and not in the settings alone: who reads no English must find it at the first start.
        self.language = language_box(preferences)
        self.language.activated.connect(self._keep_language)
        title.add(self.language)
        self.problems = Problems()
        self.opening = _Opening()
        columns = QHBoxLayout()
        columns.setSpacing(MARGIN_PX)
        columns.addWidget(self._recent_card(), 3)
        columns.addLayout(self._right_column(), 4)
        page = QVBoxLayout(self)
        page.setContentsMargins(2 * MARGIN_PX, 2 * MARGIN_PX, 2 * MARGIN_PX, MARGIN_PX)
        page.setSpacing(MARGIN_PX)
        page.addWidget(title)
        page.addWidget(self.problems)
        page.addWidget(self.opening)
        page.addLayout(columns, 1)

    def _recent_card(self) -> Card:
        card = Card(tr("Go on"))
        self.recent = QListWidget()
        self.recent.setAccessibleName(tr("Recent projects"))
        self.recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.itemActivated.connect(self._open_recent)
        self._no_recent = quiet(text_label(tr("Projects that you open are listed here.")))
        self.open_button = QPushButton(tr("&Open a project folder …"))
        self.open_button.setAccessibleName(tr("Open a project folder"))
        self.open_button.clicked.connect(self._choose_project)
        card.body.addWidget(self.recent, 1)
        card.body.addWidget(self._no_recent)
        card.body.addStretch()
        card.body.addWidget(self.open_button, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _right_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(MARGIN_PX)
        column.addWidget(self._new_card())
        column.addWidget(self._demo_card())
        column.addStretch()
        return column

    def _new_card(self) -> Card:
        card = Card(tr("New project"))
        self.site = QLineEdit()
        self.site.setPlaceholderText(tr("for example CITYHOSP"))
        self.site.setMaxLength(16)
        self.site.setAccessibleName(tr("Site id"))
        self.site.textChanged.connect(self._suggest_folder)
        self.folder = QLineEdit()
        self.folder.setAccessibleName(tr("Project folder"))
        browse = QPushButton(tr("Choose …"))
        browse.setAccessibleName(tr("Choose the project folder"))
        browse.clicked.connect(self._choose_folder)
        self.protocol_label = text_label(tr("The shipped default"))
        self.protocol_button = QPushButton(tr("Choose …"))
        self.protocol_button.setAccessibleName(tr("Choose the organisers' protocol file"))
        self.protocol_button.clicked.connect(self._choose_protocol)
        form = QFormLayout()
        form.setVerticalSpacing(GAP_PX)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        site_hint = tr("Letters, digits and hyphens. It becomes part of every patient code.")
        form.addRow(_label(tr("&Site id"), self.site), _with_hint(self.site, site_hint))
        form.addRow(
            _label(tr("Protocol"), self.protocol_button), _side_by_side(self.protocol_label, self.protocol_button)
        )
        folder_hint = tr("It will hold names of patients. Choose a place that only you and your team can read.")
        both = _side_by_side(self.folder, browse)
        form.addRow(_label(tr("&Folder"), self.folder), _with_hint(both, folder_hint))
        self.create_button = QPushButton(tr("&Make the project"))
        self.create_button.setObjectName("primary")
        self.create_button.setAccessibleName(tr("Make the project"))
        self.create_button.clicked.connect(self._create)
        card.body.addLayout(form)
        card.body.addWidget(self.create_button, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _demo_card(self) -> Card:
        card = Card(tr("Try it out"))
        card.body.addWidget(
            text_label(
                tr("Four invented patients, with names burned into some of their images. The whole job takes minutes.")
            )
        )
        self.demo_button = QPushButton(tr("Start the &demo"))
        self.demo_button.setAccessibleName(tr("Start the demo"))
        self.demo_button.clicked.connect(self.demo_wanted)
        first_steps = QPushButton(tr("Read the &first steps"))
        first_steps.setAccessibleName(tr("Read the first steps"))
        first_steps.clicked.connect(self.first_steps_wanted)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(self.demo_button)
        row.addWidget(first_steps)
        row.addStretch()
        card.body.addLayout(row)
        return card

    # ------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is there now."""
        self.recent.clear()
        for root in self._preferences.recent:
            item = QListWidgetItem(f"{root.name}\n{root.parent}")
            item.setData(Qt.ItemDataRole.UserRole, root)
            item.setToolTip(str(root))
            self.recent.addItem(item)
        has_recent = self.recent.count() > 0
        self.recent.setVisible(has_recent)
        self._no_recent.setVisible(not has_recent)
        if has_recent:
            self.recent.setCurrentRow(0)
        self._suggest_folder()

    def propose_protocol(self, path: Path | None) -> None:
        """Take a protocol file for the new project; says what is wrong with one that does not load."""
        if path is None:
            self._protocol = None
            self.protocol_label.setText(tr("The shipped default"))
            return
        try:
            protocol, _ = load_protocol(path)
        except ConsignError as error:
            self.problems.show_sentences(sentences_for(error, tr))
            return
        self._protocol = path
        self.problems.clear()
        self.protocol_label.setText(protocol.title)
        self.protocol_label.setToolTip(str(path))
        self.site.setFocus()

    def _keep_language(self) -> None:
        if self._preferences.language != self.language.currentData():
            self._preferences.language = self.language.currentData()
            self.language_changed.emit()

    def say(self, error: ConsignError) -> None:
        """Show why something could not be done."""
        self.problems.show_sentences(sentences_for(error, tr))

    def _suggest_folder(self) -> None:
        if self.folder.isModified():
            return
        name = re.sub(r"[^A-Za-z0-9-]", "", self.site.text()) or tr("project")
        root = projects_folder() / name
        number = 2
        while os.path.exists(root):  # noqa: PTH110 - Path.exists raises where a share refuses to be looked at
            root = root.with_name(f"{name}-{number}")
            number += 1
        self.folder.setText(str(root))

    def _open_recent(self, item: QListWidgetItem) -> None:
        self.open_wanted.emit(item.data(Qt.ItemDataRole.UserRole))

    def _choose_project(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Open a project folder"))
        if chosen:
            self.open_wanted.emit(Path(chosen))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Choose a folder for the project"))
        if chosen:
            self.folder.setText(str(Path(chosen)))
            self.folder.setModified(True)

    def _choose_protocol(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, tr("Choose the organisers' protocol file"), "", tr("Protocol files (*.toml)")
        )
        if chosen:
            self.propose_protocol(Path(chosen))

    def _create(self) -> None:
        root = Path(self.folder.text().strip())
        try:
            create_project(root, self.site.text().strip(), self._protocol)
        except ConsignError as error:
            self.say(error)
            return
        except OSError:
            self.problems.show_sentences([tr("The folder can't be made there. Choose another one.")])
            return
        self.problems.clear()
        self.folder.setModified(False)
        self.open_wanted.emit(root)


class _Opening(Card):
    """Shown while a project is read: with 100,000 images that takes seconds."""

    def __init__(self) -> None:
        super().__init__("")
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setAccessibleName(tr("A project is being opened"))
        self.body.addWidget(bar)
        self.hide()

    def show_project(self, name: str) -> None:
        """Say which one; none where it is over."""
        self.heading.setText(tr("Opening {name} …", name=name) if name else "")
        self.setVisible(bool(name))


def projects_folder() -> Path:
    """Where projects are made unless another place is chosen."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    place = Path(documents or Path.home())
    # Many a Windows keeps its documents in OneDrive: patients and the key would be sent to it.
    clouds = filter(None, map(os.environ.get, ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")))
    if any(place.is_relative_to(cloud) for cloud in clouds):
        place = Path.home()
    return place / "Consign"


def _label(text: str, buddy: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(buddy)
    return label


def _with_hint(field: QWidget, hint: str) -> QWidget:
    both = QWidget()
    column = QVBoxLayout(both)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    column.addWidget(field)
    column.addWidget(quiet(text_label(hint)))
    return both


def _side_by_side(wide: QWidget, narrow: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(wide, 1)
    row.addWidget(narrow)
    return both
