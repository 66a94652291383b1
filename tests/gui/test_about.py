"""The window about the program tells whose work is in it."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import __version__
from app.files import resources
from app.gui.about import AboutButton, AboutWindow
from app.text.licences import load_licences


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "licences"
    folder.mkdir()
    rows = "name,version,licence,file\nzlib,1.3,Zlib,zlib.txt\nnumpy,2.4,BSD-3-Clause,numpy.txt\n"
    folder.joinpath("index.csv").write_text(rows, encoding="utf-8")
    folder.joinpath("zlib.txt").write_text("Copyright Gailly, Adler", encoding="utf-8")
    folder.joinpath("numpy.txt").write_text("Copyright NumPy Developers", encoding="utf-8")
    monkeypatch.setattr(resources, "_root", lambda: tmp_path)


@pytest.mark.usefixtures("carried")
def test_each_part_is_listed_by_name_and_its_licence_shown(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    about = AboutWindow(parent, load_licences())
    assert [about.list.item(row).text() for row in range(about.list.count())] == ["numpy 2.4", "zlib 1.3"]
    assert "Copyright NumPy Developers" in about.text.toPlainText()
    about.list.setCurrentRow(1)
    assert "Zlib" in about.text.toPlainText()
    assert "Gailly" in about.text.toPlainText()


def test_version_in_the_corner_opens_the_window_about_the_program(qtbot: QtBot) -> None:
    button = AboutButton()
    qtbot.addWidget(button)
    assert __version__ in button.text()
    about = button.show_about()
    assert about.isVisible()
    assert about.list.isHidden()  # a checkout carries nothing of others
    about.close()
