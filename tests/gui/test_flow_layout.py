"""Rows that break where the room ends, also after something in them has changed."""

import pytest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.widgets.chips import FlowLayout


@pytest.fixture
def row(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    layout = FlowLayout()
    widget.setLayout(layout)
    for _ in range(4):
        layout.addWidget(QPushButton("A button"))
    qtbot.addWidget(widget)
    widget.show()
    return widget


def heights(row: QWidget) -> tuple[int, int]:
    """In little room, and in much."""
    layout = row.layout()
    assert layout is not None
    return layout.heightForWidth(20), layout.heightForWidth(5000)


def test_little_room_takes_more_rows(row: QWidget) -> None:
    narrow, wide = heights(row)
    assert narrow > 3 * wide


def test_what_is_hidden_takes_no_row_and_takes_it_again_when_it_is_shown(row: QWidget) -> None:
    before = heights(row)
    buttons = row.findChildren(QPushButton)
    buttons[0].hide()
    hidden = heights(row)
    assert hidden[0] < before[0]
    buttons[0].show()
    assert heights(row) == before


def test_another_text_takes_another_place(row: QWidget) -> None:
    layout = row.layout()
    assert layout is not None
    width = sum(button.sizeHint().width() for button in row.findChildren(QPushButton)) + 100
    one_line, least = layout.heightForWidth(width), layout.minimumSize().width()
    row.findChildren(QPushButton)[0].setText("A button with a text that takes far more room than it had before")
    assert layout.heightForWidth(width) > one_line
    assert layout.minimumSize().width() > least


def test_one_more_widget_counts(row: QWidget) -> None:
    before, layout = heights(row), row.layout()
    assert layout is not None
    more = QPushButton("One more")
    layout.addWidget(more)
    more.show()
    assert heights(row)[0] > before[0]
    taken = layout.takeAt(layout.count() - 1)
    assert taken is not None
    assert heights(row) == before
