"""Pictures of every page, taken from the real application at work on the demo: ``make screenshots``.

Each state (empty, working, with problems, done) is taken at 1280x800 and 1920x1080, light and dark, and at the end each
page in each language at 1280x800, into ``build/screenshots``. The one that the README shows is copied into
``resources/help/pictures``.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTableView

from app.gui.help import HelpWindow
from app.gui.pages.images import ImagesPage
from app.gui.preferences import Preferences
from app.gui.text import use_language
from app.gui.window import Window
from app.logs import quieten_libraries
from app.pipeline.demo import make_demo
from app.pipeline.progress import Step
from app.project.folder import create_project
from app.text.i18n import LANGUAGES
from tests.gui.driving import Person, use_scheme, wait_until

ROOT = Path(__file__).resolve().parents[2]
TO = ROOT / "build" / "screenshots"
BEST = {"5-images-viewer": "images"}  # in the README
SMALL = {  # in the help, whose window is narrower
    "2-find-done": "step-find",
    "3-deidentify-done": "step-deidentify",
    "4-values-open": "step-values",
    "5-images-viewer": "step-images",
    "6-signoff-done": "step-signoff",
}
SMALL_WIDTH = 560
SIZES = ((1280, 800), (1920, 1080))
DETECTION_MS = 600_000


class Photographer(Person):
    """Somebody who takes pictures while working."""

    def shoot(self, name: str, *, at_work: bool = False) -> None:
        """A picture of what is shown in each size and scheme; what is at work does not wait for it."""
        for width, height in SIZES:
            for dark in (True, False):
                use_scheme(dark=dark)
                self.window.resize(width, height)
                self.page.refresh()  # as the window does in another scheme
                QTest.qWait(30 if at_work else 350)
                scheme = "dark" if dark else "light"
                self.window.grab().save(str(TO / f"{name}-{width}x{height}-{scheme}.png"))
        self.window.resize(*SIZES[0])
        print(name, flush=True)

    def shoot_work(self, name: str) -> None:
        """A picture while a job runs, once it tells how far it is."""
        wait_until(lambda: bool(self.window.strip._detail.text()) or not self.window.session.is_busy, "a running job")
        self.shoot(name, at_work=True)


def main() -> None:
    """Work through the demo."""
    quieten_libraries()
    QApplication(sys.argv[:1])
    shutil.rmtree(TO, ignore_errors=True)
    TO.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        work_through(Path(folder))
    publish()


def work_through(folder: Path) -> None:
    """The whole job, with a picture of each state."""
    use_scheme(dark=False)
    window = Window(Preferences(folder / "preferences.ini"))
    window.show()
    person = Photographer(window)
    person.shoot("0-start-empty")
    wrong = folder / "protocol.toml"
    wrong.write_text('id = "trial"\ntitle = "A trial"\ncontact = "x"\n[selektion]\nwhere = "x"\n', encoding="utf-8")
    person.drop(wrong)
    person.shoot("0-start-problem")
    window.start_page.problems.clear()

    create_project(folder / "cityhosp", "CITYHOSP", None)
    window.open_project(folder / "cityhosp")
    wait_until(lambda: window.page_name == "find", "the page Find")
    person.settle()
    for step, name in enumerate(("1-protocol", "2-find", "3-deidentify", "4-values", "5-images", "6-signoff"), start=1):
        person.go(step)
        person.settle()
        person.shoot(f"{name}-empty")
    window.close_project()
    person.shoot("0-start-recent")

    project, source = make_demo(folder)
    window.open_project(project)
    wait_until(lambda: window.session.project is not None, "the demo")
    person.settle()
    person.drop(source)
    person.settle()
    person.shoot("2-find-ready")
    person.press("Search")
    person.shoot_work("2-find-working")
    person.go(3)
    person.shoot_work("3-deidentify-working")
    person.go(5)
    person.shoot_work("5-images-working")
    wait_until(lambda: not window.session.is_busy, "the search", DETECTION_MS)
    person.go(2)
    person.settle()
    person.shoot("2-find-done")
    person.press("Not usable")
    person.settle()
    person.shoot("2-find-problems")
    person.press("All")
    person.go(1)
    person.settle()
    person.shoot("1-protocol-done")
    person.go(3)
    person.settle()
    person.shoot("3-deidentify-done")
    person.go(4)
    person.settle()
    person.shoot("4-values-open")
    table = person.find(QTableView, "Values")
    person.keys(table, Qt.Key.Key_K, Qt.Key.Key_D, Qt.Key.Key_K)
    person.settle()
    person.shoot("4-values-decided")
    review_images(person)
    person.go(3)
    wait_until(lambda: not window.session.is_busy, "the preparation")
    person.settle()
    wait_until(lambda: not window.session.is_busy, "the preparation", DETECTION_MS)
    sign_and_export(person)
    person.window.show_help()
    shown = window.findChild(HelpWindow)
    assert shown is not None
    QTest.qWait(200)
    shown.grab().save(str(TO / "7-help.png"))
    shown.close()
    window.close()
    for language in LANGUAGES:
        shoot_language(folder, project, language)


def shoot_language(folder: Path, project: Path, language: str) -> None:
    """Every page of the finished demo in a language, at the smallest size."""
    use_language(language)
    QLocale.setDefault(QLocale(language))
    window = Window(Preferences(folder / f"{language}.ini"))
    window.resize(*SIZES[0])
    window.show()
    person = Photographer(window)
    QTest.qWait(300)
    window.grab().save(str(TO / f"language-{language}-0-start.png"))
    window.open_project(project)
    wait_until(lambda: window.page_name != "start", "the project")
    for number, step in enumerate(Step, start=1):
        person.go(number)
        person.settle()
        QTest.qWait(1500 if step is Step.IMAGES else 350)
        window.grab().save(str(TO / f"language-{language}-{number}-{step.value}.png"))
    window.close()
    use_language("en")
    print(language, flush=True)


def review_images(person: Photographer) -> None:
    """Look through the images, each with its state."""
    window = person.window
    person.go(5)
    person.settle()
    QTest.qWait(3000)  # thumbnails
    person.shoot("5-images-sheet")
    page = window.pages["images"]
    assert isinstance(page, ImagesPage)
    for number, key in enumerate((Qt.Key.Key_M, Qt.Key.Key_M, Qt.Key.Key_M, Qt.Key.Key_A)):
        page.open_next()
        wait_until(lambda: not page.viewer.is_waiting, "the picture")
        person.settle()
        QTest.qWait(1500)
        person.shoot(f"5-images-viewer{number or ''}")
        if number == 0:
            QTest.keyClick(page.viewer.view, Qt.Key.Key_V)
            QTest.qWait(1500)
            person.shoot("5-images-as-it-leaves")
            QTest.keyClick(page.viewer.view, Qt.Key.Key_V)
            QTest.qWait(500)
        QTest.keyClick(page.viewer.view, key, Qt.KeyboardModifier.ShiftModifier)
        person.settle()
        QTest.qWait(800)
    page.show_sheet()
    person.settle()
    QTest.qWait(1500)
    person.shoot("5-images-done")


def sign_and_export(person: Photographer) -> None:
    """Sign, and hand over."""
    window = person.window
    person.go(6)
    person.settle()
    person.shoot("6-signoff-open")
    person.type(QLineEdit, "Your full name", "Ann Example")
    person.press("Sign")
    person.settle()
    person.shoot("6-signoff-signed")
    person.press("Export")
    person.shoot_work("6-signoff-working")
    wait_until(lambda: not window.session.is_busy, "the export", DETECTION_MS)
    person.settle()
    person.shoot("6-signoff-done")


def publish() -> None:
    """Copy what the README and the help show to where they show it from."""
    pictures = ROOT / "resources" / "help" / "pictures"
    pictures.mkdir(exist_ok=True)
    for names, width in ((BEST, SIZES[0][0]), (SMALL, SMALL_WIDTH)):
        for name, short in names.items():
            with Image.open(TO / f"{name}-1280x800-light.png") as picture:
                size = (width, round(picture.height * width / picture.width))
                small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
                small.quantize(256, Image.Quantize.MAXCOVERAGE).save(pictures / f"{short}.png", optimize=True)


if __name__ == "__main__":
    main()
