"""The step ``check``: judges every series of the catalogue, from headers alone."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from app.checks.body_parts import PartReading, read_body_parts
from app.checks.contents import Claim, claims_of, is_localizer
from app.checks.phases import NOTHING, PhaseReading, first_without_agent, is_with_and_without, read_phase
from app.checks.series import Series, load_series
from app.checks.words import Vocabulary, load_vocabulary
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
    all_series = []
    for done, series in enumerate(load_series(store)):
        if done % PROGRESS_EVERY == 0:
            yield Progress(STEP, done, total, "series")
        all_series.append(series)
    checked = judging.judge(all_series)
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


class _Judging:
    """The protocol's wishes and the words, for all series of one run."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._body_words = load_vocabulary("body_parts")
        self._phase_words = load_vocabulary("phases")

    def judge(self, all_series: Sequence[Series]) -> list[CheckedSeries]:
        phases = _phases(all_series, self._phase_words)
        return [self._judge_one(series, phases.get(series.id, NOTHING)) for series in all_series]

    def _judge_one(self, series: Series, phase: PhaseReading) -> CheckedSeries:
        attributes = series.first.original_attributes if series.images else {}
        parts = read_body_parts(attributes, self._body_words)
        expected = self._checks.expect
        claims = [*claims_of(series, expected)]
        if series.images and not is_localizer(series):
            claims += [*_body_part_claims(parts, expected), *_phase_claims(series, phase, expected)]
        findings = tuple(finding for claim in claims if (finding := self._finding(claim)) is not None)
        return CheckedSeries(series.id, parts.parts, parts.confidence, phase.phase, phase.confidence, findings)

    def _finding(self, claim: Claim) -> Finding | None:
        severity = self._checks.severity(claim.check)
        if severity is Severity.IGNORE:
            return None
        if not claim.is_sure:
            severity = Severity.WARN
        return Finding(claim.check, claim.code, severity, claim.fields)


def _phases(all_series: Sequence[Series], vocabulary: Vocabulary) -> dict[int, PhaseReading]:
    """The phase of each series; in a study with and without an agent, the first one that says nothing is without."""
    phases = {series.id: read_phase(series, vocabulary) for series in all_series if not is_localizer(series)}
    studies: dict[tuple[int, str], list[tuple[float, Series]]] = defaultdict(list)
    for series in all_series:
        times = [image.acquired_s for image in series.images if image.acquired_s is not None]
        if series.id in phases and series.modality == "CT" and times:
            studies[series.study].append((min(times), series))
    for of_study in studies.values():
        ordered = [series for _, series in sorted(of_study, key=lambda pair: (pair[0], pair[1].id))]
        first, later = ordered[0], [phases[series.id].phase for series in ordered[1:]]
        enhanced = any(phase not in (None, Phase.NONE) for phase in later)
        if enhanced and phases[first.id].phase is None and is_with_and_without(first, vocabulary):
            phases[first.id] = first_without_agent()
    return phases


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


def _phase_claims(series: Series, reading: PhaseReading, expected: Expected) -> Iterator[Claim]:
    if reading.disagreeing is not None:
        fields: dict[str, str | int | float] = {"with": reading.disagreeing[0], "without": reading.disagreeing[1]}
        yield Claim(CheckName.PHASE, "phase-disagrees", fields, is_sure=False)
    if not expected.phase or series.modality not in ("CT", "MR"):
        return
    wanted = ", ".join(expected.phase)
    if reading.phase is None:
        yield Claim(CheckName.PHASE, "phase-unknown", {"wanted": wanted}, is_sure=False)
    elif reading.phase not in expected.phase:
        # After an agent, and nothing says when: it may well be the phase that is asked for.
        may_be = reading.phase is Phase.ENHANCED and set(expected.phase) != {Phase.NONE}
        fields = {"phase": reading.phase, "wanted": wanted, "percent": round(reading.confidence * 100)}
        yield Claim(CheckName.PHASE, "other-phase", fields, is_sure=reading.confidence >= SURE and not may_be)
