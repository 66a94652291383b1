"""A small synthetic project, prepared once for a module of tests, and copied for each test that changes it."""

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.gui.session import Session
from app.jobs.executors import SerialExecutor
from app.pipeline.run import run_all
from app.project.folder import Project, create_project
from tests.factory import cr_image, ct_series, make_study, mr_series, save

PROTOCOL = """id = "gui"
title = "Chest images for a trial"
contact = "trial@example.org"
[selection]
where = 'Modality in ("CT", "MR", "CR")'
[images]
detectors = ["glyphs"]
[review]
signatures = ["site champion", "privacy officer"]
"""
STUDIES = 5


def make_project(folder: Path, *, prepared: bool = True) -> Path:
    """Five people with a CT or MR each, one with a radiograph; returns the project's folder."""
    source = folder / "source"
    for number in range(STUDIES):
        study = make_study(50 + number, description="Thorax follow-up")
        series = ct_series(study, slices=4, rows=32, columns=32) if number % 2 else mr_series(study, slices=3)
        for index, dataset in enumerate(series):
            dataset.ProtocolName = f"Kardex routine {number}"
            dataset.SeriesDescription = "Thorax Zwicklmann nativ" if number == 1 else "Thorax Kardex nativ"
            save(dataset, source / f"P{number}" / f"IM{index}")
    save(cr_image(make_study(60)), source / "P9" / "IM0")
    protocol = folder / "protocol.toml"
    protocol.write_text(PROTOCOL, encoding="utf-8")
    project = folder / "project"
    create_project(project, "SITEA", protocol)
    if prepared:
        with Project(project) as opened:
            list(run_all(opened, [source], None, SerialExecutor()))
            # The engine leaves no known identity in a text; what it could miss is what blocks a release.
            opened.store.execute("UPDATE released_values SET identity_hit = 1 WHERE value = 'routine 3'")
    return project


def copy_project(project: Path, to: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(project, to))


def open_session(project: Path, qtbot: QtBot) -> Session:
    """A session of an open project."""
    session = Session(workers="serial")
    with qtbot.waitSignal(session.opened):
        session.open(project)
    return session


def check_names(page: QWidget) -> None:
    """Every control that takes the focus has a name for a screen reader."""
    for widget in page.findChildren(QWidget):
        takes_focus = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isVisibleTo(page)
        if takes_focus and not widget.objectName().startswith("qt_"):
            parent = widget.parentWidget()
            assert widget.accessibleName() or (parent is not None and parent.accessibleName()), widget
