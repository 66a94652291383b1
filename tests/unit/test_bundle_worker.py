"""What travels to workers, and what they may not do."""

import ast
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.bundle.card import CardFacts
from app.bundle.part import BagWriter, PartBuilt, PartContext, PartTask, PartUnwritable, Trace, build_parts, read_trace
from app.bundle.release import ReleasedInstance, ReleaseTask
from app.bundle.sign_off import SignOffRecord
from app.bundle.tables import encode_sign_off, encode_values
from app.bundle.verify_part import verify_part
from app.errors import BundleError
from app.files.resources import resource_path
from tests.unit.bundle_project import (
    PIXEL_BYTES,
    RULES_CSV,
    SIGNED,
    FakePatient,
    first_instance,
    release_instance,
    tamper,
    value_rows,
)

STEM = "SITEA-lung-1-part-001"


def make_context(folder: Path, function: object = release_instance) -> PartContext:
    values = encode_values(value_rows())
    return PartContext(
        function=function,  # type: ignore[arg-type]  # some tests break the contract on purpose
        patients={1: FakePatient("SITEA-CCCCCC")},
        patient_codes={1: "SITEA-CCCCCC"},
        identifiers=None,
        files={
            "values.csv": values,
            "rules.csv": RULES_CSV,
            "protocol.toml": b"",
            "signoff.json": encode_sign_off(SIGNED, values, RULES_CSV, b""),
        },
        facts=CardFacts("SITEA-lung-1", 1, "SITEA", "lung-1", "t", "c", "0" * 64, (), "shifted", SIGNED),
        folder=str(folder),
    )


def make_task(*numbers: int) -> PartTask:
    tasks = tuple((ReleaseTask(number, 1, 2, '["/source/1/sound"]', 0, 0), PIXEL_BYTES + 2000) for number in numbers)
    return PartTask(1, STEM, f"{STEM}.zip.0.part", f"{STEM}.zip.0.at", tasks)


def released_for_nobody(context: object, task: ReleaseTask) -> ReleasedInstance:
    return replace(release_instance(context, task), patient_code="SITEA-ZZZZZZ")


def test_work_and_results_can_be_pickled(tmp_path: Path) -> None:
    context, task = pickle.loads(pickle.dumps((make_context(tmp_path), make_task(1, 2))))
    outcomes = pickle.loads(pickle.dumps(build_parts(context, (task,))))
    assert isinstance(outcomes[0], PartBuilt)
    assert [path.name for path in tmp_path.iterdir()] == [task.part_name]


def test_original_locators_do_not_show_in_representations(tmp_path: Path) -> None:
    assert "/source" not in repr(make_task(1))
    assert "SITEA-CCCCCC" not in repr(make_context(tmp_path))


def test_an_instance_released_for_another_patient_is_a_defect(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="released-for-another-patient"):
        build_parts(make_context(tmp_path, released_for_nobody), (make_task(1),))
    assert list(tmp_path.iterdir()) == []


def test_an_instance_released_twice_is_a_defect(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="released-twice"):
        build_parts(make_context(tmp_path), (make_task(1, 1),))


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    (outcome,) = build_parts(make_context(tmp_path / "gone"), (make_task(1),))
    assert outcome == PartUnwritable(1, is_full=False)


@pytest.mark.parametrize("mended", [True, False])
def test_a_part_that_changed_behind_the_writer_is_found(tmp_path: Path, *, mended: bool) -> None:
    """Also where whoever changed it made checksums, manifests and tables agree."""
    context, task = make_context(tmp_path), make_task(1, 2)
    path = tmp_path / f"{STEM}.zip"
    with path.open("xb") as file:
        writer = BagWriter(file, STEM)
        for instance, bound in task.instances:
            writer.write_instance(release_instance(context.patients[1], instance), bound)
        writer.finish(context.files, context.facts, 1)
    assert verify_part(path, writer.expected()).findings == ()

    def flip_the_last_pixel(entries: dict[str, bytes]) -> None:
        name = first_instance(entries)
        entries[name] = entries[name][:-1] + bytes((entries[name][-1] ^ 1,))

    tamper(path, flip_the_last_pixel, mended=mended)
    assert "pixels-altered" in {finding.code for finding in verify_part(path, writer.expected()).findings}
    content = path.read_bytes()
    path.write_bytes(content[:2000] + bytes((content[2000] ^ 1,)) + content[2001:])
    assert {finding.code for finding in verify_part(path, writer.expected()).findings} == {"zip-checksum"}


def test_the_trace_names_the_instance_under_way(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    assert read_trace(path) is None
    with Trace(path) as trace:
        trace.mark(123_456_789)
        assert read_trace(path) == 123_456_789
        trace.mark(5)
        assert read_trace(path) == 5
        trace.mark(None)
        assert read_trace(path) is None


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (SIGNED, "Approved by R. Reviewer & Co (site champion)."),
        (SignOffRecord((), unattended=True, digest=""), "NO PERSON REVIEWED THIS."),
        (SignOffRecord((), unattended=False, digest=""), "The protocol asks for no signature"),
    ],
)
def test_the_sign_off_speaks_plainly(record: SignOffRecord, expected: str) -> None:
    assert record.statement.startswith(expected)


def test_the_recipients_script_needs_nothing_newer_than_python_3_8() -> None:
    source = resource_path("templates/verify.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
    newer = {"removeprefix", "removesuffix", "file_digest", "is_relative_to", "readlink", "with_stem", "hardlink_to"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & newer


def test_the_reader_shares_no_code_with_the_writer() -> None:
    """But for the dictionary of the standard, which another test compares with pydicom's."""
    shared = ("app.events", "app.dicom.dictionary")
    folder = Path(sys.modules["app.bundle"].__path__[0])
    for path in folder.glob("verify*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        modules = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        ours = {name for name in modules if name.startswith("app.")}
        assert all(name.startswith("app.bundle.verify") or name in shared for name in ours), path.name
