"""The data set as a whole on the sign-off page: what was found in it, and the ways to decide."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QLineEdit, QTableView, QVBoxLayout, QWidget

from app.dataset.deciding import (
    LONGEST_NOTE,
    actions_for,
    decide,
    remove_attribute,
    take_back_studies,
    tell_in_steps,
    undo_attributes,
)
from app.gui.checklist import counted
from app.gui.models.findings import FindingsModel, action_name
from app.gui.text import tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.parts import Card, button, plain_table, quiet, text_label
from app.pipeline.dataset import DatasetView, FindingRow
from app.project.dataset import Finding, FindingAction, FindingKind
from app.project.defacings import Defacing
from app.project.folder import Project
from app.text.dataset_words import WHY, attribute_name, defacing_sentence, finding_sentences

_MOST_LINES = 7
_FACE_PX = 220  # high


class DatasetCard(Card):
    """Shows findings and asks the page for changes: a ``change`` is a function that takes the decision."""

    change = Signal(object)
    faces_wanted = Signal(object, str)  # findings whose face is to be taken out, and why
    check_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(tr("The data set as a whole"))
        self._state = text_label()
        self._model = FindingsModel()
        self._table: QTableView = plain_table(self._model, tr("Findings on the data set"))
        self._table.selectionModel().selectionChanged.connect(lambda *_: self._choose())
        header = self._table.horizontalHeader()
        em = self.fontMetrics().averageCharWidth()
        header.resizeSection(0, 34 * em)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(2, 20 * em)
        self._words = text_label()
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._why = quiet(text_label())
        self._note = QLineEdit()
        self._note.setMaxLength(LONGEST_NOTE)
        self._note.setPlaceholderText(tr("Why, in one line; it stays at your site"))
        self._note.setAccessibleName(tr("Why"))
        self.buttons = {
            "keep": button(
                tr("&Keep as it is"), tr("It is known and wanted"), partial(self._decide, FindingAction.KEEP)
            ),
            "exclude": button(
                action_name(FindingAction.EXCLUDE),
                tr("Its studies or its series stay at your site"),
                partial(self._decide, FindingAction.EXCLUDE),
            ),
            "deface": button(
                action_name(FindingAction.DEFACE), tr("Replace the skin of the face; the brain stays"), self._deface
            ),
            "steps": button(tr("Tell in s&teps"), tr("Ages by decades, sizes by 10 cm, weights by 10 kg"), self._steps),
            "remove": button(tr("Remove the attribute"), tr("Take it out of every file"), self._remove),
            "back": button(tr("Take back"), tr("Take the decision back"), partial(self._decide, None)),
            "all-back": button(tr("Undo attributes and studies"), tr("Let all of them leave again"), self._undo),
            "check": button(tr("Check again"), tr("Check what would leave now"), self.check_wanted.emit),
        }
        actions = FlowLayout()
        for made in self.buttons.values():
            actions.addWidget(made)
        self._faces = _Faces()
        for widget in (self._state, self._table, self._words, self._why, self._faces, self._note):
            self.body.addWidget(widget)
        self.body.addLayout(actions)
        self._view: DatasetView | None = None
        self._is_enabled = False
        self.forget()

    def forget(self) -> None:
        """Show nothing."""
        self._view = None
        self._model.show_rows(())
        self._show()

    def show_view(self, view: DatasetView) -> None:
        """Show findings; what is chosen stays chosen where it is still there."""
        chosen = {(one.kind, one.original_key) for one in self._chosen()}
        self._view = view
        if tuple(self._model.rows) != view.rows:
            self._model.show_rows(view.rows)
            wanted = [
                row for row, one in enumerate(view.rows) if (one.finding.kind, one.finding.original_key) in chosen
            ]
            for row in wanted or ([0] if view.rows else []):
                self._table.selectRow(row)
        self._show()

    def set_idle(self, is_idle: bool) -> None:
        """Whether decisions are possible now."""
        self._is_enabled = is_idle
        self._choose()

    # showing --------------------------------------------------------------------

    def _show(self) -> None:
        view = self._view
        rows: Sequence[FindingRow] = view.rows if view is not None else ()
        self._table.setVisible(bool(rows))
        lines = min(len(rows), _MOST_LINES)
        self._table.setFixedHeight(
            self._table.horizontalHeader().sizeHint().height()
            + self._table.verticalHeader().defaultSectionSize() * lines
            + 12
        )
        self._state.setText(_state_text(view))
        self._choose()

    def _choose(self) -> None:
        view, chosen = self._view, self._chosen()
        kinds = {one.kind for one in chosen}
        actions = {action for kind in kinds for action in actions_for(kind)} if len(kinds) == 1 else set()
        one = chosen[0] if len(chosen) == 1 else None
        row = next((row for row in self._model.rows if one is not None and row.finding == one), None)
        is_defaced = row is not None and row.decided is FindingAction.DEFACE
        sentences = finding_sentences(one, tr) if one else []
        if row is not None and is_defaced:
            sentences.append(defacing_sentence(row.defacing, tr))
        self._words.setText(" ".join(sentences))
        self._faces.show_defacing(row.defacing if row is not None and is_defaced else None)
        self._why.setText(tr(WHY[one.kind]) if one else "")
        decided = view is not None and any(row.decided is not None for row in view.rows if row.finding in chosen)
        shown = {
            "keep": FindingAction.KEEP in actions,
            "exclude": FindingAction.EXCLUDE in actions,
            "deface": FindingAction.DEFACE in actions,
            "steps": one is not None and bool(one.details.get("in_steps")) and one.kind is FindingKind.SMALL_GROUPS,
            "remove": one is not None and one.kind is FindingKind.TARGET_LEAKAGE and one.original_key.isidentifier(),
            "back": decided,
            "all-back": view is not None and bool(view.attributes or view.studies),
            "check": view is not None and not view.is_current,
        }
        for name, made in self.buttons.items():
            made.setVisible(shown[name])
            made.setEnabled(self._is_enabled)
        for widget in (self._words, self._why):
            widget.setVisible(one is not None)
        self._note.setVisible(bool(actions))
        self._note.setEnabled(self._is_enabled)

    def _chosen(self) -> list[Finding]:
        return [self._model.rows[index.row()].finding for index in self._table.selectionModel().selectedRows()]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Where the card is narrow, the sentence gets the room."""
        super().resizeEvent(event)
        em = self.fontMetrics().averageCharWidth()
        self._table.setColumnHidden(0, self.width() < 70 * em)

    # deciding -------------------------------------------------------------------

    def _decide(self, action: FindingAction | None) -> None:
        chosen, note = self._chosen(), self._note.text().strip()
        self._note.clear()
        self.change.emit(lambda project: decide(project, chosen, action, note))

    def _deface(self) -> None:
        self.faces_wanted.emit(self._chosen(), self._note.text().strip())
        self._note.clear()

    def _steps(self) -> None:
        keywords = [name for one in self._chosen() for name in one.details.get("in_steps", ())]
        self.change.emit(lambda project: tell_in_steps(project, keywords))

    def _remove(self) -> None:
        keyword = self._chosen()[0].original_key
        self.change.emit(lambda project: remove_attribute(project, keyword))

    def _undo(self) -> None:
        def undo(project: Project) -> None:
            undo_attributes(project)
            take_back_studies(project)

        self.change.emit(undo)


class _Faces(QWidget):
    """A face before and after, side by side; hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self._pictures = []
        for name in (tr("Before"), tr("After")):
            column = QVBoxLayout()
            picture = QLabel()
            picture.setAccessibleName(name)
            column.addWidget(text_label(name))
            column.addWidget(picture)
            row.addLayout(column)
            self._pictures.append(picture)
        row.addStretch(1)
        self.hide()

    def show_defacing(self, defacing: Defacing | None) -> None:
        """Show the pictures of a series whose face was taken out."""
        is_done = defacing is not None and defacing.failure is None and defacing.height > 0
        self.setVisible(is_done)
        if defacing is None or not is_done:
            return
        for label, content in zip(self._pictures, (defacing.original_before, defacing.after), strict=True):
            form = QImage.Format.Format_Grayscale8
            image = QImage(content, defacing.width, defacing.height, defacing.width, form)
            label.setPixmap(
                QPixmap.fromImage(image).scaledToHeight(_FACE_PX, Qt.TransformationMode.SmoothTransformation)
            )


def _state_text(view: DatasetView | None) -> str:
    if view is None or (not view.rows and not view.is_current):
        return tr("It is checked once the images are de-identified.")
    waiting = sum(row.waits for row in view.rows)
    if not view.is_current:
        text = tr("Something changed since the last check.")
    elif waiting:
        text = counted(
            waiting,
            "{count} of these waits for a decision before anybody can sign.",
            "{count} of these wait for a decision before anybody can sign.",
        )
    else:
        text = tr("Nothing waits for a decision.")
    if view.attributes:
        text += " " + tr(
            "By your decision less leaves of: {names}.",
            names=", ".join(attribute_name(one, tr) for one in view.attributes),
        )
    if view.studies:
        text += " " + counted(
            view.studies, "{count} study stays here by your decision.", "{count} studies stay here by your decision."
        )
    return text
