"""Pictures of every page, taken from the real application at work on the demo: ``make screenshots``.

Each state (empty, working, with problems, done) is taken at 1280x800 and 1920x1080, light and dark, and each page and
the help in each language at 1280x800, once to be reviewed and once finished, into ``build/screenshots``.

``make screenshots FOLDER=/home/ann/Consign`` also renews the pictures of the README and of the help in every language:
the demo then lies in that folder, whose name the pictures show. It is made for it and removed at the end.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pydicom
from PIL import Image
from pydicom.uid import generate_uid
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTableView

from app.gui.appearance import apply_language
from app.gui.help import HelpWindow
from app.gui.pages.find import FindPage
from app.gui.pages.images import ImagesPage
from app.gui.preferences import Preferences
from app.gui.window import Window
from app.jobs.executors import SerialExecutor
from app.logs import quieten_libraries
from app.pipeline.demo import make_demo
from app.pipeline.progress import Step
from app.pipeline.run import run_all
from app.project.folder import Project, create_project
from app.text.i18n import LANGUAGES
from tests.gui.driving import Person, application, use_scheme, wait_until

ROOT = Path(__file__).resolve().parents[2]
TO = ROOT / "build" / "screenshots"
HELP = ROOT / "resources" / "help"
# In the help in each language: the page, and whether its demo is to be reviewed, has more people, or is done.
STEPS = {
    "step-find": "open-2-find",
    "step-deidentify": "open-3-deidentify",
    "step-values": "more-4-values",
    "step-images": "open-5-images",
    "step-signoff": "done-6-signoff",
}
# Five more people: of whom the study and the protocol have a name that nobody else's has, somebody looks twice.
MORE_PEOPLE = (
    ("Abendroth^Ilse", "CT Thorax", "Thorax routine"),
    ("Brandhuber^Karl", "CT Thorax", "Thorax low dose"),
    ("Castellani^Rosa", "CT Thorax", "Thorax routine"),
    ("Demirkan^Selma", "CT Thorax and abdomen", "Thorax abdomen contrast"),
    ("Eriksen^Jonas", "CT Thorax", "Thorax routine"),
)
STEP_WIDTH = 560  # the window of the help is narrower
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


def main(demo_folder: Path | None = None) -> None:
    """Work through the demo; in a folder that pictures may show, renew those of the README and the help as well."""
    quieten_libraries()
    QApplication(sys.argv[:1])
    shutil.rmtree(TO, ignore_errors=True)
    TO.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        demo = demo_folder or Path(folder, "Consign")
        demo.mkdir(parents=True)  # not one that somebody has: it is removed
        try:
            work_through(demo, Path(folder))
        finally:
            shutil.rmtree(demo)
        if demo_folder is not None:
            publish()
        shoot_help(Path(folder))


def work_through(folder: Path, preferences: Path) -> None:
    """The whole job in ``folder``, with a picture of each state; ``preferences`` is a folder, too."""
    use_scheme(dark=False)
    window = Window(speak("en", preferences))
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
    window.close_project()
    shoot_languages(project, preferences, "open")
    shoot_values(project, source, preferences)
    window.activateWindow()  # keys go to the one that is active
    window.open_project(project)
    wait_until(lambda: window.page_name != "start", "the project")
    person.settle()
    person.go(4)
    person.settle()
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
    window.close()
    shoot_languages(project, preferences, "done")


def shoot_languages(project: Path, preferences: Path, state: str) -> None:
    """Every page of the demo in each language, at the smallest size."""
    for language in LANGUAGES:
        window = Window(speak(language, preferences))
        window.resize(*SIZES[0])
        window.show()
        QTest.qWait(300)
        window.grab().save(str(TO / f"{language}-{state}-0-start.png"))
        window.open_project(project)
        wait_until(lambda: window.page_name != "start", "the project")  # noqa: B023 - waits here
        shoot_steps(Photographer(window), f"{language}-{state}")
        window.close()
        print(f"{language}-{state}", flush=True)
    speak("en", preferences)


def shoot_values(project: Path, source: Path, preferences: Path) -> None:
    """The page of the values in each language, of a copy of the demo in which some of them are suspicious.

    They are where five people or more leave something: of the demo's four most images wait to be looked at.
    """
    folder = preferences / "more"
    copied = shutil.copytree(project, folder / project.name)
    write_more_people(source / "P1" / "CT", folder / "PACS export")
    with Project(copied) as opened:
        list(run_all(opened, [folder / "PACS export"], None, SerialExecutor()))
    for language in LANGUAGES:
        window = Window(speak(language, preferences))
        window.resize(*SIZES[0])
        window.show()
        window.open_project(copied)
        wait_until(lambda: window.page_name != "start", "the project")  # noqa: B023 - waits here
        person = Photographer(window)
        person.go(list(Step).index(Step.VALUES) + 1)
        person.settle()
        QTest.qWait(350)
        window.grab().save(str(TO / f"{language}-more-4-values.png"))
        window.close()
    speak("en", preferences)
    shutil.rmtree(folder)


def write_more_people(series: Path, to: Path) -> None:
    """Three slices of a series of the demo for each of ``MORE_PEOPLE``."""
    for number, (name, study, protocol) in enumerate(MORE_PEOPLE):
        for file in sorted(series.iterdir())[:3]:
            dataset = pydicom.dcmread(file)
            dataset.PatientName, dataset.PatientID, dataset.AccessionNumber = name, f"N55190{number}", f"A55190{number}"
            dataset.StudyDescription, dataset.ProtocolName = study, protocol
            dataset.PatientComments = ""  # her story is one person's
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"):
                dataset[keyword].value = generate_uid(entropy_srcs=[dataset[keyword].value, name])
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            path = to / f"N{number}" / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            dataset.save_as(path)


def speak(language: str, folder: Path) -> Preferences:
    """Let the application appear in a language, whatever that of this machine is; what it keeps lies in ``folder``."""
    preferences = Preferences(folder / f"{language}.ini")
    preferences.language = language
    apply_language(application(), preferences)
    return preferences


def shoot_steps(person: Photographer, name: str) -> None:
    """Each step as it opens, for the images the first that a person has to look at."""
    for number, step in enumerate(Step, start=1):
        person.go(number)
        person.settle()
        page = person.page
        if isinstance(page, FindPage):
            wait_until(lambda: not page.inventory._timer.isActive(), "the charts")  # noqa: B023 - waits here
        if isinstance(page, ImagesPage):
            QTest.qWait(1500)  # thumbnails
            page.open_next()
            wait_until(lambda: not page.viewer.is_waiting, "the picture")  # noqa: B023 - waits here
            person.settle()
        QTest.qWait(1500 if step is Step.IMAGES else 350)
        person.window.grab().save(str(TO / f"{name}-{number}-{step.value}.png"))


def shoot_help(preferences: Path) -> None:
    """The page of the help that has pictures, in each language, part by part."""
    for language in LANGUAGES:
        window = Window(speak(language, preferences))
        window.show_help("first_steps")
        shown = window.findChild(HelpWindow)
        assert shown is not None
        shown.resize(*SIZES[0])
        QTest.qWait(350)
        bar = shown.text.verticalScrollBar()
        for part, top in enumerate(range(0, bar.maximum() + bar.pageStep(), bar.pageStep())):
            bar.setValue(top)
            shown.grab().save(str(TO / f"{language}-help-{part}.png"))
        shown.close()
        window.close()
    speak("en", preferences)


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
    save_small(TO / "5-images-viewer-1280x800-light.png", HELP / "pictures" / "images.png", SIZES[0][0])
    for language in LANGUAGES:
        pictures = HELP / ("" if language == "en" else language) / "pictures"
        pictures.mkdir(exist_ok=True)
        for name, taken in STEPS.items():
            save_small(TO / f"{language}-{taken}.png", pictures / f"{name}.png", STEP_WIDTH)


def save_small(taken: Path, file: Path, width_px: int) -> None:
    """A picture in 256 colours, scaled to a width."""
    with Image.open(taken) as picture:
        size = (width_px, round(picture.height * width_px / picture.width))
        small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        small.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1).save(file, optimize=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
