"""What ``consign reports`` does."""

from collections.abc import Sequence
from pathlib import Path

from app.cli.console import Console
from app.errors import UsageError
from app.project.folder import Project
from app.reports.deciding import HitDecision
from app.reports.step import JudgedHit, Search, decide_hits, search_reports, take_studies

SHOWN_HITS = 200


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
    lines = [_line(one) for one in search.hits[:SHOWN_HITS]]
    if len(search.hits) > SHOWN_HITS:
        lines.append(f"... and {len(search.hits) - SHOWN_HITS} more")
    lines.append(
        f"{search.reports} reports, {len(search.hits)} hits, {search.undecided} waiting for a decision; "
        f"{rows} rows in the study list"
    )
    if rows:
        lines.append("They count from the next: consign select")
    console.result(told, "\n".join(lines))


def _check_known(search: Search, digests: Sequence[str]) -> None:
    known = {one.digest for one in search.hits}
    for digest in digests:
        if digest not in known:
            # Never echoed: it may be anything that somebody pasted.
            raise UsageError("unknown-hit", number=digests.index(digest) + 1)


def _line(one: JudgedHit) -> str:
    hit = one.hit
    before, term, after = (
        hit.original_sentence[: hit.start],
        hit.original_sentence[hit.start : hit.end],
        hit.original_sentence[hit.end :],
    )
    return f"{one.digest}  {one.decision or '-':<6}  {hit.context:<10}  {hit.term}: {before}[{term}]{after}"
