"""The commands of ``consign``. Exit code 0: done; 1: blocked, or something does not verify; 2: the request is wrong."""

import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from app import __version__
from app.cli.console import Console
from app.cli.language import TranslatedGroup
from app.errors import BundleError, ConsignError, ReleaseBlockedError, UsageError
from app.jobs.collecting import collect_seldom
from app.jobs.executors import DaskExecutor, ProcessExecutor, SerialExecutor, open_executor
from app.logs import quieten_libraries
from app.project.faults import fault_of
from app.project.folder import Project, check_made_with, create_project, is_project
from app.text.i18n import language_of_system, language_of_terminal, mark

if TYPE_CHECKING:
    from app.pipeline.run import NextSteps

BLOCKED, WRONG = 1, 2
INTERRUPTED = 1
SHOWN_ROWS = 40

Command = Callable[..., None]
Folder = click.Path(path_type=Path, file_okay=False)
File = click.Path(path_type=Path, dir_okay=False)
AnyPath = click.Path(path_type=Path)


_STOPPED = mark("Stopped. Nothing is lost: the same command goes on from here.")


def _command(function: Callable[..., int | None]) -> Command:
    """Give a command its console, turn our errors into sentences and exit codes, and stop cleanly on Ctrl-C."""

    @click.option("--json", "json_output", is_flag=True, help="One JSON object a line, for machines.")
    @wraps(function)
    def run(*arguments: Any, json_output: bool, **options: Any) -> None:
        console = Console(json_output=json_output)
        try:
            code = function(console, *arguments, **options)
        except ConsignError as error:
            console.error(error)
            sys.exit(BLOCKED if isinstance(error, ReleaseBlockedError | BundleError) else WRONG)
        except Exception as defect:  # noqa: BLE001 - the last place that can keep its text from the terminal
            if fault := fault_of(defect):
                console.error(fault)
                sys.exit(BLOCKED)
            # Whatever it is, its text may quote a patient's value: only the place in our own code is told.
            frame = traceback.extract_tb(defect.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            console.error(ConsignError("defect", kind=type(defect).__name__, place=place))
            sys.exit(BLOCKED)
        except KeyboardInterrupt:
            click.echo(f"\n{console.tr(_STOPPED)}", err=True)
            sys.exit(INTERRUPTED)
        sys.exit(code or 0)

    return run


# Options of several commands.
_workers = click.option(
    "--workers", default="auto", show_default=True, help="'serial', a number of processes, 'auto', or dask://HOST:PORT."
)
_site = click.option(
    "--site", required=True, help="Your site's id: letters, digits, hyphens; part of every patient code."
)
_protocol = click.option(
    "--protocol", type=File, help="The organisers' protocol file; without it, the shipped default."
)
_where = click.option("--where", help="Narrow the protocol's query: 'Modality == \"CT\" and SliceThickness <= 1.0'.")
_out = click.option("--out", type=Folder, required=True, help="The folder for the bundle's parts.")
_unattended = click.option(
    "--unattended", is_flag=True, help="Ask nobody: drop whatever is suspicious, and say so in the bundle."
)


@contextmanager
def _open(project: Path, workers: str) -> Iterator[tuple[Project, SerialExecutor | ProcessExecutor | DaskExecutor]]:
    with open_executor(workers) as executor, Project(project) as opened:
        yield opened, executor


@click.group(cls=TranslatedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="consign", message="%(prog)s %(version)s")
def cli() -> None:
    """De-identify imaging examinations by allow-list and hand them over as one verified bundle."""


@cli.command()
@click.argument("project", type=Folder)
@_site
@_protocol
@_command
def new(console: Console, project: Path, site: str, protocol: Path | None) -> None:
    """Make a project folder."""
    create_project(project, site, protocol)
    console.result({"project": str(project)}, console.tr("Project made: {project}", project=project))


@cli.command()
@click.argument("project", type=Folder)
@click.argument("source", nargs=-1, required=True, type=AnyPath)
@_workers
@_command
def scan(console: Console, project: Path, source: tuple[Path, ...], workers: str) -> None:
    """Catalogue folders, CDs, and zip or tar archives. A second scan reads only what changed."""
    from app.catalog.step import scan as scan_step
    from app.catalog.table import file_table

    with _open(project, workers) as (opened, executor):
        counts = console.watch(scan_step(opened, source, executor))
        table = file_table(opened)
    lines = [f"{console.number(line.files):>9}  {_why(console, line.reason)}" for line in table]
    reasons = [{"verdict": line.verdict, "reason": line.reason, "files": line.files} for line in table]
    console.result({"counts": dict(counts), "files": reasons}, "\n".join(lines))


def _why(console: Console, reason: str | None) -> str:
    return console.named(reason, console.sentence(reason)) if reason else console.tr("usable")


@cli.command()
@click.argument("project", type=Folder)
@click.option("--csv", "target", type=File, required=True, help="Where the list is written.")
@_command
def files(console: Console, project: Path, target: Path) -> None:
    """Write what became of each file, by name. For the site only; file names may be PHI."""
    from app.pipeline.files import write_file_list

    with Project(project) as opened:
        rows = write_file_list(opened, target)
    text = console.tr(
        "Files in the list: {rows}. Their names may tell who the patients are: the list stays here.", rows=rows
    )
    console.result({"rows": rows}, text)


@cli.command()
@click.argument("project", type=Folder)
@_where
@click.option("--list", "wanted", type=File, help="Only what a CSV or XLSX names by UID, accession number, patient ID.")
@click.option("--studies", type=File, help="CSV or XLSX of studies with the protocol's groups and labels as columns.")
@_command
def select(console: Console, project: Path, where: str | None, wanted: Path | None, studies: Path | None) -> None:
    """Run the protocol's query and draw its groups; say for every excluded series why."""
    from app.cli.cohorts import run_select

    told, lines = run_select(console, project, where, wanted, studies)
    console.result(told, _shortened(console, lines))


@cli.command()
@click.argument("project", type=Folder)
@click.option("--all", "show_all", is_flag=True, help="Show every series, not only those that something was found of.")
@_command
def check(console: Console, project: Path, show_all: bool) -> None:
    """Check every series from its headers: missing slices, localizers, body part, contrast phase and so on."""
    from app.cli.cohorts import run_check

    told, lines = run_check(console, project, show_all=show_all)
    console.result(told, _shortened(console, lines))


@cli.command()
@click.argument("project", type=Folder)
@click.argument("table", type=File)
@click.option("--accept", multiple=True, metavar="HIT", help="Its study is a case of its term.")
@click.option("--reject", multiple=True, metavar="HIT", help="It is not.")
@_command
def reports(console: Console, project: Path, table: Path, accept: tuple[str, ...], reject: tuple[str, ...]) -> None:
    """Look for the protocol's terms in a CSV of reports (AccessionNumber, Text); accept hits as studies to take."""
    from app.cli.reports import run_reports

    run_reports(console, project, table, accept, reject)


@cli.command()
@click.argument("project", type=Folder)
@click.option("--unattended", is_flag=True, help="For an export that asks nobody: text found in images is covered.")
@_workers
@_command
def prepare(console: Console, project: Path, unattended: bool, workers: str) -> None:
    """De-identify the selected headers in memory; keep each unique value that would leave."""
    from app.deid.step import prepare as prepare_step

    with _open(project, workers) as (opened, executor):
        counts = console.watch(prepare_step(opened, executor, unattended=unattended))
        held = opened.store.execute(
            "SELECT state_reason, count(*) AS n FROM instances WHERE selected = 1 AND state = 'held-back' "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
    reasons = {row["state_reason"]: row["n"] for row in held}
    lines = [f"{console.number(count):>9}  {_why(console, reason)}" for reason, count in reasons.items()]
    console.result({"counts": dict(counts), "held_back": reasons}, "\n".join(lines))


@cli.command()
@click.argument("project", type=Folder)
@click.option("--csv", "target", type=File, help="Write the dump here, for a spreadsheet.")
@click.option("--decide", type=File, help="Take decisions (keep, drop, replace, drop-tag) back from such a CSV.")
@click.option("--carry", is_flag=True, help="With --decide: the CSV comes from another project.")
@_command
def values(console: Console, project: Path, target: Path | None, decide: Path | None, carry: bool) -> None:
    """Show every unique value that would leave, suspicious ones first; take decisions back."""
    from app.cli.review import run_values

    with Project(project) as opened:
        told, lines = run_values(console, opened, target, decide, carry=carry)
    console.result(told, _shortened(console, lines))


@cli.command()
@click.argument("project", type=Folder)
@click.option("--detect", "look", is_flag=True, help="Look for burned-in text in what was not looked through yet.")
@click.option("--ctp-script", "script", type=File, help="Take the regions of a CTP pixel script over, before looking.")
@click.option("--list", "listed", is_flag=True, help="Show every series, not only those that wait for a person.")
@click.option("--csv", "target", type=File, help="Write all images, with what was found on them, here.")
@click.option("--decide", type=File, help="Take decisions (release, mask, exclude) back from such a CSV.")
@_workers
@_command
def images(
    console: Console,
    project: Path,
    look: bool,
    script: Path | None,
    listed: bool,
    target: Path | None,
    decide: Path | None,
    workers: str,
) -> None:
    """Look for text that is burned into images; show what waits for a person; take decisions back.

    Decisions count from the next 'prepare' on.
    """
    from app.cli.review import run_images

    with _open(project, workers) as (opened, executor):
        told, lines = run_images(
            console, opened, executor, look=look, script=script, listed=listed, target=target, decide=decide
        )
    console.result(told, _shortened(console, lines))


@cli.command()
@click.argument("project", type=Folder)
@click.option("--keep", multiple=True, metavar="ID", help="It leaves as it is: known, wanted, or under the agreement.")
@click.option("--exclude", multiple=True, metavar="ID", help="The studies or the series that it is about stay here.")
@click.option("--deface", multiple=True, metavar="ID", help="Take the face out of the series that it is about.")
@click.option(
    "--steps", multiple=True, metavar="KEYWORD", help="PatientAge, PatientSize, PatientWeight: tell in steps."
)
@click.option("--remove", multiple=True, metavar="KEYWORD", help="Take an attribute out of every file.")
@click.option("--note", default="", help="Why, in one line; it stays here.")
@click.option("--undo", is_flag=True, help="Take every decision on the data set back first.")
@_command
def dataset(
    console: Console,
    project: Path,
    keep: tuple[str, ...],
    exclude: tuple[str, ...],
    deface: tuple[str, ...],
    steps: tuple[str, ...],
    remove: tuple[str, ...],
    note: str,
    undo: bool,
) -> int:
    """Check what would leave as a whole: patients in two groups, labels that leak, small groups, faces, rare values."""
    from app.cli.dataset import DatasetRequest, run_dataset

    return run_dataset(console, project, DatasetRequest(keep, exclude, deface, steps, remove, note, undo))


@cli.command()
@click.argument("project", type=Folder)
@_command
def describe(console: Console, project: Path) -> None:
    """Describe the data set as its card will: counts, sources, parameters, demographics, dates, owner, use."""
    from app.pipeline.description import describe_project
    from app.text.description_words import description_words

    with Project(project) as opened:
        description = describe_project(opened)
    lines = [
        console.named(name, text)
        for name, text in description_words(description, console.translate, console.plural, console.number)
    ]
    console.result({"description": description}, "\n".join(lines))


@cli.command()
@click.argument("project", type=Folder)
@click.option("--as", "name", required=True, help="Your name; it stands in the bundle's sign-off.")
@click.option("--role", required=True, help="One of the roles that the protocol asks for.")
@_command
def approve(console: Console, project: Path, name: str, role: str) -> None:
    """Sign what there is now. Any later change makes the signature stale."""
    from app.pipeline.dataset import approve as approve_step
    from app.review.dump import build_dump
    from app.signoff.step import missing_approvals

    with Project(project) as opened:
        rows = build_dump(opened)
        approval = approve_step(opened, rows, name, role, datetime.now(UTC))
        missing = missing_approvals(opened, rows)
    lines = [console.tr("Signed as {role} (digest {digest}).", role=role, digest=approval.digest[:16])]
    if missing:
        lines.append(console.tr("Still missing: {roles}.", roles=", ".join(missing)))
    else:
        lines.append(console.tr("All signatures are there."))
    console.result({"role": role, "digest": approval.digest, "missing": missing}, " ".join(lines))


@cli.command()
@click.argument("project", type=Folder)
@_out
@_unattended
@_workers
@_command
def export(console: Console, project: Path, out: Path, unattended: bool, workers: str) -> None:
    """Write the bundle in one pass: verified zip parts, checksums, report."""
    from app.pipeline.export import export as export_step

    with _open(project, workers) as (opened, executor):
        counts = console.watch(export_step(opened, out, executor, unattended=unattended))
    console.result({"bundle": str(out), "counts": dict(counts)}, console.tr("Bundle: {folder}", folder=out))


@cli.command()
@click.argument("bundle", nargs=-1, required=True, type=AnyPath)
@click.option("--project", type=Folder, help="Look for this project's original identifiers, too.")
@_command
def verify(console: Console, bundle: tuple[Path, ...], project: Path | None) -> int:
    """Check a bundle, anywhere: every file, every value, every pixel digest."""
    from app.pipeline.verify import verify as verify_parts

    report = console.follow(verify_parts(bundle, project))
    findings = [{"code": one.code, "part": one.part, "entry": one.entry, "path": one.path} for one in report.findings]
    instances = sum(part.instances for part in report.parts)
    told = {"parts": len(report.parts), "instances": instances, "findings": findings}
    if not findings:
        counted = {"parts": len(report.parts), "instances": instances}
        console.result(told, console.tr("Verified. Parts: {parts}, instances: {instances}.", **counted))
        return 0
    lines = [console.named(f"{one.part} {one.entry} {one.path}", console.sentence(one.code)) for one in report.findings]
    lines.append(console.tr("NOT VERIFIED. Findings: {count}.", count=len(findings)))
    console.result(told, _shortened(console, lines))
    return BLOCKED


@cli.command()
@click.argument("project", type=Folder)
@click.option("--csv", "target", type=File, required=True, help="Where it is written.")
@_command
def crosswalk(console: Console, project: Path, target: Path) -> None:
    """Write the way back to the originals. For the site only; it is PHI."""
    from app.pipeline import crosswalk as crosswalk_csv

    with Project(project) as opened:
        rows = crosswalk_csv.write_crosswalk(opened, target)
    text = console.tr("Rows: {rows}. This file leads back to patients: it must not leave the site.", rows=rows)
    console.result({"rows": rows}, text)


@cli.command()
@click.argument("folder", type=Folder)
@_command
def demo(console: Console, folder: Path) -> None:
    """Write a PACS export of four people who do not exist, and a project for it."""
    from app.pipeline.demo import make_demo

    project, source = make_demo(folder)
    lines = [console.tr("Export: {folder}", folder=source), console.tr("Project: {folder}", folder=project)]
    console.result({"project": str(project), "source": str(source)}, "\n".join(lines))


@cli.command()
@click.argument("source", nargs=-1, required=True, type=AnyPath)
@click.option("--project", type=Folder, required=True, help="The project; it is made where there is none yet.")
@_out
@_site
@_protocol
@_where
@_unattended
@_workers
@_command
def run(
    console: Console,
    source: tuple[Path, ...],
    project: Path,
    out: Path,
    site: str,
    protocol: Path | None,
    where: str | None,
    unattended: bool,
    workers: str,
) -> int:
    """Do all of it. Without approvals it stops before the export and says what is missing."""
    from app.cli.cohorts import nothing_selected_lines
    from app.pipeline.export import export as export_step
    from app.pipeline.run import next_steps, run_all

    if not is_project(project):
        create_project(project, site, protocol)
    with _open(project, workers) as (opened, executor):
        check_made_with(opened, site, protocol)
        try:
            console.watch(run_all(opened, source, where, executor, unattended=unattended))
        except UsageError as error:
            if error.code == "nothing-selected":
                console.explain(_shortened(console, nothing_selected_lines(console, opened)))
            raise
        waiting = None if unattended else next_steps(opened)
        if waiting is not None:
            return _stop(console, waiting)
        console.watch(export_step(opened, out, executor, unattended=unattended))
    console.result({"bundle": str(out)}, console.tr("Bundle: {folder}", folder=out))
    return 0


def _stop(console: Console, waiting: "NextSteps") -> int:
    lines = [console.tr("Nothing was exported yet. What is missing:")]
    if waiting.undecided:
        text = mark("  values that wait for a decision: {count} (consign values PROJECT --csv FILE)")
        lines.append(console.tr(text, count=waiting.undecided))
    if waiting.roles:
        text = mark("  signatures: {roles} (consign approve PROJECT --as NAME --role ROLE)")
        lines.append(console.tr(text, roles=", ".join(waiting.roles)))
    if waiting.images:
        text = mark("  images that are held back unless a person decides: {count} (consign images PROJECT --csv FILE)")
        lines.append(console.tr(text, count=waiting.images))
    lines.append(console.tr("Then: consign export PROJECT --out FOLDER"))
    told = {"undecided": waiting.undecided, "missing": list(waiting.roles), "held_images": waiting.images}
    console.result(told, "\n".join(lines))
    return BLOCKED


def _shortened(console: Console, lines: list[str]) -> str:
    if len(lines) <= SHOWN_ROWS:
        return "\n".join(lines)
    more = console.tr("... {count} more", count=len(lines) - SHOWN_ROWS)
    return "\n".join([*lines[: SHOWN_ROWS - 1], more, lines[-1]])


def main() -> NoReturn:
    """The entry point; never returns."""
    # click's words are translated by gettext, which looks for the language here and knows neither Windows nor our ways.
    os.environ["LANGUAGE"] = language_of_terminal(os.environ, language_of_system())
    if isinstance(sys.stdout, io.TextIOWrapper):  # a letter that the terminal can't show is no reason to stop
        sys.stdout.reconfigure(errors="backslashreplace")
    quieten_libraries()
    collect_seldom()
    cli(windows_expand_args=False)
    sys.exit(0)
