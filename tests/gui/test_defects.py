"""An exception that nobody caught tells where it was, and never what it said."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.errors import ConsignError
from app.gui.defects import keep_texts_in

CANARY = "ZZCANARYdoe"


@pytest.fixture
def told() -> Iterator[list[ConsignError]]:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    found: list[ConsignError] = []
    keep_texts_in(found.append)
    yield found
    sys.excepthook, threading.excepthook, sys.unraisablehook = before


def fail() -> None:
    raise KeyError(CANARY)


class Presses(QObject):
    pressed = Signal()


@pytest.mark.qt_no_exception_capture
def test_defect_in_a_slot_is_told_by_its_place(
    told: list[ConsignError], qtbot: QtBot, capfd: pytest.CaptureFixture[str]
) -> None:
    presses = Presses()
    presses.pressed.connect(fail)
    presses.pressed.emit()
    (defect,) = told
    printed = "".join(capfd.readouterr())
    assert (defect.code, defect.ids["kind"]) == ("defect", "KeyError")
    assert str(defect.ids["place"]).startswith("test_defects.py:")
    assert "test_defects.py" in printed
    report = Path(str(defect.ids["report"])).read_text(encoding="utf-8")
    assert "test_defects.py" in report
    assert CANARY not in printed + str(defect) + report


def test_defect_in_a_thread_is_told_by_its_place(told: list[ConsignError], capfd: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join(10)
    assert [one.code for one in told] == ["defect"]
    assert CANARY not in "".join(capfd.readouterr())
