import ast
import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.errors import Reason, UsageError
from app.project.decisions import DecisionsRefusedError, RowProblem
from app.project.values import Suspicion
from app.text.findings import FINDINGS
from app.text.i18n import open_translation
from app.text.messages import ERRORS, NOTES, ROWS, sentence_for, sentences_for
from app.text.reasons import REASONS, SUSPICIONS

APP = Path(__file__).resolve().parents[2] / "app"
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(APP.rglob("*.py"))}
TABLES: dict[str, Mapping[str, str]] = {
    "errors": ERRORS, "rows": ROWS, "notes": NOTES, "reasons": REASONS, "findings": FINDINGS
}  # fmt: skip
# What sentence_for adds by itself, to any sentence.
ADDED = {"suggestion", "line", "column", "key"}
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")


def name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def error_classes() -> set[str]:
    """ConsignError and all its subclasses but those whose code is a Reason."""
    known = {"ConsignError"}
    bases = [
        (node.name, {name_of(base) for base in node.bases})
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    for _ in bases:
        known |= {name for name, parents in bases if parents & known}
    return known - {"FileError", "UnreadableError", "HeldBackError"}


def calls(names: set[str], code_at: int) -> Iterator[tuple[str, str, ast.Call]]:
    """Where, code and call, of each call of ``names`` whose argument number ``code_at`` is a text."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name_of(node.func) in names and len(node.args) > code_at:
                code = node.args[code_at]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield f"{path.relative_to(APP)}:{node.lineno}", code.value, node


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


ROW_CLASSES = {"RowProblem", "RefusedRowError"}
RAISED = [
    *((where, code, call, ERRORS) for where, code, call in calls(error_classes() - ROW_CLASSES, 0)),
    *((where, code, call, ROWS) for where, code, call in calls({"RefusedRowError"}, 0)),
    *((where, code, call, ROWS) for where, code, call in calls({"RowProblem"}, 1)),
    *((where, code, call, NOTES) for where, code, call in calls({"Note"}, 1)),
]


def test_each_code_in_the_source_has_a_message() -> None:
    missing = {where: code for where, code, _, table in RAISED if code not in table}
    assert missing == {}


def test_no_message_is_unused() -> None:
    constants = {
        node.value
        for path, tree in TREES.items()
        if path.parent.name != "text"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    unused = {code for table in TABLES.values() for code in table if code not in constants}
    assert unused == set()


def test_each_field_of_a_message_is_given_wherever_its_code_is_raised() -> None:
    wrong = {}
    for where, code, call, table in RAISED:
        given: set[object] = {keyword.arg for keyword in call.keywords}
        if table is NOTES:
            ids = [*call.args[2:], *(keyword.value for keyword in call.keywords if keyword.arg == "ids")]
            given = {
                key.value if isinstance(key, ast.Constant) else None
                for one in ids
                if isinstance(one, ast.Dict)
                for key in one.keys
            }
        if None not in given and not fields(table.get(code, "")) <= given:
            wrong[where] = code
    assert wrong == {}


def test_each_reason_and_each_suspicion_has_a_sentence() -> None:
    assert set(REASONS) == set(Reason)
    assert set(SUSPICIONS) == set(Suspicion)


def test_each_finding_of_the_verification_has_a_sentence() -> None:
    constants = {
        node.value
        for path, tree in TREES.items()
        if path.match("bundle/verify*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    codes = {text for text in constants if re.fullmatch("[a-z]+(-[a-z]+)+", text)}
    assert codes - FINDINGS.keys() - REASONS.keys() == set()


def test_no_code_means_two_things() -> None:
    codes = [code for table in [*TABLES.values(), SUSPICIONS] for code in table]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("table", [*TABLES.values(), SUSPICIONS], ids=[*TABLES, "suspicions"])
def test_each_message_is_a_sentence_without_the_forbidden_word(table: Mapping[str, str]) -> None:
    for code, text in table.items():
        assert CODE.fullmatch(code)
        assert re.match(r"[A-Z{]|[a-z-]+[./]", text)  # a word, a field, or a file's name
        assert text.endswith((".", "1.0", "}"))
        assert "anonymi" not in text.lower()


def test_ids_fill_the_sentence_and_places_are_added() -> None:
    assert sentence_for("csv-column-missing", {"column": "path"}) == (
        "The CSV lacks the column path. Keep the columns of the file that Consign wrote."
    )
    assert sentence_for("protocol-unknown-key", {"key": "revuew", "suggestion": "review", "line": 7}) == (
        "The protocol has no key revuew. Correct its spelling or remove it. Did you mean review? (line 7)"
    )
    assert sentence_for("protocol-unknown-key", {"key": "x", "suggestion": "", "line": 7}).endswith("it. (line 7)")
    assert sentence_for("query-too-deep", {"limit": 9, "key": "selection.where", "line": 3}).endswith(
        "Make it simpler. (line 3, at selection.where)"
    )


def test_code_among_the_ids_becomes_its_words() -> None:
    assert sentence_for("held-back-in-export", {"count": 2, "reason": "bad-codestream"}) == (
        "Instances held back during the export: 2. A compressed frame is damaged."
    )


def test_refused_csv_tells_every_row() -> None:
    error = DecisionsRefusedError([RowProblem(3, "row-without-path"), RowProblem(9, "replacement-too-long")])
    assert sentences_for(error) == [
        "Rows of the CSV that are not understood: 2, the first at line 3; nothing was taken. Correct them and try "
        "again.",
        "Line 3: The path is empty. Put the original path back.",
        "Line 9: The replacement is too long for its attribute. Shorten it.",
    ]
    assert len(sentences_for(UsageError("list-empty"))) == 1


def test_braces_in_an_id_are_not_filled_in() -> None:
    assert "{limit}" in sentence_for("unknown-role", {"roles": "{limit}"})


def test_unknown_code_and_missing_id_are_told_and_do_not_fail() -> None:
    assert sentence_for("from-a-newer-version", {"part": 2}) == "from-a-newer-version part=2"
    assert sentence_for("part-lost", {}).startswith("A worker died while it built part {part}.")


def test_sentence_is_translated_before_it_is_filled() -> None:
    german = {ERRORS["part-lost"]: "Teil {part} ging verloren."}
    assert sentence_for("part-lost", {"part": 3}, lambda text: german.get(text, text)) == "Teil 3 ging verloren."


def test_language_without_a_catalogue_is_english() -> None:
    assert open_translation(["xx_XX"])("Only one patient has it.") == "Only one patient has it."
