"""The whole job through the real command line: on synthetic exports, on canaries, on the public files."""

import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import bagit
import pytest
from click.testing import CliRunner, Result

from app.cli.main import cli
from app.project.folder import Layout
from tests.canaries import find_tokens, value_text, write_canary_export
from tests.factory import write_pacs_export
from tests.real_data import REAL_FILES, needs_real_files

QUICK_PROTOCOL = Path(__file__).parents[1] / "quick.toml"
needs_dciodvfy = pytest.mark.skipif(not shutil.which("dciodvfy"), reason="dciodvfy (dicom3tools) is not installed")


def consign(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def done(*arguments: str | Path) -> str:
    result = consign(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def run_unattended(source: Path, project: Path, out: Path, protocol: Path = QUICK_PROTOCOL) -> str:
    places = ("--project", project, "--out", out, "--protocol", protocol, "--site", "SITEA")
    return done("run", source, *places, "--unattended", "--workers", "serial")


def sums(out: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "export"
    write_pacs_export(folder, seed=1, patients=3)
    return folder


def test_attended_job_waits_for_the_signature_and_then_exports(synthetic: Path, tmp_path: Path) -> None:
    project, out = tmp_path / "project", tmp_path / "out"
    places = ("--project", project, "--out", out, "--protocol", QUICK_PROTOCOL)
    arguments = ("run", synthetic, *places, "--site", "SITEA", "--workers", "serial")
    waiting = consign(*arguments)
    assert waiting.exit_code == 1
    assert "site champion" in waiting.output
    assert not out.exists()
    assert consign("export", project, "--out", out, "--workers", "serial").exit_code == 1

    dump = tmp_path / "values.csv"
    done("values", project, "--csv", dump)
    lines = dump.read_text(encoding="utf-8-sig").splitlines()
    header = lines[0].split(",")
    decision, suspicion = header.index("decision"), header.index("suspicion")
    decided = [lines[0]]
    for line in lines[1:]:
        cells = line.split(",")
        if len(cells) == len(header) and cells[0] == "value" and "identity" in cells[suspicion].split():
            cells[decision] = "drop"
        decided.append(",".join(cells))
    dump.write_text("\n".join(decided) + "\n", encoding="utf-8-sig")
    done("values", project, "--decide", dump)
    done("approve", project, "--as", "Ada Champion", "--role", "site champion")
    done("export", project, "--out", out, "--workers", "serial")
    assert "Verified" in done("verify", out, "--project", project)
    with zipfile.ZipFile(next(out.glob("*.zip"))) as part:
        base = part.namelist()[0].split("/")[0]
        sign_off = json.loads(part.read(f"{base}/metadata/signoff.json"))
    assert sign_off["signatures"][0]["name"] == "Ada Champion"
    assert sign_off["unattended"] is False


def test_unattended_bundle_says_that_nobody_reviewed_it(synthetic: Path, tmp_path: Path) -> None:
    run_unattended(synthetic, tmp_path / "project", tmp_path / "out")
    assert "NO PERSON REVIEWED THIS" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.zip"))) as part:
        base = part.namelist()[0].split("/")[0]
        assert json.loads(part.read(f"{base}/metadata/signoff.json"))["unattended"] is True
        assert "NO PERSON REVIEWED THIS" in part.read(f"{base}/metadata/dataset-card.json").decode()


def test_same_project_gives_the_same_bytes_again(synthetic: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    run_unattended(synthetic, project, tmp_path / "first")
    done("export", project, "--out", tmp_path / "second", "--unattended", "--workers", "serial")
    assert sums(tmp_path / "first") == sums(tmp_path / "second")


def test_same_secret_gives_the_same_bytes_in_another_project(synthetic: Path, tmp_path: Path) -> None:
    run_unattended(synthetic, tmp_path / "one", tmp_path / "first")
    done("new", tmp_path / "two", "--site", "SITEA", "--protocol", QUICK_PROTOCOL)
    shutil.copy(Layout(tmp_path / "one").secret_key, Layout(tmp_path / "two").secret_key)
    run_unattended(synthetic, tmp_path / "two", tmp_path / "second")
    assert sums(tmp_path / "first") == sums(tmp_path / "second")


def test_second_run_reads_and_builds_nothing_again(synthetic: Path, tmp_path: Path) -> None:
    run_unattended(synthetic, tmp_path / "project", tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.zip")}
    output = run_unattended(synthetic, tmp_path / "project", tmp_path / "out")
    assert "0 done now" in output
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.zip")} == before


def test_crosswalk_leads_back_from_every_released_instance(synthetic: Path, tmp_path: Path) -> None:
    run_unattended(synthetic, tmp_path / "project", tmp_path / "out")
    done("crosswalk", tmp_path / "project", "--csv", tmp_path / "crosswalk.csv")
    rows = [line.split(",") for line in (tmp_path / "crosswalk.csv").read_text().splitlines()]
    assert rows[0] == ["kind", "original", "released"]
    released = {row[-1] for row in rows if row[0] == "instance"}
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.zip"))) as part:
        table = part.read(f"{part.namelist()[0].split('/')[0]}/metadata/instances.csv").decode().splitlines()
    column = table[0].split(",").index("sop_instance_uid")
    assert {line.split(",")[column] for line in table[1:]} == released


def test_every_file_is_listed_by_name_with_what_became_of_it(synthetic: Path, tmp_path: Path) -> None:
    run_unattended(synthetic, tmp_path / "project", tmp_path / "out")
    done("files", tmp_path / "project", "--csv", tmp_path / "files.csv")
    lines = (tmp_path / "files.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "file,member,outcome,reason"
    outcomes = Counter(line.split(",")[2] for line in lines[1:])
    assert set(outcomes) == {"prepared", "held-back", "not-selected", "skipped", "unreadable"}
    assert sum(1 for path in synthetic.rglob("*") if path.is_file()) <= outcomes.total()


def test_nothing_is_selected_from_a_catalogue_that_is_not_complete(tmp_path: Path) -> None:
    done("new", tmp_path / "project", "--site", "SITEA")
    result = consign("select", tmp_path / "project")
    assert result.exit_code == 2
    assert "consign scan" in result.output


def test_no_canary_leaves_by_any_way(tmp_path: Path) -> None:
    canaries = write_canary_export(tmp_path / "export")
    planted = b"".join(path.read_bytes() for path in (tmp_path / "export").rglob("*") if path.is_file())
    seen = set(find_tokens(planted, canaries.tokens))
    assert len(seen) > 0.9 * len(canaries.tokens)  # the search does find them where they are (archives apart)

    options = f"--project {tmp_path / 'project'} --out {tmp_path / 'out'} --site SITEA --unattended --workers 2".split()
    command = [sys.executable, "-m", "app", "run", str(tmp_path / "export"), *options]
    result = subprocess.run(command, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert find_tokens(result.stdout + result.stderr, canaries.tokens) == []
    for path in (tmp_path / "out").rglob("*"):
        assert find_tokens(str(path.relative_to(tmp_path)).encode(), canaries.tokens) == []
        assert find_tokens(path.read_bytes(), canaries.tokens) == [], path.name
    layout = Layout(tmp_path / "project")
    for folder in (layout.tmp, layout.logs, layout.decisions):
        for path in folder.rglob("*"):
            assert find_tokens(path.read_bytes(), canaries.tokens) == [], path.name


def test_technical_attributes_of_the_canary_export_come_through_unchanged(tmp_path: Path) -> None:
    import io

    import pydicom

    canaries = write_canary_export(tmp_path / "export")
    run_unattended(tmp_path / "export", tmp_path / "project", tmp_path / "out")
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.zip"))) as part:
        names = [name for name in part.namelist() if name.endswith(".dcm")]
        instances = [pydicom.dcmread(io.BytesIO(part.read(name)), stop_before_pixels=True) for name in names]
    assert canaries.technical
    for path, value in canaries.technical.items():
        assert any(value_text(instance, path) == value for instance in instances), path


@needs_real_files
def test_every_public_file_is_accounted_for(tmp_path: Path) -> None:
    output = run_unattended(REAL_FILES, tmp_path / "project", tmp_path / "out")
    assert "Traceback" not in output
    assert "Verified" in done("verify", tmp_path / "out", "--project", tmp_path / "project")
    line = output.split("Reading files: ")[-1].split("\n")[0]
    counts = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", line)}
    told = ("instances", "skipped", "unreadable", "duplicates", "conflicts")
    assert counts["files"] == sum(counts[name] for name in told)
    on_disk = sum(1 for path in REAL_FILES.rglob("*") if path.is_file())
    assert counts["files"] >= on_disk  # archive members come on top
    for path in (tmp_path / "out").glob("*.zip"):
        with zipfile.ZipFile(path) as part:
            assert part.testzip() is None
            part.extractall(tmp_path / "extracted")
        assert bagit.Bag(str(tmp_path / "extracted" / path.stem)).validate()


@needs_real_files
@needs_dciodvfy
def test_released_public_files_have_no_new_error(tmp_path: Path) -> None:
    run_unattended(REAL_FILES, tmp_path / "project", tmp_path / "out")
    done("crosswalk", tmp_path / "project", "--csv", tmp_path / "crosswalk.csv")
    originals = {
        row[2]: row[1]
        for row in (line.split(",") for line in (tmp_path / "crosswalk.csv").read_text().splitlines())
        if row[0] == "instance"
    }
    sources = _sources_by_uid()
    checked = 0
    for path in (tmp_path / "out").glob("*.zip"):
        with zipfile.ZipFile(path) as part:
            part.extractall(tmp_path / "extracted")
        with (tmp_path / "extracted" / path.stem / "metadata" / "instances.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))
        for row in rows:
            source = sources.get(originals[row["sop_instance_uid"]])
            if source is None:
                continue  # inside an archive
            new = _errors(tmp_path / "extracted" / path.stem / row["file"])
            old = _errors(source)
            assert set(new) <= set(old), source.name
            checked += 1
    assert checked > 100


def _sources_by_uid() -> dict[str, Path]:
    from app.dicom.reading import SOP_INSTANCE_UID, read_header
    from app.errors import UnreadableError
    from tests.real_data import iterate_real_files

    found: dict[str, Path] = {}
    for path in iterate_real_files():
        try:
            with path.open("rb") as file:
                found.setdefault(read_header(file).text(SOP_INSTANCE_UID), path)
        except UnreadableError:
            continue
    return found


def _errors(path: Path) -> Counter[str]:
    """dciodvfy's errors without the values that they quote."""
    output = subprocess.run(["dciodvfy", "-new", path], capture_output=True, check=False, timeout=60)
    lines = (output.stdout + output.stderr).decode("latin-1").splitlines()
    return Counter(re.sub(r"= <.*|\[\d+\]", "", line).strip() for line in lines if line.startswith("Error"))
