"""Beside the picture: where the image stands and why, the decisions, what was found, what was drawn."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.gui.checklist import counted, number
from app.gui.text import tr
from app.gui.widgets.image_states import STATE_SIGNS
from app.gui.widgets.parts import quiet, scaled, text_label, tinted
from app.gui.widgets.viewer_keys import push_button, tool_button
from app.project.decisions import ImageAction
from app.project.images import CheckedImage
from app.project.masks import Mask, MaskScope
from app.project.risks import Risk
from app.text.image_risks import IMAGE_RISKS
from app.text.image_words import IMAGE_STATE_SENTENCES, IMAGE_STATES, MASK_SCOPES
from app.text.reasons import REASONS

_MOST_ROWS = 8
_SIDE_PX = 14
_BUTTONS = {ImageAction.RELEASE: "release", ImageAction.MASK: "mask", ImageAction.EXCLUDE: "exclude"}


class ReviewPanel(QScrollArea):
    """Shows what it is given, and tells which found place and which mask was chosen."""

    found_chosen = Signal(int)
    found_activated = Signal(int)
    mask_chosen = Signal(int)
    scope_wanted = Signal(object)  # MaskScope

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self._actions = actions
        self._scopes: list[MaskScope] = []
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(_SIDE_PX, 12, _SIDE_PX, 12)
        column.setSpacing(6)
        self._add_state(column)
        self._add_decisions(column)
        self._add_found(column)
        self._add_masks(column)
        column.addStretch(1)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setObjectName("card")
        self.setFixedWidth(max(264, 32 * self.fontMetrics().averageCharWidth() + 40))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Be as wide as the widest button, whose text is longer in some languages; the style is known only now."""
        super().showEvent(event)
        widest = max(made.sizeHint().width() for made in self.findChildren(QPushButton))
        needed = widest + 2 * _SIDE_PX + self.verticalScrollBar().sizeHint().width()
        self.setFixedWidth(max(self.width(), needed))

    # building -----------------------------------------------------------------

    def _add_state(self, column: QVBoxLayout) -> None:
        self._state = text_label()
        self._state.setFont(scaled(self.font(), 1.15, bold=True))
        self._reason = text_label()
        self._risk = quiet(text_label())
        for label in (self._state, self._reason, self._risk):
            column.addWidget(label)

    def _add_decisions(self, column: QVBoxLayout) -> None:
        column.addSpacing(4)
        column.addWidget(self._heading(tr("This image")))
        self._decisions = {action: push_button(self._actions[name]) for action, name in _BUTTONS.items()}
        for made in self._decisions.values():
            column.addWidget(made)
        self._texts = {action: made.text() for action, made in self._decisions.items()}
        self._note = quiet(text_label())
        self._of_series: list[QWidget] = [self._heading(tr("The whole series")), self._note]
        self._of_series += [push_button(self._actions[f"{name}-all"]) for name in _BUTTONS.values()]
        for widget in self._of_series:
            column.addWidget(widget)

    def _add_found(self, column: QVBoxLayout) -> None:
        column.addSpacing(4)
        self._found = _TextList(tr("Found on this image"))
        self._found.currentRowChanged.connect(self.found_chosen)
        self._found.itemActivated.connect(lambda _: self.found_activated.emit(self._found.currentRow()))
        self._of_found: list[QWidget] = [
            self._heading(tr("Found on this image")),
            self._found,
            push_button(self._actions["take"]),
        ]
        for widget in self._of_found:
            column.addWidget(widget)

    def _add_masks(self, column: QVBoxLayout) -> None:
        column.addSpacing(4)
        self._masks = _TextList(tr("Masks"))
        self._masks.currentRowChanged.connect(self.mask_chosen)
        self._no_masks = quiet(text_label(tr("None yet. Drag over the image to draw one.")))
        self._scope = QComboBox()
        self._scope.setAccessibleName(tr("What the mask is for"))
        self._scope.setToolTip(tr("What the chosen mask is for (keys 1 to 4)"))
        self._scope.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scope.activated.connect(lambda row: self.scope_wanted.emit(self._scopes[row]))
        self._scope_label = text_label(tr("For"), wrap=False)
        self._delete = tool_button(self._actions["delete"])
        row = QHBoxLayout()
        row.addWidget(self._scope_label)
        row.addWidget(self._scope, 1)
        row.addWidget(self._delete)
        for widget in (self._heading(tr("Masks")), self._no_masks, self._masks):
            column.addWidget(widget)
        column.addLayout(row)

    def _heading(self, text: str) -> QLabel:
        label = text_label(text)
        label.setFont(scaled(self.font(), 1.0, bold=True))
        return label

    # showing ------------------------------------------------------------------

    def show_image(self, image: CheckedImage, *, is_audited: bool) -> None:
        """Where an image stands, and why."""
        plan = image.plan
        sign, which = STATE_SIGNS[plan.state]
        self._state.setText(f"{sign}  {tr(IMAGE_STATES[plan.state])}")
        tinted(self._state, which)
        reason = None if plan.reason is None else REASONS.get(plan.reason)
        self._reason.setText(tr(reason or IMAGE_STATE_SENTENCES[plan.state]))
        risks = [tr(IMAGE_RISKS[image.risk])] if image.risk is not Risk.NONE else []
        if is_audited:
            risks.append(tr("It was drawn for the random check: decide on it, whatever you see."))
        self._risk.setText(" ".join(risks))
        self._risk.setVisible(bool(risks))

    def show_series(self, *, images: int, pictures: int, seen: int) -> None:
        """How much of the series was looked at; nothing where it is one image."""
        for widget in self._of_series:
            widget.setVisible(images > 1)
        self._note.setText(
            counted(
                pictures,
                "You have looked at {seen} of its {count} picture.",
                "You have looked at {seen} of its {count} pictures.",
                seen=number(seen),
            )
        )

    def show_decision(self, decision: ImageAction | None) -> None:
        """Tick what a person decided."""
        for action, made in self._decisions.items():
            made.setText(f"\u2713  {self._texts[action]}" if action is decision else self._texts[action])

    def show_found(self, texts: Sequence[str]) -> None:
        """What was found on the picture."""
        self._found.show_texts(texts)
        for widget in self._of_found:
            widget.setVisible(bool(texts))

    def show_masks(self, masks: Sequence[Mask], chosen: int, scopes: Sequence[MaskScope]) -> None:
        """The masks on the picture, the one with the handles, and what one may be for."""
        self._masks.show_texts(
            [
                tr(
                    "{scope} \u00b7 {width} \u00d7 {height}",
                    scope=tr(MASK_SCOPES[mask.scope]),
                    width=mask.box.right - mask.box.left,
                    height=mask.box.bottom - mask.box.top,
                )
                for mask in masks
            ]
        )
        with QSignalBlocker(self._masks):
            self._masks.setCurrentRow(chosen)
        self._masks.setVisible(bool(masks))
        self._no_masks.setVisible(not masks)
        self._scopes = list(scopes)
        with QSignalBlocker(self._scope):
            self._scope.clear()
            self._scope.addItems([tr(MASK_SCOPES[scope]) for scope in scopes])
            is_known = 0 <= chosen < len(masks) and masks[chosen].scope in self._scopes
            self._scope.setCurrentIndex(self._scopes.index(masks[chosen].scope) if is_known else -1)
        for widget in (self._scope, self._scope_label, self._delete):
            widget.setVisible(bool(masks))
        self._scope.setEnabled(chosen >= 0)
        self._actions["delete"].setEnabled(chosen >= 0)
        for scope in MaskScope:
            self._actions[f"scope-{scope.value}"].setEnabled(chosen >= 0 and scope in scopes)


class _TextList(QListWidget):
    """A short list, as high as its rows."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_texts(self, texts: Sequence[str]) -> None:
        """Other rows; the same ones keep what is chosen."""
        with QSignalBlocker(self):
            if [self.item(row).text() for row in range(self.count())] != list(texts):
                self.clear()
                for text in texts:
                    item = QListWidgetItem(text)
                    item.setToolTip(text)
                    self.addItem(item)
        rows = min(max(len(texts), 1), _MOST_ROWS)
        self.setFixedHeight(rows * (self.sizeHintForRow(0) if self.count() else 0) + 2 * self.frameWidth() + 6)
