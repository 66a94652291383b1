"""The images as a person's work: which series come first, which images want a look, and what would leave now."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from app.pixels.boxes import Box
from app.project.decisions import Decisions, ImageAction, ImageDecision, load_decisions
from app.project.folder import Project
from app.project.images import CheckedImage, CheckedSeries, ImagePlan, ImagePlanner, ImageState
from app.project.masks import Mask
from app.review.audit import draw_audit_sample
from app.review.image_deciding import decide_series, masks_on
from app.review.images import SeriesCard, list_images, list_series

_BY_WEIGHT = (
    ImageState.TEXT_FOUND,
    ImageState.MUST_BE_SEEN,
    ImageState.UNCHECKED,
    ImageState.MASKED,
    ImageState.EXCLUDED,
    ImageState.SEEN,
    ImageState.CLEAR,
)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A series on the contact sheet; ``audit`` counts its images of the random sample that nobody decided on."""

    card: SeriesCard
    audit: int
    original_locator: str = field(repr=False)

    @property
    def todo(self) -> int:
        """How many of its images want a person's look."""
        return self.card.waiting + self.audit

    @property
    def state(self) -> ImageState:
        """The one of its images that matters most."""
        return next((state for state in _BY_WEIGHT if self.card.states[state]), ImageState.CLEAR)

    def updated(self, series: "SeriesToReview") -> "WorkItem":
        """The same series after decisions on it."""
        states = Counter(image.plan.state for image in series.series.images)
        card = replace(self.card, states={state: states[state] for state in ImageState})
        audit = _count_audit(series.series, series.audit, series.decisions)
        return replace(self, card=card, audit=audit)


@dataclass(frozen=True, slots=True)
class Worklist:
    """All series, riskiest first, and the rows of the images that the random sample drew."""

    items: tuple[WorkItem, ...] = ()
    audit: frozenset[int] = frozenset()


def list_work(project: Project, planned: Sequence[CheckedSeries] | None = None) -> Worklist:
    """What there is to look at: certain text, then images that must be seen, then the random sample, then the rest.

    ``planned`` are all series of the project, planned here where they are not given.
    """
    decisions = load_decisions(project.layout)
    planned = tuple(ImagePlanner(project, decisions=decisions).all_series()) if planned is None else planned
    drawn = frozenset(draw_audit_sample(project, decisions=decisions, planned=planned).drawn)
    by_id = {series.series_id: series for series in planned}
    items = []
    for card in list_series(project, planned):
        series = by_id[card.series_id]
        example = next(image for image in series.images if image.instance_id == card.example_instance_id)
        items.append(WorkItem(card, _count_audit(series, drawn, decisions), example.original_locator))
    # sorted() keeps the order by risk among those that are alike in this.
    return Worklist(tuple(sorted(items, key=lambda item: (not item.card.waiting, not item.audit))), drawn)


def _count_audit(series: CheckedSeries, drawn: frozenset[int], decisions: Decisions) -> int:
    """How many images of the random sample nobody decided on."""
    return sum(image.instance_id in drawn and _wants_look(image, drawn, decisions) for image in series.images)


def _wants_look(image: CheckedImage, drawn: frozenset[int], decisions: Decisions) -> bool:
    """Whether a person has still to look at an image: a decision on its series is no look at a drawn one."""
    if image.plan.state.waits or image.instance_id not in drawn:
        return image.plan.state.waits
    decision = decisions.images.get(image.original_sop_instance_uid)
    return decision is None or (decision.action is not ImageAction.EXCLUDE and decision.seen != image.seen_digest)


@dataclass(frozen=True, slots=True)
class Stop:
    """One picture of a series: the index of the image, and of its frame."""

    image: int
    frame: int


class Leaving(StrEnum):
    """What is known of an image's leaving."""

    LEAVES = "leaves"
    IF_MASKED = "if-masked"  # nobody decided yet: this is how it would leave, were it masked now
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class Outlook:
    """How an image would leave: ``boxes`` are filled."""

    leaving: Leaving
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class SeriesToReview:
    """One series as it is looked through.

    ``if_masked`` is what would become of each image if the whole series were masked now; ``decisions`` are those that
    concern it, and ``audit`` the rows of the random sample.
    """

    series: CheckedSeries
    if_masked: tuple[ImagePlan, ...]
    decisions: Decisions
    audit: frozenset[int]

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """All pictures: the images in order, each with its frames."""
        return tuple(
            Stop(number, frame)
            for number, image in enumerate(self.series.images)
            for frame in range(max(1, image.frames))
        )

    @cached_property
    def stops_with_text(self) -> frozenset[int]:
        """The pictures, counted from 0, on which text was found for certain."""
        images = self.series.images
        return frozenset(
            number
            for number, stop in enumerate(self.stops)
            if any(region.is_strong and region.box.frame in (None, stop.frame) for region in images[stop.image].regions)
        )

    def first_stop(self, index: int) -> int:
        """Where to begin with an image: at its first frame, or of a loop at the first one with certain text."""
        image = self.series.images[index]
        frame = min((region.box.frame or 0 for region in image.regions if region.is_strong), default=0)
        wanted = Stop(index, frame)
        return self.stops.index(wanted if wanted in self.stops else Stop(index, 0))

    def wants_look(self, image: CheckedImage) -> bool:
        """Whether a person has still to look at an image."""
        return _wants_look(image, self.audit, self.decisions)

    def is_audited(self, image: CheckedImage) -> bool:
        """Whether the random sample drew it."""
        return image.instance_id in self.audit

    def decision_on(self, image: CheckedImage) -> ImageAction | None:
        """What holds for an image now, by a decision of its own or of its series; None where nobody decided on it."""
        if image.plan.state.waits or image.plan.state is ImageState.UNCHECKED:
            return None
        own = self.decisions.images.get(image.original_sop_instance_uid)
        decision = own or self.decisions.images.get(self.series.original_series_uid)
        return None if decision is None else decision.action

    def masks(self, image: CheckedImage) -> list[Mask]:
        """The masks that people drew and that concern it."""
        return masks_on(self.decisions, image, self.series)

    def outlook(self, index: int) -> Outlook:
        """How an image would leave, by what is decided so far."""
        plan = self.series.images[index].plan
        if plan.state.leaves:
            return Outlook(Leaving.LEAVES, plan.boxes)
        masked = self.if_masked[index]
        if plan.state.waits and masked.state.leaves:
            return Outlook(Leaving.IF_MASKED, masked.boxes)
        return Outlook(Leaving.STAYS)

    def next_to_look_at(self, after: int, *, done: Container[int] = ()) -> int | None:
        """The index of the next image that wants a look, round the end; ``done`` are indexes that were just decided."""
        images = self.series.images
        order = (*range(after + 1, len(images)), *range(min(after + 1, len(images))))
        return next((index for index in order if index not in done and self.wants_look(images[index])), None)


def review_series(project: Project, series_id: int, audit: frozenset[int]) -> SeriesToReview | None:
    """A series with all that it takes to decide on it; None where it has no selected images any more."""
    return _review(project, series_id, load_decisions(project.layout), audit)


def _review(project: Project, series_id: int, decisions: Decisions, audit: frozenset[int]) -> SeriesToReview | None:
    series = list_images(project, series_id, decisions=decisions)
    if series is None:
        return None
    masked = list_images(project, series_id, decisions=decide_series(decisions, series, ImageAction.MASK))
    assert masked is not None
    keys = {series.original_series_uid, *(image.original_sop_instance_uid for image in series.images)}
    devices = {image.original_device for image in series.images}
    own = replace(
        Decisions(),
        images={uid: decisions.images[uid] for uid in keys & decisions.images.keys()},
        masks=frozenset(mask for mask in decisions.masks if mask.original_key in keys | devices),
    )
    return SeriesToReview(series, tuple(image.plan for image in masked.images), own, audit)


# Undo ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What a step changed, so that it can be taken back and nothing else with it.

    ``images`` are the decisions before it, by UID; None where there was none.
    """

    images: Mapping[str, ImageDecision | None]
    masks_added: frozenset[Mask]
    masks_removed: frozenset[Mask]

    @property
    def is_empty(self) -> bool:
        """Whether the step changed nothing."""
        return not (self.images or self.masks_added or self.masks_removed)


def change_between(before: Decisions, after: Decisions) -> ImageChange:
    """What a step changed."""
    differing = {
        uid for uid in before.images.keys() | after.images.keys() if before.images.get(uid) != after.images.get(uid)
    }
    return ImageChange(
        {uid: before.images.get(uid) for uid in differing}, after.masks - before.masks, before.masks - after.masks
    )


def take_back(decisions: Decisions, change: ImageChange) -> Decisions:
    """The decisions without a step; whatever else was decided since stays."""
    images = {uid: decision for uid, decision in decisions.images.items() if uid not in change.images}
    images.update((uid, decision) for uid, decision in change.images.items() if decision is not None)
    return replace(decisions, images=images, masks=(decisions.masks - change.masks_added) | change.masks_removed)
