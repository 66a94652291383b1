"""What becomes of each image: from what was found in its pixels, what people decided, and what the protocol allows.

``plan_series`` is the one place that says whether an image may leave and what is covered on it; the export obeys, the
window and the command line show. Whatever is missing, stale or failed keeps the image here.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.dicom.sopclasses import shows_pictures
from app.errors import Reason
from app.pixels.boxes import Box
from app.pixels.edits import PixelEdit
from app.project.dataset import FindingKind, load_findings
from app.project.decisions import Decisions, ImageAction, ImageDecision, load_decisions
from app.project.defacings import edited_images, load_edits
from app.project.folder import Project
from app.project.masks import Mask, MaskScope
from app.project.risks import Risk
from app.project.store import Store
from app.protocol.images import Images, MustSee

# The key in the table meta under which *detect* leaves what it looks with: labels, versions, settings.
DETECTION_SIGNATURE = "detection_signature"
_SEEN_DIGITS = 15


class ImageState(StrEnum):
    """Where an image stands; the first four wait for somebody."""

    UNCHECKED = "unchecked"  # not looked through: not yet, not in this version of the file, or it failed
    TEXT_FOUND = "text-found"
    MUST_BE_SEEN = "must-be-seen"  # text is usual in its kind, a detector was unsure, or the protocol wants it
    EXCLUDED = "excluded"
    MASKED = "masked"
    SEEN = "seen"
    CLEAR = "clear"  # looked through, nothing found, and nothing speaks against it

    @property
    def leaves(self) -> bool:
        """Whether an image in this state may be released, as far as its pixels go."""
        return self in _LEAVE

    @property
    def waits(self) -> bool:
        """Whether a person's decision would change something."""
        return self in (ImageState.TEXT_FOUND, ImageState.MUST_BE_SEEN)


_LEAVE = frozenset((ImageState.MASKED, ImageState.SEEN, ImageState.CLEAR))


@dataclass(frozen=True, slots=True)
class Region:
    """Text that was found, or is known to stand there; ``engine`` is a detector's label or a table's.

    ``is_strong``: certain enough to be covered without a person; the others are for a person's eyes.
    """

    box: Box
    engine: str
    confidence: float
    is_strong: bool
    original_text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """What becomes of the pixels of one instance. Picklable; part of what *prepare* and *export* depend on.

    ``reason`` is why it stays (errors.Reason), None where it leaves. ``boxes`` are covered, on an image that leaves.
    ``seen_by_person``: a person looked at this image, or at its series, and let it leave. ``edit`` takes a face out; an
    empty one where the image of a defaced series shows none of it.
    """

    state: ImageState
    reason: Reason | None
    boxes: tuple[Box, ...] = ()
    seen_by_person: bool = False
    edit: PixelEdit | None = field(default=None, repr=False)

    @property
    def changes_pixels(self) -> bool:
        """Whether the edit changes anything."""
        return self.edit is not None and not self.edit.is_empty

    @property
    def digest(self) -> str:
        """Tells two plans apart: what *prepare* worked with."""
        content: list[object] = [self.state, self.reason, self.seen_by_person]
        content.append([_box_content(box) for box in self.boxes])
        if self.edit is not None:
            content.append(hashlib.sha256(self.edit.content).hexdigest())
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CheckedImage:
    """A selected image with what was found on it and what becomes of it.

    ``risk`` is what speaks against it; ``seen_digest`` is what a
    decision on it has to carry. ``frames`` is 0 where it was not looked at.
    """

    instance_id: int
    original_sop_instance_uid: str
    sop_class_uid: str
    instance_number: int | None
    original_locator: str = field(repr=False)
    original_device: str = field(repr=False)
    risk: Risk
    failure: str | None
    rows: int
    columns: int
    frames: int
    regions: tuple[Region, ...]
    seen_digest: str
    plan: ImagePlan


@dataclass(frozen=True, slots=True)
class CheckedSeries:
    """The selected images of one series; ``seen_digest`` is what a decision on all of them has to carry."""

    series_id: int
    original_series_uid: str
    images: tuple[CheckedImage, ...]
    seen_digest: str


def check_digest(sop_instance_uid: str, size: int, mtime_ns: int, signature: str) -> str:
    """What a check was made with: the file as the scan saw it, and the detectors."""
    # No JSON: it is asked of every image whenever somebody looks.
    return hashlib.sha256(f"{signature}\0{size}\0{mtime_ns}\0{sop_instance_uid}".encode()).hexdigest()


def forget_checks(store: Store, instance_ids: Iterable[int]) -> None:
    """Have images looked through and prepared anew: what was found is not about the pixels that are there now."""
    rows = [(one,) for one in instance_ids]
    store.executemany("DELETE FROM image_checks WHERE instance_id = ?", rows)
    store.executemany("UPDATE instances SET prepared_with = NULL WHERE id = ?", rows)


def regions_digest(regions: Iterable[Region]) -> str:
    """Of what a person is shown: places, engines, strength and text."""
    content = sorted(
        [*_box_content(region.box), region.engine, region.is_strong, region.original_text] for region in regions
    )
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _seen(digest: str) -> str:
    """What a decision carries: the letter keeps a spreadsheet from taking it for a number."""
    return f"s{digest[:_SEEN_DIGITS]}" if digest else ""


def _box_content(box: Box) -> list[int]:
    return [box.top, box.left, box.bottom, box.right, -1 if box.frame is None else box.frame]


_IMAGES = """
SELECT i.id, i.series_id, s.original_study_uid, s.original_series_uid, i.original_sop_instance_uid, i.sop_class_uid,
  i.instance_number,
  f.original_locator, f.size, f.mtime_ns, c.checked_with, c.failure, c.risk, c.original_device, c.height, c.width,
  c.frames, c.regions_digest
FROM instances i JOIN series s ON s.id = i.series_id JOIN files f ON f.id = i.file_id
LEFT JOIN image_checks c ON c.instance_id = i.id
WHERE i.selected = 1 AND i.reason IS NULL {where}
ORDER BY i.series_id, i.instance_number, i.original_sop_instance_uid
"""


_MEMBERS = """
SELECT i.id, s.original_study_uid, s.original_series_uid FROM instances i JOIN series s ON s.id = i.series_id
WHERE i.selected = 1 AND i.reason IS NULL AND i.series_id = ?
"""


class ImagePlanner:
    """Plans the images of a project under the decisions that stand now.

    ``unattended``: nobody is asked; what was found is covered where the protocol allows that.
    """

    def __init__(self, project: Project, *, unattended: bool = False, decisions: Decisions | None = None) -> None:
        self._store: Store = project.store
        self._rules = project.protocol.images
        self._unattended = unattended
        self._decisions = load_decisions(project.layout) if decisions is None else decisions
        self._signature = project.store.get_meta(DETECTION_SIGNATURE) or ""
        self._withheld = self._decisions.dataset.withheld
        self._defaced = self._decisions.dataset.defaced
        self._faces = _undecided_faces(project, self._decisions) if unattended else frozenset()
        self._masks: dict[str, list[Mask]] = {}
        for mask in sorted(self._decisions.masks):
            self._masks.setdefault(mask.original_key, []).append(mask)

    def series(self, series_id: int) -> CheckedSeries | None:
        """The images of one series; None where it has no selected ones."""
        rows = self._store.execute(_IMAGES.format(where="AND i.series_id = ?"), (series_id,)).fetchall()
        return next(self._plan(rows), None)

    def plans(self, series_id: int) -> dict[int, ImagePlan]:
        """The plan of each image of a series, by row of ``instances``; of withheld ones also what shows no picture."""
        series = self.series(series_id)
        plans = {image.instance_id: image.plan for image in series.images} if series else {}
        if series is not None and series.original_series_uid in self._defaced:
            edits = load_edits(self._store, series_id)
            plans = {
                instance: replace(plan, edit=PixelEdit(edits[instance])) if plan.reason is None else plan
                for instance, plan in plans.items()
            }
        if self._withheld:
            rows = self._store.execute(_MEMBERS, (series_id,))
            plans |= {row["id"]: _EXCLUDED for row in rows if self._is_withheld(row)}
        return plans

    def _is_withheld(self, row: Any) -> bool:
        """Whether people decided on the data set as a whole that nothing of the study or series leaves."""
        return row["original_study_uid"] in self._withheld or row["original_series_uid"] in self._withheld

    def all_series(self) -> Iterator[CheckedSeries]:
        """Every series with selected images, one after the other."""
        ids = self._store.execute("SELECT DISTINCT series_id FROM instances WHERE selected = 1 ORDER BY 1").fetchall()
        for (series_id,) in ids:
            found = self.series(series_id)
            if found is not None:
                yield found

    def _plan(self, rows: Sequence[Any]) -> Iterator[CheckedSeries]:
        for series_id, group in groupby(rows, key=itemgetter("series_id")):
            members = [row for row in group if shows_pictures(row["sop_class_uid"])]
            if not members:
                continue
            series_uid = members[0]["original_series_uid"]
            digests = [[row["original_sop_instance_uid"], row["regions_digest"] or ""] for row in members]
            seen = _seen(hashlib.sha256(json.dumps(digests).encode()).hexdigest())
            regions = self._regions(series_id)
            edited = edited_images(self._store, series_id, members) if series_uid in self._defaced else None
            images = tuple(self._image(row, regions.get(row["id"], ()), series_uid, seen, edited) for row in members)
            yield CheckedSeries(series_id, series_uid, images, seen)

    def _regions(self, series_id: int) -> Mapping[int, tuple[Region, ...]]:
        rows = self._store.execute(
            "SELECT r.* FROM text_regions r JOIN instances i ON i.id = r.instance_id WHERE i.series_id = ? "
            "ORDER BY r.instance_id, r.number",
            (series_id,),
        )
        return {
            instance_id: tuple(
                Region(
                    Box(row["top"], row["left"], row["bottom"], row["right"], row["frame"]),
                    row["engine"],
                    row["confidence"],
                    bool(row["is_strong"]),
                    row["original_text"],
                )
                for row in group
            )
            for instance_id, group in groupby(rows, key=itemgetter("instance_id"))
        }

    def _image(
        self, row: Any, regions: tuple[Region, ...], series_uid: str, series_seen: str, edited: frozenset[int] | None
    ) -> CheckedImage:
        """``edited`` are the images whose face was taken out, of a series where it has to be; else None."""
        # Unpacked, because half a million of them are asked for, and each name of a row is searched for.
        (
            instance_id,
            _,
            _,
            _,
            uid,
            sop_class_uid,
            instance_number,
            original_locator,
            size,
            mtime_ns,
            checked_with,
            failure,
            risk_value,
            original_device,
            height,
            width,
            frames,
            digest,
        ) = row
        is_current = checked_with == check_digest(uid, size, mtime_ns, self._signature)
        seen = _seen(digest or "")
        risk = Risk(risk_value or Risk.NONE)
        own, of_series = self._decisions.images.get(uid), self._decisions.images.get(series_uid)
        decision, current = (own, seen) if own is not None else (of_series, series_seen)
        if self._is_withheld(row) or (decision is not None and decision.action is ImageAction.EXCLUDE):
            plan = _EXCLUDED
        elif series_uid in self._faces or (edited is not None and instance_id not in edited):
            plan = _FACE
        elif not is_current:
            plan = _UNCHECKED
        elif failure:
            plan = ImagePlan(ImageState.UNCHECKED, Reason(failure))
        else:
            plan = plan_image(
                found=_clip([region.box for region in regions if region.is_strong], row),
                is_unsure=any(not region.is_strong for region in regions),
                risk=risk,
                drawn=_clip(self._drawn(uid, series_uid, original_device), row),
                decision=decision if decision is not None and decision.seen == current else None,
                rules=self._rules,
                unattended=self._unattended,
            )
        return CheckedImage(
            instance_id=instance_id,
            original_sop_instance_uid=uid,
            sop_class_uid=sop_class_uid,
            instance_number=instance_number,
            original_locator=original_locator,
            original_device=original_device or "",
            risk=risk,
            failure=failure,
            rows=height or 0,
            columns=width or 0,
            frames=frames or 0,
            regions=regions,
            seen_digest=seen,
            plan=plan,
        )

    def _drawn(self, uid: str, series_uid: str, device: str) -> list[Box]:
        """The masks of people that are meant for an image."""
        if not self._masks:
            return []
        fitting = {
            MaskScope.FRAME: uid,
            MaskScope.INSTANCE: uid,
            MaskScope.SERIES: series_uid,
            MaskScope.DEVICE: device,
        }
        masks = (mask for key in {*fitting.values()} for mask in self._masks.get(key, ()))
        return [mask.box for mask in masks if mask.original_key == fitting[mask.scope]]


def _clip(boxes: Sequence[Box], row: Any) -> tuple[Box, ...]:
    """The parts of boxes that lie in the image of a row."""
    if not boxes:  # nearly always
        return ()
    inside = {
        box.clipped(row["height"], row["width"]) for box in boxes if box.frame is None or box.frame < row["frames"]
    }
    return tuple(sorted((box for box in inside if box is not None), key=_box_content))


_UNCHECKED = ImagePlan(ImageState.UNCHECKED, Reason.IMAGE_NOT_CHECKED)
_EXCLUDED = ImagePlan(ImageState.EXCLUDED, Reason.EXCLUDED_BY_PERSON)
_FACE = ImagePlan(ImageState.EXCLUDED, Reason.VISUAL_FEATURES)


def _undecided_faces(project: Project, decisions: Decisions) -> frozenset[str]:
    """The series with a face that nobody decided on: where nobody is asked, they stay."""
    findings = load_findings(project.store)
    faces = (one for one in findings if one.kind is FindingKind.FACE and one.blocks)
    return frozenset(one.original_key for one in faces if not decisions.dataset.settle(one))


def plan_image(
    *,
    found: tuple[Box, ...],
    is_unsure: bool,
    risk: Risk,
    drawn: tuple[Box, ...],
    decision: ImageDecision | None,
    rules: Images,
    unattended: bool,
) -> ImagePlan:
    """What becomes of an image that was looked through.

    Parameters
    ----------
    found
        Where text is certain, within the matrix.
    is_unsure
        Whether there are places that a person should look at.
    risk
        What speaks against the image; ``Risk.NONE`` where nothing does.
    drawn
        The masks of people that concern it, within its matrix.
    decision
        A person's, made in sight of what is found now; None where there is no such decision.
    """
    everything = tuple(sorted({*found, *drawn}, key=_box_content)) if found or drawn else ()
    if decision is not None:
        boxes = everything if decision.action is ImageAction.MASK else drawn
        return _leaving(ImageState.MASKED if boxes else ImageState.SEEN, boxes, rules, seen_by_person=True)
    if unattended and found:
        # Where text is usual, finding some is the normal case; finding none is the one to distrust, below.
        if rules.unattended_masks:
            return _leaving(ImageState.MASKED, everything, rules)
        return ImagePlan(ImageState.TEXT_FOUND, Reason.TEXT_FOUND)
    if not all(any(mask.covers(box) for mask in drawn) for box in found):
        return ImagePlan(ImageState.TEXT_FOUND, Reason.TEXT_FOUND)
    if risk is not Risk.NONE and MustSee.EXPECTED_TEXT in rules.must_see:
        return ImagePlan(ImageState.MUST_BE_SEEN, Reason.BURNED_IN_LIKELY)
    if is_unsure and not unattended and MustSee.WEAK_FINDINGS in rules.must_see:
        return ImagePlan(ImageState.MUST_BE_SEEN, Reason.TEXT_POSSIBLE)
    return _leaving(ImageState.MASKED if drawn else ImageState.CLEAR, drawn, rules)


def _leaving(state: ImageState, boxes: tuple[Box, ...], rules: Images, *, seen_by_person: bool = False) -> ImagePlan:
    if state.value not in rules.release:
        if state is ImageState.CLEAR:
            return ImagePlan(ImageState.MUST_BE_SEEN, Reason.MUST_BE_SEEN)
        return ImagePlan(ImageState.EXCLUDED, Reason.EXCLUDED_BY_PROTOCOL)
    return ImagePlan(state, None, boxes, seen_by_person)


def count_states(series: Iterable[CheckedSeries]) -> dict[ImageState, int]:
    """How many images stand where, every state named."""
    counts = dict.fromkeys(ImageState, 0)
    for one in series:
        for image in one.images:
            counts[image.plan.state] += 1
    return counts
