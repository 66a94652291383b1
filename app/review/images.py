"""The images of a project by series, as people go through them: what was found, what is decided, what waits.

They travel as a CSV too, for people who decide in a spreadsheet.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.files.locator import Locator
from app.project.cells import cell_of_text
from app.project.decisions import (
    Decisions,
    DecisionsRefusedError,
    ImageDecision,
    RefusedRowError,
    RowProblem,
    load_decisions,
    parse_image_entry,
)
from app.project.folder import Project
from app.project.images import CheckedImage, CheckedSeries, ImagePlanner, ImageState
from app.project.risks import Risk
from app.review.tables import read_table, write_table

COLUMNS = (
    "kind", "uid", "series_uid", "instances", "instance_number", "modality", "sop_class_uid", "state", "reason",
    "risk", "found", "possible", "file", "seen", "decision", "note",
)  # fmt: skip
_REQUIRED = ("uid", "decision")


@dataclass(frozen=True, slots=True)
class SeriesCard:
    """A series on the contact sheet.

    ``states`` counts its images; ``risk`` is the one of most of its images that have one;
    ``found`` and ``possible`` count regions that are certain and those that are not.
    """

    series_id: int
    original_series_uid: str
    original_patient: str = field(repr=False)
    modality: str
    original_description: str = field(repr=False)
    images: int
    states: Mapping[ImageState, int]
    risk: Risk
    found: int
    possible: int
    example_instance_id: int

    @property
    def waiting(self) -> int:
        """How many of its images wait for a person."""
        return sum(count for state, count in self.states.items() if state.waits)

    @property
    def sort_key(self) -> tuple[bool, bool, int, bool, str, int]:
        """Certain text first, then what waits, then by how likely text is in the kind, then text that is possible."""
        return (
            not self.states[ImageState.TEXT_FOUND],
            not self.waiting,
            self.risk.rank,
            not self.possible,
            self.original_series_uid,
            self.series_id,
        )


def list_series(project: Project, planned: Iterable[CheckedSeries] | None = None) -> list[SeriesCard]:
    """All series with selected images, riskiest first; the same facts and decisions give the same list.

    ``planned`` are all series of the project, planned here where they are not given.
    """
    names = _names(project)
    cards = [_card(one, names) for one in (ImagePlanner(project).all_series() if planned is None else planned)]
    return sorted(cards, key=lambda card: card.sort_key)


def list_images(project: Project, series_id: int, *, decisions: Decisions | None = None) -> CheckedSeries | None:
    """The images of one series in the order of their numbers, each with what was found and what becomes of it."""
    return ImagePlanner(project, decisions=decisions).series(series_id)


_Names = Mapping[int, tuple[str, str, str]]


def _names(project: Project) -> _Names:
    """Patient key, modality and description of each series with selected instances."""
    rows = project.store.execute(
        "SELECT s.id, p.original_key, a.original_attributes FROM (SELECT series_id, MIN(attribute_set_id) AS first "
        "FROM instances WHERE selected = 1 GROUP BY series_id) AS x JOIN series s ON s.id = x.series_id "
        "JOIN patients p ON p.id = s.patient_id JOIN attribute_sets a ON a.id = x.first"
    )
    names = {}
    for row in rows:
        attributes = json.loads(row["original_attributes"])
        texts = (str(attributes.get(keyword, "")) for keyword in ("Modality", "SeriesDescription"))
        names[row["id"]] = (row["original_key"], *texts)
    return names


def _card(series: CheckedSeries, names: _Names) -> SeriesCard:
    patient, modality, description = names.get(series.series_id, ("", "", ""))
    states = Counter(image.plan.state for image in series.images)
    risks = Counter(image.risk for image in series.images)
    strong = [region.is_strong for image in series.images for region in image.regions]
    riskiest = min(series.images, key=lambda image: (not image.plan.state.waits, not image.regions))
    return SeriesCard(
        series_id=series.series_id,
        original_series_uid=series.original_series_uid,
        original_patient=patient,
        modality=modality,
        original_description=description,
        images=len(series.images),
        states={state: states[state] for state in ImageState},
        risk=max(risks, key=lambda risk: (risk is not Risk.NONE, risks[risk], -risk.rank)),
        found=sum(strong),
        possible=len(strong) - sum(strong),
        example_instance_id=riskiest.instance_id,
    )


# the CSV ----------------------------------------------------------------------


def write_images_csv(series: Sequence[CheckedSeries], names: _Names, decisions: Decisions, path: Path) -> None:
    """One row a series, followed by one row for each of its images; raises UsageError("csv-not-written").

    The file holds paths of the source and text that was read in the images: it is for the site only.
    """
    write_table(path, COLUMNS, _rows(series, names, decisions))


def write_images(project: Project, path: Path) -> list[SeriesCard]:
    """Write the images for people, riskiest series first, and return the series."""
    decisions = load_decisions(project.layout)
    names = _names(project)
    found = list(ImagePlanner(project, decisions=decisions).all_series())
    cards = sorted((_card(one, names) for one in found), key=lambda card: card.sort_key)
    by_id = {one.series_id: one for one in found}
    write_images_csv([by_id[card.series_id] for card in cards], names, decisions, path)
    return cards


def _rows(series: Sequence[CheckedSeries], names: _Names, decisions: Decisions) -> Iterator[tuple[str | int, ...]]:
    for one in series:
        uid = cell_of_text(one.original_series_uid)
        modality = cell_of_text(names.get(one.series_id, ("", "", ""))[1])
        decided = _decided(one.original_series_uid, decisions)
        blank = ("",) * 6
        yield "series", uid, uid, len(one.images), "", modality, *blank, "", one.seen_digest, *decided
        for image in one.images:
            yield _image_row(image, uid, modality, decisions)


def _image_row(image: CheckedImage, series_uid: str, modality: str, decisions: Decisions) -> tuple[str | int, ...]:
    location = Locator.from_text(image.original_locator)
    texts = [[region.original_text or "?" for region in image.regions if region.is_strong is s] for s in (True, False)]
    return (
        "instance",
        cell_of_text(image.original_sop_instance_uid),
        series_uid,
        1,
        "" if image.instance_number is None else image.instance_number,
        modality,
        cell_of_text(image.sop_class_uid),
        image.plan.state,
        image.plan.reason or "",
        image.risk,
        *(cell_of_text(" | ".join(found)) for found in texts),
        cell_of_text(" > ".join((location.original_path, *location.original_members))),
        image.seen_digest,
        *_decided(image.original_sop_instance_uid, decisions),
    )


def _decided(uid: str, decisions: Decisions) -> tuple[str, str]:
    decision = decisions.images.get(uid)
    return (decision.action, cell_of_text(decision.note)) if decision else ("", "")


def read_image_decisions(project: Project, path: Path) -> dict[str, ImageDecision | None]:
    """Decisions by original SOP or Series Instance UID, None where the cell is blank.

    A row without the column ``seen`` decides on what is found now; one with another ``seen`` than that was written
    before something else was found, and is refused.

    Raises UsageError where the file is no such table, DecisionsRefusedError with every row that is not
    understood, is outdated, or names no image of this project.
    """
    found: dict[str, ImageDecision | None] = {}
    problems: list[RowProblem] = []
    seen = _seen_digests(project)
    for row in read_table(path, _REQUIRED):
        try:
            uid, decision = parse_image_entry(row.cells)
            if uid not in seen:
                raise RefusedRowError("image-not-in-project")
            if decision is not None:
                if decision.seen not in ("", seen[uid]):
                    raise RefusedRowError("image-found-differs")
                decision = replace(decision, seen=seen[uid])
            if found.get(uid, decision) != decision:
                raise RefusedRowError("row-contradicts-another")
            found[uid] = decision
        except RefusedRowError as error:
            problems.append(RowProblem(row.line, error.code))
    if problems:
        raise DecisionsRefusedError(problems)
    return found


def _seen_digests(project: Project) -> dict[str, str]:
    """What a decision carries, for everything of the project that one may be about; blank where nothing was found."""
    known = {
        uid: ""
        for sql in ("SELECT original_sop_instance_uid FROM instances", "SELECT original_series_uid FROM series")
        for (uid,) in project.store.execute(sql)
    }
    for series in ImagePlanner(project).all_series():
        known[series.original_series_uid] = series.seen_digest
        known.update((image.original_sop_instance_uid, image.seen_digest) for image in series.images)
    return known
