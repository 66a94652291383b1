"""The step ``check``: judges every series of the catalogue, from headers alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.checks.body_parts import PartReading, read_body_parts
from app.checks.contents import Claim, claims_of, is_localizer
from app.checks.phases import MODALITIES, NOTHING, PhaseReading, first_without_agent, is_with_and_without, read_phase
from app.checks.series import Series, load_series
from app.checks.words import load_vocabulary
from app.events import Finished, Job, Progress
from app.project.folder import Project
from app.project.series_findings import CheckedSeries, Finding, checks_digest, replace_checked_series
from app.protocol.checks import CheckName, Checks, Expected, Phase, Severity

STEP = "check"
PROGRESS_EVERY = 200
# Below this, what is expected and not found is shown, and never a reason to leave a series out.
SURE = 0.5


def check(project: Project) -> Job:
    """Check every series; writes series_checks and series_findings in one transaction, and nothing else."""
    store = project.store
    judging = _Judging(project.protocol.checks)
    total = int(store.one("SELECT count(DISTINCT series_id) FROM instances WHERE reason IS NULL"))
    for done, series in enumerate(load_series(store)):
        if done % PROGRESS_EVERY == 0:
            yield Progress(STEP, done, total, "series")
        judging.take(series)
    checked = judging.checked()
    with store.transaction():
        replace_checked_series(store, checks_digest(project.protocol.checks), checked)
    yield Progress(STEP, total, total, "series")
    yield Finished(STEP, _counts(checked))


def _counts(checked: Sequence[CheckedSeries]) -> dict[str, int]:
    counts = Counter({"series": len(checked), "warned": 0, "excluded": 0})
    for series in checked:
        severities = {finding.severity for finding in series.findings}
        counts["excluded"] += Severity.EXCLUDE in severities
        counts["warned"] += bool(severities) and Severity.EXCLUDE not in severities
    return dict(counts)


@dataclass(slots=True)
class _Judged:
    """What is kept of a series once it was looked at: its images are many, and another series comes next."""

    id: int
    study: tuple[int, str]
    modality: str
    claims: list[Claim]
    parts: PartReading
    phase: PhaseReading
    shows_phase: bool  # a localizer, or what has no images, does not
    acquired_s: float | None  # of its first image
    is_with_and_without: bool


class _Judging:
    """The protocol's wishes and the words, for all series of one run."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._body_words = load_vocabulary("body_parts")
        self._phase_words = load_vocabulary("phases")
        self._judged: list[_Judged] = []

    def take(self, series: Series) -> None:
        """Look at one series."""
        attributes = series.first.original_attributes if series.images else {}
        parts = read_body_parts(attributes, self._body_words)
        is_for_itself = bool(series.images) and not is_localizer(series)
        claims = [*claims_of(series, self._checks.expect)]
        if is_for_itself:
            claims += _body_part_claims(parts, self._checks.expect)
        self._judged.append(
            _Judged(
                id=series.id,
                study=series.study,
                modality=series.modality,
                claims=claims,
                parts=parts,
                phase=read_phase(series, self._phase_words) if is_for_itself else NOTHING,
                shows_phase=is_for_itself,
                acquired_s=min((one.acquired_s for one in series.images if one.acquired_s is not None), default=None),
                is_with_and_without=is_for_itself and is_with_and_without(series, self._phase_words),
            )
        )

    def checked(self) -> list[CheckedSeries]:
        """What came out of all series."""
        _settle_first_of_study(self._judged)
        return [self._checked(judged) for judged in self._judged]

    def _checked(self, judged: _Judged) -> CheckedSeries:
        claims = [*judged.claims]
        if judged.shows_phase:
            claims += _phase_claims(judged.modality, judged.phase, self._checks.expect)
        findings = tuple(finding for claim in claims if (finding := self._finding(claim)) is not None)
        parts, phase = judged.parts, judged.phase
        return CheckedSeries(judged.id, parts.parts, parts.confidence, phase.phase, phase.confidence, findings)

    def _finding(self, claim: Claim) -> Finding | None:
        severity = self._checks.severity(claim.check)
        if severity is Severity.IGNORE:
            return None
        if not claim.is_sure:
            severity = Severity.WARN
        return Finding(claim.check, claim.code, severity, claim.fields)


def _settle_first_of_study(all_judged: Sequence[_Judged]) -> None:
    """In a CT study with and without an agent, the first series is without where nothing else speaks."""
    studies: dict[tuple[int, str], list[_Judged]] = defaultdict(list)
    for judged in all_judged:
        if judged.shows_phase and judged.modality == "CT" and judged.acquired_s is not None:
            studies[judged.study].append(judged)
    for of_study in studies.values():
        first, *later = sorted(of_study, key=lambda judged: (judged.acquired_s or 0.0, judged.id))
        enhanced = any(judged.phase.phase not in (None, Phase.NONE) for judged in later)
        if enhanced and first.phase.phase is None and first.is_with_and_without:
            first.phase = first_without_agent()


def _body_part_claims(reading: PartReading, expected: Expected) -> Iterator[Claim]:
    if reading.disagreeing is not None:
        (place, part), (other_place, other_part) = reading.disagreeing
        fields: dict[str, str | int | float] = {
            "place": place,
            "part": part,
            "other_place": other_place,
            "other_part": other_part,
        }
        yield Claim(CheckName.BODY_PART, "body-part-disagrees", fields, is_sure=False)
    if not expected.body_part:
        return
    wanted = ", ".join(expected.body_part)
    if not reading.parts:
        yield Claim(CheckName.BODY_PART, "body-part-unknown", {"wanted": wanted}, is_sure=False)
    elif not set(reading.parts) & set(expected.body_part):
        fields = {"part": ", ".join(reading.parts), "wanted": wanted, "percent": round(reading.confidence * 100)}
        yield Claim(CheckName.BODY_PART, "other-body-part", fields, is_sure=reading.confidence >= SURE)


def _phase_claims(modality: str, reading: PhaseReading, expected: Expected) -> Iterator[Claim]:
    if reading.disagreeing is not None:
        fields: dict[str, str | int | float] = {"with": reading.disagreeing[0], "without": reading.disagreeing[1]}
        yield Claim(CheckName.PHASE, "phase-disagrees", fields, is_sure=False)
    if not expected.phase or modality not in MODALITIES:
        return
    wanted = ", ".join(expected.phase)
    if reading.phase is None:
        yield Claim(CheckName.PHASE, "phase-unknown", {"wanted": wanted}, is_sure=False)
    elif reading.phase not in expected.phase:
        # After an agent, and nothing says when: it may well be the phase that is asked for.
        may_be = reading.phase is Phase.ENHANCED and set(expected.phase) != {Phase.NONE}
        fields = {"phase": reading.phase, "wanted": wanted, "percent": round(reading.confidence * 100)}
        yield Claim(CheckName.PHASE, "other-phase", fields, is_sure=reading.confidence >= SURE and not may_be)
