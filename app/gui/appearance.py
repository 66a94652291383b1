"""How the whole application appears: language, light or dark, size of texts."""

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication

from app.gui.preferences import Preferences, Scheme
from app.gui.text import use_language
from app.gui.theme import apply_theme
from app.text.i18n import language_of

_BASE_SIZE = "base_point_size"  # of the system's font, kept as a property of the application


def apply_appearance(application: QApplication, preferences: Preferences) -> None:
    """Let the application appear as a person set it; a window that is there already keeps its language."""
    apply_language(application, preferences)
    _apply_text_size(application, preferences.text_percent)
    apply_scheme(application, preferences)


def apply_scheme(application: QApplication, preferences: Preferences) -> None:
    """Light or dark alone."""
    match preferences.scheme:
        case Scheme.SYSTEM:
            is_dark = application.styleHints().colorScheme() is Qt.ColorScheme.Dark
        case scheme:
            is_dark = scheme is Scheme.DARK
    apply_theme(application, dark=is_dark)


def apply_language(application: QApplication, preferences: Preferences) -> None:
    """Texts, Qt's own ones among them, and numbers in the language that was set, or the system's."""
    language = preferences.language or language_of(QLocale.system().name())
    use_language(language)
    system = QLocale.system()
    # The system's own ways with numbers and dates, where they are of this language: Swiss German, for example.
    QLocale.setDefault(system if language_of(system.name()) == language else QLocale(language))
    for old in application.findChildren(QTranslator):
        application.removeTranslator(old)
        old.deleteLater()
    translator = QTranslator(application)
    if translator.load(f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        application.installTranslator(translator)


def _apply_text_size(application: QApplication, percent: int) -> None:
    font = QFont(application.font())
    if application.property(_BASE_SIZE) is None:
        application.setProperty(_BASE_SIZE, font.pointSizeF())
    base = float(application.property(_BASE_SIZE))
    if base > 0:  # a font in pixels has none
        font.setPointSizeF(base * percent / 100)
        application.setFont(font)
