"""Paths as Windows takes them: at any length, and with names that its parser would change."""

import errno
import ntpath
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.errors import Reason, UnreadableError
from app.files.regular import open_regular, plain_path, system_folder, system_path
from app.sources.folder import open_sources

LONG = "\\".join(["d" * 40] * 7)


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize(
    ("path", "told"),
    [
        (rf"C:\{LONG}", rf"\\?\C:\{LONG}"),
        (rf"\\server\share\{LONG}", rf"\\?\UNC\server\share\{LONG}"),
        # The parser would open IM1, and a device.
        (r"C:\in\IM1.", r"\\?\C:\in\IM1."),
        (r"C:\in\series \IM1", r"\\?\C:\in\series \IM1"),
        (r"C:\in\AUX", r"\\?\C:\in\AUX"),
        (r"\\server\share\com1.dcm", r"\\?\UNC\server\share\com1.dcm"),
        (r"C:\nul .x\IM1", r"\\?\C:\nul .x\IM1"),
    ],
)
def test_path_that_the_parser_would_change_goes_around_it(path: str, told: str) -> None:
    assert system_path(path) == told
    assert system_path(told) == told
    assert plain_path(told) == path


@pytest.mark.usefixtures("on_windows")
@pytest.mark.parametrize(
    "path",
    [r"C:\in\IM1", "D:\\", r"\\server\share", r"C:\.hidden\a b.c d", r"C:\auxiliary\CONTRAST\com10\null", "C:\\x\\"],
)
def test_other_paths_stay_as_they_are(path: str) -> None:
    assert system_path(path) == path
    assert plain_path(path) == path


@pytest.mark.usefixtures("on_windows")
def test_folder_leaves_room_for_the_names_of_our_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "abspath", ntpath.abspath)
    deep = "C:\\" + "d" * 200
    assert str(system_folder(Path(deep))) == rf"\\?\{deep}"
    assert str(system_folder(Path(r"C:\project"))) == r"C:\project"
    # What bypasses the parser must not need it.
    assert str(system_folder(Path(f"C:/{'d' * 200}/../{'e' * 200}"))) == rf"\\?\C:\{'e' * 200}"


def test_elsewhere_paths_stay_as_they_are() -> None:
    assert system_path(f"/{'d' * 300}/AUX.") == f"/{'d' * 300}/AUX."
    assert system_folder(Path("d") / ".." / "e") == Path("d") / ".." / "e"


def test_file_that_was_replaced_while_it_was_opened_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "x", tmp_path / "y"
    path.write_bytes(b"1")
    other.write_bytes(b"2")
    real = os.open

    def replace_and_open(*arguments: Any) -> int:
        if other.exists():
            other.replace(path)
        return real(*arguments)

    monkeypatch.setattr(os, "open", replace_and_open)
    with pytest.raises(UnreadableError) as caught:
        open_regular(str(path))
    assert caught.value.reason is Reason.VANISHED  # of which a scan tries again, and an export
    with open_regular(str(path)) as file:
        assert file.read() == b"2"


@pytest.mark.parametrize(("seconds_later", "is_read"), [(0, True), (1, False)])
def test_share_that_numbers_a_file_anew_each_time_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds_later: int, *, is_read: bool
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1")
    real = os.fstat

    def fstat(descriptor: int) -> Any:
        status = real(descriptor)
        later = status.st_mtime_ns + seconds_later * 10**9
        return SimpleNamespace(
            st_mode=status.st_mode, st_size=status.st_size, st_mtime_ns=later, st_ino=status.st_ino + 1, st_dev=0
        )

    with monkeypatch.context() as patched:
        patched.setattr(sys, "platform", "win32")
        patched.setattr(os, "fstat", fstat)
        if is_read:
            open_regular(str(path)).close()
        else:
            with pytest.raises(UnreadableError, match="vanished"):
                open_regular(str(path))


def test_drive_that_tells_no_final_path_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"1")
    real = os.path.realpath

    def realpath(path: Any, *, strict: bool = False) -> Any:
        # ntpath: GetFinalPathNameByHandle gives ERROR_INVALID_FUNCTION, which only the strict form minds.
        if strict:
            raise OSError(errno.EINVAL, "Incorrect function")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(os.path, "realpath", realpath)
        (source,) = open_sources([tmp_path], tmp_path / "project")
    assert [Path(entry.original_path).name for entry in source.walk()] == ["x"]
