"""What can be done while images are looked through: words and keys, and the legend that is always in sight."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from app.gui.text import tr
from app.gui.widgets.parts import key_text, quiet, scaled
from app.project.masks import MaskScope
from app.text.i18n import mark
from app.text.image_words import MASK_SCOPES


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do; ``keys`` are alternatives, the first is the one that is shown."""

    name: str
    text: str
    keys: tuple[str, ...]
    tip: str
    is_switch: bool = False


COMMANDS = (
    Command("release", mark("Leaves as it is"), ("A",), mark("This image leaves as it is, your masks apart")),
    Command("mask", mark("Mask"), ("M",), mark("This image leaves with certain text, and your masks, filled")),
    Command("exclude", mark("Exclude"), ("X",), mark("This image does not leave")),
    Command("release-all", mark("Leaves as it is"), ("Shift+A",), mark("All images of the series leave as they are")),
    Command("mask-all", mark("Mask"), ("Shift+M",), mark("All images of the series leave with their text filled")),
    Command("exclude-all", mark("Exclude"), ("Shift+X",), mark("No image of the series leaves")),
    Command("clear", mark("Decide later"), ("U",), mark("Take the decision on this image back")),
    Command("next", mark("Next"), ("N",), mark("The next image that wants a look, in this series or another")),
    Command("undo", mark("Undo"), ("Ctrl+Z",), mark("Take the last step back")),
    Command("back", mark("All series"), ("Esc",), mark("Back to the series")),
    Command("tool-mask", mark("Draw"), ("D",), mark("The left button draws masks"), True),
    Command(
        "tool-window",
        mark("Brightness"),
        ("W",),
        mark("The left button changes brightness and contrast; the right one always does"),
        True,
    ),
    Command("tool-move", mark("Move"), ("H",), mark("The left button moves the picture; the middle one always"), True),
    Command("preview", mark("As it leaves"), ("V",), mark("Show exactly what would leave"), True),
    Command("boxes", mark("Marks"), ("B",), mark("Show or hide what was found and drawn"), True),
    Command("invert", mark("Invert"), ("I",), mark("Bright for dark"), True),
    Command("cine", mark("Play"), ("C",), mark("Play the pictures as a film"), True),
    Command("fit", mark("Fit"), ("F",), mark("As large as there is room for")),
    Command("real", mark("1:1"), ("O",), mark("One pixel of the screen for each of the image")),
    Command("nearer", mark("Nearer"), ("+", "="), mark("Enlarge; also Ctrl and the wheel")),
    Command("farther", mark("Farther"), ("-",), mark("Make smaller; also Ctrl and the wheel")),
    Command("window-next", mark("Next brightness"), ("P",), mark("The next of the usual settings of brightness")),
    Command(
        "new",
        mark("New mask"),
        ("Shift+D",),
        mark("Put a mask in the middle; arrow keys move it, with Shift they resize it"),
    ),
    Command("choose", mark("Next mask"), ("G",), mark("Give the handles to the next mask")),
    Command("delete", mark("Delete"), ("Del", "Backspace"), mark("Delete the chosen mask")),
    Command("take", mark("Mask every place found"), ("T",), mark("A mask over each place with text, unsure ones too")),
    *(
        Command(f"scope-{scope.value}", MASK_SCOPES[scope], (str(number),), mark("What the chosen mask is for"))
        for number, scope in enumerate(MaskScope, start=1)
    ),
)

_LEGEND = (
    ("A", mark("leaves as it is")),
    ("M", mark("mask")),
    ("X", mark("exclude")),
    ("Shift", mark("the whole series")),
    ("N", mark("next")),
    ("U", mark("decide later")),
    ("Ctrl+Z", mark("undo")),
    ("V", mark("as it leaves")),
    ("B", mark("marks")),
    ("T", mark("mask every place")),
    ("Shift+D", mark("new mask")),
    ("G", mark("choose mask")),
    ("1\u2060\u2013\u20604", mark("what it is for")),
    ("Del", mark("delete")),
    ("\u2191\u2193", mark("pictures")),
    ("+\u00a0\u2212\u00a0F\u00a0O", mark("zoom")),
    ("D\u00a0W\u00a0H", mark("draw, brightness, move")),
    ("P\u00a0I\u00a0C", mark("presets, invert, play")),
    ("Esc", mark("back")),
)


def make_actions(owner: QWidget, acts: dict[str, Callable[[], object]]) -> dict[str, QAction]:
    """An action for each command, whose key works wherever the focus is within ``owner``."""
    actions = {}
    for command in COMMANDS:
        action = QAction(tr(command.text), owner)
        action.setShortcuts([QKeySequence(keys) for keys in command.keys])
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setToolTip(f"{tr(command.tip)} ({key_of(action)})")
        action.setCheckable(command.is_switch)
        act = acts[command.name]
        action.triggered.connect(lambda _checked=False, act=act: act())
        owner.addAction(action)
        actions[command.name] = action
    return actions


def key_of(action: QAction) -> str:
    """The key as this system writes it."""
    return key_text(action.shortcut().toString())


def tool_button(action: QAction, sign: str = "") -> QToolButton:
    """A flat button for an action; a switch shows whether it is on."""
    made = QToolButton()
    made.setDefaultAction(action)
    made.setText(f"{sign}{action.text()}")
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    made.setAccessibleName(action.text())
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


def push_button(action: QAction, *, primary: bool = False) -> QPushButton:
    """A button for an action that names its key."""
    made = QPushButton(f"{action.text()}  \u00b7  {key_of(action)}")
    made.setToolTip(action.toolTip())
    made.setAccessibleName(action.text())
    made.setAccessibleDescription(action.toolTip())
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.clicked.connect(action.trigger)
    if primary:
        made.setObjectName("primary")
    return made


def make_legend() -> QLabel:
    """All keys at a glance."""
    entries = (f"<b>{key_text(keys)}</b>&nbsp;{tr(text).replace(' ', '&nbsp;')}" for keys, text in _LEGEND)
    legend = QLabel("&nbsp;&nbsp;&nbsp; ".join(entries))
    legend.setWordWrap(True)
    legend.setTextFormat(Qt.TextFormat.RichText)  # ours: nothing of a file is in it
    legend.setFont(scaled(legend.font(), 0.92))
    legend.setAccessibleName(tr("Keys"))
    return quiet(legend)
