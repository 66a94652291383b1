"""The random sample of images that nothing flagged: how a person finds out what the detectors miss.

The draw is keyed by the project's secret: nobody chooses it, and the same project draws the same images again.
"""

import heapq
import hmac
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.project.decisions import Decisions, ImageAction, load_decisions
from app.project.folder import Project
from app.project.images import CheckedImage, CheckedSeries, ImagePlanner
from app.project.risks import Risk

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class AuditSample:
    """``population`` images were looked through and nothing spoke against them; ``drawn`` of them are to be seen.

    ``seen`` of the drawn ones a person decided on, one by one; on ``found`` of these text had to be masked, or they
    were excluded.
    """

    population: int
    drawn: tuple[int, ...]
    seen: int
    found: int
    share: float | None = None  # the protocol's: fewer images than that may show text

    @property
    def shows_share(self) -> bool:
        """Whether what was seen shows what the protocol wants; nothing to show where it wants nothing."""
        return self.share is None or not self.population or (self.seen > 0 and self.upper_bound < self.share)

    @property
    def upper_bound(self) -> float:
        """The share of the population, 0 to 1, that at 95 % confidence shows text at most (Clopper and Pearson)."""
        if self.found >= self.seen:
            return 1.0
        if self.seen == self.population:
            return self.found / self.population
        # The quantile of a beta distribution. Its import takes a quarter of a second, of every start.
        from scipy.special import betaincinv  # type: ignore[import-untyped]  # noqa: PLC0415 - slow; no types

        return float(betaincinv(self.found + 1, self.seen - self.found, CONFIDENCE))


def images_to_look_at(population: int, share: float) -> int:
    """How many of ``population`` images must be seen without text to say that fewer than ``share`` of them show any.

    At 95 %: the smallest n with (1 - share) ** n < 0.05.
    """
    return min(population, math.floor(math.log(1 - CONFIDENCE) / math.log(1 - share)) + 1)


def draw_audit_sample(
    project: Project, *, decisions: Decisions | None = None, planned: Iterable[CheckedSeries] | None = None
) -> AuditSample:
    """Draw as many images as the protocol says, and tell what a person saw of them so far.

    ``planned`` are all series of the project, planned here where they are not given.
    """
    decisions = load_decisions(project.layout) if decisions is None else decisions
    planned = ImagePlanner(project, decisions=decisions).all_series() if planned is None else planned
    key = project.secret.subkey("audit sample")
    review = project.protocol.review
    population = 0

    def rank(image: CheckedImage) -> bytes:
        return hmac.digest(key, image.original_sop_instance_uid.encode(), "sha256")

    def candidates() -> Iterator[tuple[bytes, int, str, bool]]:
        nonlocal population
        for series in planned:
            for image in series.images:
                if image.frames and not image.failure and not image.regions and image.risk is Risk.NONE:
                    population += 1
                    seen = _is_decided(decisions, image)
                    yield rank(image), image.instance_id, image.original_sop_instance_uid, seen

    unflagged = list(candidates())
    wanted = review.audit_sample
    if review.audit_share is not None:
        wanted = images_to_look_at(population, review.audit_share)
    smallest = heapq.nsmallest(wanted, unflagged)
    seen = [uid for _, _, uid, is_seen in smallest if is_seen]
    with_masks = {mask.original_key for mask in decisions.masks}
    found = [uid for uid in seen if decisions.images[uid].action is not ImageAction.RELEASE or uid in with_masks]
    drawn = tuple(instance_id for _, instance_id, _, _ in smallest)
    return AuditSample(population, drawn, len(seen), len(found), review.audit_share)


def _is_decided(decisions: Decisions, image: CheckedImage) -> bool:
    """Whether a person decided on this very image, in sight of what is known of it."""
    decision = decisions.images.get(image.original_sop_instance_uid)
    return decision is not None and (decision.action is ImageAction.EXCLUDE or decision.seen == image.seen_digest)
