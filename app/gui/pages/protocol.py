"""Protocol: the organisers' file read back as sentences; another one can be looked at without losing this one."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.errors import ConsignError
from app.files.resources import resource_path
from app.gui.session import Session
from app.gui.text import tr
from app.gui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    Card,
    EmptyState,
    Problems,
    TitleRow,
    button,
    quiet,
    scaled,
    text_label,
)
from app.protocol.load import load_protocol
from app.protocol.schema import Protocol
from app.text.i18n import mark
from app.text.messages import sentences_for
from app.text.protocol_words import Passage, Topic, own_words, read_back

# Where each topic stands: column and order in it. What is long stands at the left.
_LEFT = (Topic.WANTED, Topic.COHORTS, Topic.REMOVED, Topic.STAYS)
_RIGHT = (Topic.SIGNATURES, Topic.IMAGES, Topic.BUNDLE)
_BULLET = "\u2022"


@dataclass(frozen=True, slots=True)
class _Read:
    """A protocol file that loads; ``path`` is None for the shipped one."""

    path: Path | None
    protocol: Protocol
    sha256: str


class ProtocolPage(QWidget):
    """The open project's protocol, or a preview of another file."""

    go_to = Signal(str)
    new_project_wanted = Signal(object)  # Path of a protocol file, None for the shipped one

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._preview: _Read | None = None
        self._shown: Protocol | None = None
        self.setAcceptDrops(True)
        self._build()
        session.opened.connect(self._forget_preview)
        session.closed.connect(self._forget_preview)
        self.refresh()

    # the widgets --------------------------------------------------------------

    def _build(self) -> None:
        self._title = TitleRow(tr("Protocol"))
        self.open_button = button(
            tr("&Open another file \u2026"), tr("Read a protocol file of the organisers"), self._choose
        )
        self._title.add(self.open_button)
        self.shipped_button = button(
            tr("&Look at the shipped protocol"),
            tr("Read the protocol that serves when none is chosen"),
            self._read_shipped,
        )
        self._title.add(self.shipped_button)
        self.problems = Problems()
        self._build_banner()
        self._empty = EmptyState()
        self._empty.pressed.connect(self._choose)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setAccessibleName(tr("The protocol in sentences"))
        page = QVBoxLayout(self)
        page.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        page.setSpacing(GAP_PX)
        for widget in (self._title, self.problems, self._banner):
            page.addWidget(widget)
        page.addWidget(self._area, 1)
        page.addWidget(self._empty, 1)

    def _build_banner(self) -> None:
        """What says that this is only looked at, and what can be done with it."""
        self._banner = QFrame()
        self._banner.setObjectName("card")
        self._banner.setFrameShape(QFrame.Shape.StyledPanel)
        self._banner.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._banner_text = text_label()
        self.use_button = button(
            tr("&Make a project with it \u2026"), tr("Begin a new project with this protocol"), self._use
        )
        self.use_button.setObjectName("primary")
        self.back_button = QPushButton()
        self.back_button.clicked.connect(self._forget_preview)
        row = QHBoxLayout(self._banner)
        row.setContentsMargins(16, 10, 12, 10)
        row.addWidget(self._banner_text, 1)
        row.addWidget(self.back_button)
        row.addWidget(self.use_button)

    # what is shown ------------------------------------------------------------

    def refresh(self) -> None:
        """Show the protocol of the project, or the preview."""
        project = self._session.project
        if self._preview is not None:
            self._show_preview(self._preview)
        elif project is not None:
            self._banner.hide()
            self._title.say(tr("This is what the organisers ask of you. The project keeps it as it is."))
            self._show_protocol(project.protocol, project.protocol_sha256, None)
        else:
            self._show_start()

    def _show_start(self) -> None:
        self._shown = None
        self._banner.hide()
        self._area.hide()
        self.open_button.hide()
        self.shipped_button.show()
        self._title.say(tr("The organisers' file says what is wanted, what is removed, and who signs."))
        self._empty.show_text(
            tr("No protocol is open"),
            tr("Choose the file that the organisers sent, or drop it here. It is read back to you in plain sentences."),
            tr("Choose a protocol file \u2026"),
        )
        self._empty.show()

    def _show_preview(self, read: _Read) -> None:
        name = tr("the shipped protocol") if read.path is None else read.path.name
        self._title.say(tr("A preview; nothing has changed."))
        has_project = self._session.project is not None
        if has_project:
            text = tr("You are looking at {name}. The open project keeps its own protocol.", name=name)
        else:
            text = tr("You are looking at {name}. A project made with it keeps it as it is.", name=name)
        self._banner_text.setText(text)
        back = tr("&Back to the project's protocol") if has_project else tr("&Close the preview")
        self.back_button.setText(back)
        self.back_button.setAccessibleName(back.replace("&", ""))
        self._banner.show()
        self._show_protocol(read.protocol, read.sha256, read.path)

    def _show_protocol(self, protocol: Protocol, sha256: str, path: Path | None) -> None:
        self._empty.hide()
        self.open_button.show()
        self.shipped_button.hide()
        if protocol is not self._shown:
            self._shown = protocol
            self._area.setWidget(_Reading(protocol, sha256, path))
        self._area.show()

    @property
    def shown(self) -> Protocol | None:
        """The protocol that is read back now."""
        return self._shown

    # other files ---------------------------------------------------------------

    def show_file(self, path: Path) -> None:
        """Preview a protocol file; one with an error is told about, and what was shown stays."""
        self._session.aside(lambda: _read(path), self._take)

    def _read_shipped(self) -> None:
        self._session.aside(lambda: _read(None), self._take)

    def _take(self, read: _Read | ConsignError) -> None:
        if isinstance(read, ConsignError):
            sentences = sentences_for(read, tr)
            self.problems.show_sentences(
                [
                    *sentences,
                    tr("Nothing was changed. Correct the file, or send this message to the organisers."),
                ]
            )
            return
        self.problems.clear()
        self._preview = read
        self.refresh()

    def _choose(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, tr("Choose the organisers' protocol file"), "", tr("Protocol files (*.toml)")
        )
        if chosen:
            self.show_file(Path(chosen))

    def _use(self) -> None:
        if self._preview is not None:
            self.new_project_wanted.emit(self._preview.path)

    def _forget_preview(self) -> None:
        self._preview = None
        self.problems.clear()
        self.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """A protocol file may come; anything else is for the window."""
        if _protocol_file(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Read it back."""
        path = _protocol_file(event)
        if path is not None:
            event.acceptProposedAction()
            self.show_file(path)


def _protocol_file(event: QDropEvent) -> Path | None:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path for path in paths if path.suffix.lower() == ".toml"), None)


def _read(path: Path | None) -> _Read | ConsignError:
    try:
        protocol, sha256 = load_protocol(path or resource_path("defaults/protocol.toml"))
    except ConsignError as error:
        return error
    return _Read(path, protocol, sha256)


class _Reading(QWidget):
    """A protocol as cards of sentences."""

    def __init__(self, protocol: Protocol, sha256: str, path: Path | None) -> None:
        super().__init__()
        passages = {passage.topic: passage for passage in read_back(protocol, tr)}
        left, right = QVBoxLayout(), QVBoxLayout()
        for column, topics in ((left, _LEFT), (right, _RIGHT)):
            column.setSpacing(GAP_PX)
            for topic in topics:
                column.addWidget(_card(passages[topic]))
            column.addStretch()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 4, 0)
        grid.setSpacing(GAP_PX)
        grid.addWidget(_head(protocol), 0, 0, 1, 2)
        grid.addLayout(left, 1, 0)
        grid.addLayout(right, 1, 1)
        grid.addWidget(_foot(protocol, sha256, path), 2, 0, 1, 2)
        grid.setColumnStretch(0, 11)
        grid.setColumnStretch(1, 9)
        grid.setRowStretch(1, 1)


def _head(protocol: Protocol) -> Card:
    card = Card(own_words(protocol.title, tr))
    card.heading.setFont(scaled(card.font(), 1.3, bold=True))
    asks = text_label(tr("Asked by {contact}", contact=own_words(protocol.contact, tr)))
    asks.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    card.body.addWidget(asks)
    if protocol.description:
        card.body.addWidget(quiet(text_label(own_words(protocol.description, tr))))
    return card


def _card(passage: Passage) -> Card:
    card = Card(passage.title)
    if passage.topic is Topic.WANTED and len(passage.sentences) > 1:
        card.body.addWidget(quiet(text_label(tr(_ALL_HOLD))))
    lines = QGridLayout()
    lines.setHorizontalSpacing(8)
    lines.setVerticalSpacing(6)
    lines.setColumnStretch(1, 1)
    for place, sentence in enumerate(passage.sentences):
        lines.addWidget(quiet(text_label(_BULLET, wrap=False)), place, 0, Qt.AlignmentFlag.AlignTop)
        lines.addWidget(text_label(sentence), place, 1)
    card.body.addLayout(lines)
    return card


_ALL_HOLD = mark("An image is taken when all of this is so:")


def _foot(protocol: Protocol, sha256: str, path: Path | None) -> QWidget:
    text = tr("Protocol {id}, SHA-256 {digest}", id=protocol.id, digest=sha256)
    label = quiet(text_label(f"{path}\n{text}" if path is not None else text))
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFont(scaled(label.font(), 0.9))
    return label
