"""What is written of a defect helps whoever mends it, and tells nothing of a patient."""

from pathlib import Path
from typing import Any

from app.gui.crash_report import write_crash_report
from app.project.folder import Project

CANARY = "ZZCANARYdoe"


def defect(folder: Path) -> BaseException:
    original_name = CANARY
    try:
        try:
            raise ValueError(f"cannot parse {original_name}")
        except ValueError as error:
            raise KeyError(original_name) from error
    except KeyError as error:
        return error


def test_report_names_kinds_and_places(tmp_path: Path) -> None:
    path = write_crash_report(defect(tmp_path), tmp_path / "new" / "defects")
    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert "builtins.KeyError" in text
    assert "builtins.ValueError" in text
    assert "test_crash_report.py:" in text
    assert "defect" in text


def test_report_holds_no_text_of_an_exception_and_no_path_of_a_person(tmp_path: Path) -> None:
    try:
        Project(tmp_path / CANARY)
    except Exception as error:  # noqa: BLE001 - whatever it is
        path = write_crash_report(error, tmp_path)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert "app/project/folder.py:" in text
    for other in (defect(tmp_path), OSError(2, "no such file", f"/home/{CANARY}/x")):
        path = write_crash_report(other, tmp_path)
        assert path is not None
        text += path.read_text(encoding="utf-8")
    assert CANARY not in text
    assert str(tmp_path) not in text


def test_a_folder_of_a_person_that_is_called_app_is_not_told(tmp_path: Path) -> None:
    place = tmp_path / "app" / CANARY / "other.py"
    place.parent.mkdir(parents=True)
    place.write_text("def fail(): raise ValueError", encoding="ascii")
    names: dict[str, Any] = {}
    exec(compile(place.read_text(encoding="ascii"), str(place), "exec"), names)
    try:
        names["fail"]()
    except ValueError as error:
        path = write_crash_report(error, tmp_path)
    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert "  other.py:1 fail" in text
    assert CANARY not in text


def test_old_reports_make_room(tmp_path: Path) -> None:
    for _ in range(25):
        write_crash_report(ValueError(), tmp_path)
    assert len(list(tmp_path.iterdir())) == 20


def test_a_folder_that_cannot_be_made_is_no_second_defect(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert write_crash_report(ValueError(), tmp_path / "file" / "defects") is None
