"""What the checks say of the series that are chosen, as sentences."""

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.gui.checklist import counted
from app.gui.models.series_tree import check_sentences, severity_sign
from app.gui.text import named, tr
from app.gui.widgets.parts import quiet, text_label
from app.protocol.checks import CheckName, Severity
from app.selection.tree import SeriesRow
from app.text.check_words import BODY_PARTS, CHECK_NAMES, PHASES

_MOST_CHECKS = 5


class CheckPanel(QWidget):
    """One series: what it shows and each finding; several: how many have which finding."""

    def __init__(self) -> None:
        super().__init__()
        self.shows = quiet(text_label())
        self.findings = text_label()
        for label in (self.shows, self.findings):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.shows)
        column.addWidget(self.findings)

    def show_series(self, rows: Sequence[SeriesRow]) -> None:
        """Show what is known of some series."""
        shows = _shows(rows[0]) if len(rows) == 1 else ""
        findings = check_sentences(rows[0]) if len(rows) == 1 else _summary(rows)
        for label, text in ((self.shows, shows), (self.findings, "\n".join(findings))):
            label.setText(text)
            label.setVisible(bool(text))
        self.setVisible(bool(shows or findings))


def _shows(row: SeriesRow) -> str:
    """The body parts and the phase that all evidence together speaks for."""
    if row.checked is None:
        return ""
    checked = row.checked
    told = []
    if checked.body_parts:
        parts = ", ".join(tr(BODY_PARTS[part]) for part in checked.body_parts)
        told.append(tr("{what} ({percent} % sure)", what=parts, percent=round(checked.body_part_confidence * 100)))
    if checked.phase is not None:
        phase = tr(PHASES[checked.phase])
        told.append(tr("{what} ({percent} % sure)", what=phase, percent=round(checked.phase_confidence * 100)))
    return tr("By all that its header says: {what}.", what="; ".join(told)) if told else ""


def _summary(rows: Sequence[SeriesRow]) -> list[str]:
    counts: Counter[tuple[Severity, CheckName]] = Counter()
    for row in rows:
        findings = () if row.checked is None else row.checked.findings
        counts.update({(finding.severity, finding.check) for finding in findings})
    return [
        named(f"{severity_sign(severity)} {tr(CHECK_NAMES[check])}", counted(count, "{count} series", "{count} series"))
        for (severity, check), count in counts.most_common(_MOST_CHECKS)
    ]
