"""A defect of the program shows where it is, and nothing of what was being worked on."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main


def test_text_of_an_unexpected_exception_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("ZZCANARY^JANE")

    monkeypatch.setattr(main, "create_project", fail)
    result = CliRunner().invoke(main.cli, ["new", str(tmp_path / "project"), "--site", "A"])
    assert result.exit_code == 1
    assert "ZZCANARY" not in result.output
    assert "ValueError" in result.output
