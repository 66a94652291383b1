"""What ``consign reports`` does."""

from collections.abc import Sequence
from pathlib import Path

from app.cli.console import Console
from app.errors import UsageError
from app.project.folder import Project
from app.reports.deciding import HitDecision
from app.reports.step import JudgedHit, Search, decide_hits, search_reports, take_studies
from app.text.i18n import mark
from app.text.report_words import CONTEXTS

SHOWN_HITS = 200
_DECISIONS = {HitDecision.ACCEPT: mark("a case"), HitDecision.REJECT: mark("no case")}


def run_reports(console: Console, folder: Path, table: Path, accept: Sequence[str], reject: Sequence[str]) -> None:
    """Search, take decisions on hits, and put the studies of the accepted ones into the study list.

    The sentences go to the terminal alone: machine-readable output has none.
    """
    with Project(folder) as project:
        search = search_reports(project, table)
        _check_known(search, (*accept, *reject))
        decide_hits(project, accept, HitDecision.ACCEPT)
        decide_hits(project, reject, HitDecision.REJECT)
        if accept or reject:
            search = search_reports(project, table)
        rows = take_studies(project, search)
    hits = [
        {"hit": one.digest, "term": one.hit.term, "context": one.hit.context, "decision": one.decision}
        for one in search.hits
    ]
    told = {"reports": search.reports, "hits": hits, "undecided": search.undecided, "studies": rows}
    lines = [_line(console, one) for one in search.hits[:SHOWN_HITS]]
    if len(search.hits) > SHOWN_HITS:
        lines.append(console.tr("... {count} more", count=len(search.hits) - SHOWN_HITS))
    counted = {"reports": search.reports, "hits": len(search.hits), "undecided": search.undecided, "rows": rows}
    text = mark("Reports: {reports}, hits: {hits}, waiting for a decision: {undecided}; rows in the study list: {rows}")
    lines.append(console.tr(text, **counted))
    if rows:
        lines.append(console.tr("They count from the next: consign select"))
    console.result(told, "\n".join(lines))


def _check_known(search: Search, digests: Sequence[str]) -> None:
    known = {one.digest for one in search.hits}
    for digest in digests:
        if digest not in known:
            # Never echoed: it may be anything that somebody pasted.
            raise UsageError("unknown-hit", number=digests.index(digest) + 1)


def _line(console: Console, one: JudgedHit) -> str:
    hit, sentence = one.hit, one.hit.original_sentence
    shown = f"{sentence[: hit.start]}[{sentence[hit.start : hit.end]}]{sentence[hit.end :]}"
    judged = console.tr(_DECISIONS[one.decision]) if one.decision else "-"
    return f"{one.digest}  {judged}  {console.tr(CONTEXTS[hit.context])}  {hit.term}: {shown}"
