"""The search over all reports, a person's decisions on its hits, and the study list that comes out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.project.folder import Project
from app.project.study_list import RowSource, StudyRow, save_study_rows
from app.protocol.reports import ReportTerm
from app.reports.context import HitContext
from app.reports.deciding import HitDecision, hit_digest, load_hit_decisions, save_hit_decisions
from app.reports.search import Hit, find_hits
from app.reports.source import read_reports


@dataclass(frozen=True, slots=True)
class JudgedHit:
    """A hit with the digest that its decision is kept under, and the decision; None where there is none."""

    hit: Hit
    digest: str
    decision: HitDecision | None


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: affirmed hits first, then the doubtful ones, those of the past, and the negated ones."""

    reports: int
    hits: tuple[JudgedHit, ...]

    def counts(self) -> Counter[tuple[str, HitContext]]:
        """Hits by term and context."""
        return Counter((one.hit.term, one.hit.context) for one in self.hits)

    @property
    def undecided(self) -> int:
        """Affirmed and uncertain hits that nobody decided on; the others count as rejected until somebody accepts."""
        asked = (HitContext.AFFIRMED, HitContext.UNCERTAIN)
        return sum(one.decision is None and one.hit.context in asked for one in self.hits)


_ORDER = (
    HitContext.AFFIRMED,
    HitContext.UNCERTAIN,
    HitContext.HISTORICAL,
    HitContext.FAMILY,
    HitContext.NEGATED,
)


def search_reports(project: Project, path: Path) -> Search:
    """Search a CSV of reports for the protocol's terms; the text is kept nowhere but in what this returns.

    Raises UsageError("no-report-terms"), or as ``read_reports``; ProjectError("decisions-damaged").
    """
    terms = project.protocol.reports.terms
    if not terms:
        raise UsageError("no-report-terms")
    decided = load_hit_decisions(project)
    count, found = 0, []
    for report in read_reports(path):
        count += 1
        for hit in find_hits(report.original_accession_number, report.original_text, terms):
            digest = hit_digest(project, hit)
            found.append(JudgedHit(hit, digest, decided.get(digest)))
    found.sort(key=lambda one: (_ORDER.index(one.hit.context), one.hit.term, one.hit.original_accession_number))
    return Search(count, tuple(found))


def decide_hits(project: Project, digests: Iterable[str], decision: HitDecision | None) -> None:
    """Accept or reject hits; None takes a decision back."""
    decided = load_hit_decisions(project)
    for digest in digests:
        if decision is None:
            decided.pop(digest, None)
        else:
            decided[digest] = decision
    save_hit_decisions(project, decided)


def study_rows(hits: Iterable[JudgedHit], terms: Sequence[ReportTerm]) -> list[StudyRow]:
    """A row for every accession number and term with an accepted hit, with the term's group and labels."""
    accepted = {(one.hit.original_accession_number, one.hit.term) for one in hits if one.decision is HitDecision.ACCEPT}
    by_name = {term.name: term for term in terms}
    return [
        StudyRow(
            RowSource.REPORTS,
            line,
            (("AccessionNumber", number),),
            by_name[name].group or "",
            tuple(sorted(by_name[name].labels.items())),
        )
        for line, (number, name) in enumerate(sorted(accepted), start=1)
        if name in by_name
    ]


def take_studies(project: Project, search: Search) -> int:
    """Put the studies of accepted hits into the project's study list, in place of those of an earlier search.

    Returns how many rows there are now. ``select`` has to run again.
    """
    rows = study_rows(search.hits, project.protocol.reports.terms)
    save_study_rows(project.layout, RowSource.REPORTS, rows)
    return len(rows)
