"""What the command line writes is whole in every code page."""

import io
import json
import sys

import pytest

from app.cli.console import Console


@pytest.mark.parametrize("code_page", ["cp1252", "cp850", "cp437"])
def test_json_is_json_in_every_code_page(monkeypatch: pytest.MonkeyPatch, code_page: str) -> None:
    # As main() sets stdout; a backslash escape of Python's is not one of JSON's.
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=code_page, errors="backslashreplace"))
    path = "C:\\Büro ¤ 木 😀\\project"
    Console(json_output=True).result({"project": path}, "")
    sys.stdout.flush()
    assert json.loads(raw.getvalue().decode(code_page)) == {"project": path}
