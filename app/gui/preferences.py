"""What the window remembers between two starts: recent projects, its size, and what a person set."""

from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from app.project.folder import is_project

MOST_RECENT = 8
TEXT_PERCENTS = (100, 125, 150, 175, 200)


class Scheme(StrEnum):
    """Light or dark."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Preferences:
    """Kept by the system, or in a file of its own (tests). Paths only: nothing of a patient."""

    def __init__(self, file: Path | None = None) -> None:
        if file is None:
            self._settings = QSettings("Consign", "Consign")
        else:
            self._settings = QSettings(str(file), QSettings.Format.IniFormat)

    @property
    def recent(self) -> list[Path]:
        """Projects that were opened, the last one first; without those that are gone."""
        return [path for path in self._stored if is_project(path)]

    @property
    def _stored(self) -> list[Path]:
        """Those that are gone, too: a share that is away comes back."""
        stored = self._settings.value("recent")
        names = stored if isinstance(stored, list) else [stored] if stored else []  # a list of one comes back as itself
        return [Path(str(name)) for name in names]

    def remember(self, root: Path) -> None:
        """Put a project first."""
        roots = [root, *(path for path in self._stored if path != root)]
        self._settings.setValue("recent", [str(path) for path in roots[:MOST_RECENT]])
        self._settings.setValue("last", str(root))

    def forget_last(self) -> None:
        """Start with the start page the next time."""
        self._settings.remove("last")

    @property
    def last(self) -> Path | None:
        """The project that was open when the program ended."""
        name = self._settings.value("last")
        path = Path(str(name)) if name else None
        return path if path is not None and is_project(path) else None

    # what a person set ----------------------------------------------------------

    @property
    def language(self) -> str:
        """A language of ``i18n.LANGUAGES``; empty for the system's."""
        return str(self._settings.value("language") or "")

    @language.setter
    def language(self, language: str) -> None:
        self._settings.setValue("language", language)

    @property
    def scheme(self) -> Scheme:
        """Light, dark, or as the system."""
        stored = str(self._settings.value("scheme") or "")
        return Scheme(stored) if stored in {*Scheme} else Scheme.SYSTEM

    @scheme.setter
    def scheme(self, scheme: Scheme) -> None:
        self._settings.setValue("scheme", scheme.value)

    @property
    def text_percent(self) -> int:
        """The size of texts, relative to the system's: one of ``TEXT_PERCENTS``."""
        stored = str(self._settings.value("text_percent") or "")
        return int(stored) if stored in map(str, TEXT_PERCENTS) else TEXT_PERCENTS[0]

    @text_percent.setter
    def text_percent(self, percent: int) -> None:
        self._settings.setValue("text_percent", percent)

    @property
    def workers(self) -> str:
        """How many processes work at a time: a number, or ``auto``."""
        stored = str(self._settings.value("workers") or "")
        return stored if stored.isdecimal() and int(stored) > 0 else "auto"

    @workers.setter
    def workers(self, workers: str) -> None:
        self._settings.setValue("workers", workers)

    # the window -----------------------------------------------------------------

    @property
    def geometry(self) -> QByteArray | None:
        """Where the window was."""
        stored = self._settings.value("geometry")
        return stored if isinstance(stored, QByteArray) else None

    def keep_geometry(self, geometry: QByteArray) -> None:
        """Remember where the window is."""
        self._settings.setValue("geometry", geometry)
