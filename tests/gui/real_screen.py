"""The whole job on a real X server, with xdotool's keys and mouse only: ``python -m tests.gui.real_screen``.

Run by hand on a Linux with Xvfb, openbox and xdotool; says PASS or FAIL. The program is started as people do. What
it has done is read from its project folder, so that nothing reaches into the running program.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app.bundle.verify import verify_bundle
from app.project.decisions import load_decisions
from app.project.folder import Layout
from app.project.store import Store
from tests.factory import cr_image, ct_series, make_study, save

ROOT = Path(__file__).resolve().parents[2]
DISPLAY = ":87"
SIZE = (1280, 800)
LONGEST_S = 180


class Screen:
    """A display with a window manager, and a person in front of it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**os.environ, "DISPLAY": DISPLAY, "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
        self.environment["QT_QPA_PLATFORM"] = "xcb"
        size = f"{SIZE[0]}x{SIZE[1] + 40}x24"
        self.running = [subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", size], stderr=subprocess.DEVNULL)]
        wait_for(lambda: self._do("xdotool", "getdisplaygeometry").returncode == 0, "the X server")
        self.start("openbox")
        self.window = ""

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a program on it."""
        self.running.append(subprocess.Popen(command, env=self.environment, cwd=ROOT, stderr=subprocess.DEVNULL))
        return self.running[-1]

    def end(self) -> None:
        """End what was started, the X server last."""
        for each in reversed(self.running):
            each.terminate()
            each.wait(20)

    def _do(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def find_window(self, title: str) -> None:
        """Wait for a window with such a title, and work in it from now on."""

        def is_there() -> bool:
            found = self._do("xdotool", "search", "--onlyvisible", "--name", title).stdout.split()
            self.window = found[-1] if found else ""
            return bool(found)

        wait_for(is_there, f"a window called {title}")
        self._do("xdotool", "windowactivate", "--sync", self.window)

    def keys(self, *keys: str, pause_s: float = 0.3) -> None:
        """Press keys, by xdotool's names."""
        for key in keys:
            self._do("xdotool", "key", "--clearmodifiers", key)
            time.sleep(pause_s)

    def type(self, text: str) -> None:
        """Type a text."""
        self._do("xdotool", "type", "--clearmodifiers", "--delay", "15", text)
        time.sleep(0.3)

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with the left button, between two places of the window."""
        middle = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
        self._move(start)
        self._do("xdotool", "mousedown", "1")
        for place in (middle, end):
            self._move(place)
            time.sleep(0.2)
        self._do("xdotool", "mouseup", "1")
        time.sleep(0.5)

    def _move(self, place: tuple[int, int]) -> None:
        self._do("xdotool", "mousemove", "--window", self.window, str(place[0]), str(place[1]))

    def picture(self, path: Path) -> None:
        """What is on the screen now, for whoever looks into a failure."""
        self._do("import", "-window", "root", str(path))


def wait_for(holds: Callable[[], bool], what: str, longest_s: float = LONGEST_S) -> None:
    """Wait until something holds; AssertionError says what did not."""
    end = time.monotonic() + longest_s
    while not holds():
        assert time.monotonic() < end, f"not within {longest_s} s: {what}"
        time.sleep(0.2)


def ask(project: Path, query: str) -> int:
    """A number of the project's database, while the program works on it; 0 while there is none."""
    catalog = Layout(project).catalog
    if not catalog.exists():
        return 0
    store = Store(catalog, read_only=True)
    try:
        return int(store.execute(query).fetchone()[0] or 0)
    finally:
        store.close()


def work_through(screen: Screen, project: Path, source: Path, images: int) -> None:
    """Make a project, search, review, draw, sign, export."""
    layout = Layout(project)
    screen.start(sys.executable, "-m", "app")
    screen.find_window("Consign")
    time.sleep(3)
    screen.keys("alt+s")
    screen.type(project.name)
    screen.keys("alt+m")
    wait_for(layout.project_toml.is_file, "the project")
    time.sleep(2)

    main_window = screen.window
    screen.keys("alt+f")
    screen.find_window("Add a folder or CD")
    screen.type(str(source))
    screen.keys("Return", pause_s=1)
    screen.window = main_window
    screen.keys("ctrl+Return")
    judged = "SELECT count(*) FROM instances WHERE state IN ('prepared', 'held-back')"
    wait_for(lambda: ask(project, judged) == images, "the search")
    time.sleep(2)

    screen.keys("ctrl+4", pause_s=2)
    screen.keys("ctrl+5", pause_s=3)
    screen.keys("n", pause_s=5)
    screen.drag((520, 400), (640, 470))
    wait_for(lambda: bool(load_decisions(layout).masks), "the mask that the mouse drew", 20)
    screen.keys("shift+m", "shift+m", pause_s=4)
    wait_for(lambda: bool(load_decisions(layout).images), "the decision on the image", 20)
    screen.keys("ctrl+3", pause_s=2)
    masked = "SELECT count(*) FROM instances WHERE state = 'prepared'"
    wait_for(lambda: ask(project, masked) > 0, "the preparation with the mask")
    time.sleep(5)

    screen.keys("ctrl+6", "ctrl+6", pause_s=4)  # the second time the line for the name can be typed into
    screen.type("Ann Example")
    screen.keys("Return", pause_s=1)
    wait_for(layout.approvals.is_file, "the signature", 20)
    time.sleep(2)
    screen.keys("alt+e", pause_s=2)
    wait_for(lambda: ask(project, "SELECT count(*) FROM meta WHERE key = 'last_verification'") == 1, "the verification")
    screen.keys("ctrl+q", pause_s=3)
    report = verify_bundle([layout.export])
    assert not report.findings, report.findings
    released = sum(part.instances for part in report.parts)
    assert released == images, f"{released} of {images} images were released"


def main() -> None:
    """Print PASS, or FAIL with what did not come and a picture of the screen."""
    missing = [name for name in ("Xvfb", "openbox", "xdotool") if shutil.which(name) is None]
    if missing:
        sys.exit(f"FAIL: not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        datasets = ct_series(make_study(70), slices=4, rows=64, columns=64)
        for index, dataset in enumerate(datasets):
            save(dataset, folder / "source" / f"IM{index}")
        save(cr_image(make_study(80)), folder / "source" / "CR")
        project = folder / "Documents" / "Consign" / "CITYHOSP"
        screen = Screen(folder)
        try:
            work_through(screen, project, folder / "source", len(datasets) + 1)
        except AssertionError as error:
            picture = ROOT / "build" / "real_screen.png"
            picture.parent.mkdir(exist_ok=True)
            screen.picture(picture)
            sys.exit(f"FAIL: {error}; the screen: {picture}")
        finally:
            screen.end()
    print("PASS")


if __name__ == "__main__":
    main()
