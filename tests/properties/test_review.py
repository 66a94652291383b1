import tempfile
from datetime import date
from itertools import zip_longest
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.project.cells import cell_of_text, text_of_cell
from app.project.decisions import Decisions, ValueAction, ValueDecision, load_decisions, save_decisions
from app.project.folder import Layout
from app.project.values import RowKind, Suspicion, ValueRow
from app.review.csv_exchange import read_decisions, write_csv
from app.review.known_identity import KnownIdentity
from app.review.suspicion import looks_like

ODD = st.sampled_from(
    [*"=+-@'\t\r\n\"\\,;\x00\x1b\x7f␉␛␡␦＝ 0aé", "=1+1", "007", "TRUE", "Mar 1", "\r\n", "\u2028", "\x85"]
)
TEXT = st.lists(ODD | st.text(max_size=5), max_size=6).map("".join)
VALUE = TEXT.filter(bool)
PATH = st.sampled_from(["SeriesDescription", "(00E1,xx21)[ELSCINT1]", '(0019,00xx)[=A, "B"]'])
DECISION = st.sampled_from([ValueAction.KEEP, ValueAction.DROP])
SEEN = st.frozensets(st.sampled_from(Suspicion))


@given(TEXT)
def test_cell_reads_back_as_the_text(text: str) -> None:
    assert text_of_cell(cell_of_text(text)) == text


@given(TEXT)
def test_cell_starts_no_formula_and_holds_no_control_character(text: str) -> None:
    cell = cell_of_text(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert not any(ord(character) < 0x20 or character == "\x7f" for character in cell)


@given(
    st.dictionaries(st.tuples(PATH, VALUE), st.builds(ValueDecision, DECISION, st.just(""), SEEN), max_size=8),
    TEXT,
)
def test_decisions_survive_the_csv_and_the_project_file(
    values: dict[tuple[str, str], ValueDecision], note: str
) -> None:
    decisions = Decisions(
        values=values, notes={(RowKind.VALUE, path, value): note for path, value in values} if note else {}
    )
    rows = [
        ValueRow(RowKind.VALUE, path, value, "LO", "", "", "", 1, 1, 1, tuple(decision.seen))
        for (path, value), decision in values.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.csv"
        write_csv(rows, decisions, file)
        assert read_decisions(file).decisions == decisions
        layout = Layout(Path(folder))
        layout.decisions.mkdir()
        save_decisions(layout, decisions)
        assert load_decisions(layout) == decisions


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    looks_like(text)


@given(st.sampled_from(["name", "id", "date", "place", "uid"]), st.text(max_size=30), st.text(max_size=60))
def test_any_identity_can_be_searched_for(kind: str, original: str, text: str) -> None:
    KnownIdentity([(kind, original)], frozenset()).occurs_in(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzéüñ", min_size=3, max_size=20), st.text(max_size=20))
def test_name_standing_alone_is_always_found(name: str, around: str) -> None:
    identity = KnownIdentity([("name", f"{name.capitalize()}^X")], frozenset())
    assert identity.occurs_in(f"{around} {name.upper()} {around}")


SPELLED = ["%Y%m%d", "%d%m%Y", "%y%m%d", "%d.%m.%y", "%m/%d/%Y", "%Y - %m - %d", "%d-%b-%Y", "%B %d, %Y", "%d%b%y"]


@given(st.dates(min_value=date(1000, 1, 1)), st.sampled_from(SPELLED), st.text(alphabet="abc xyz", max_size=20))
def test_date_is_found_however_it_is_spelled(day: date, spelled: str, around: str) -> None:
    identity = KnownIdentity([("date", f"{day:%Y%m%d}")], frozenset())
    assert identity.occurs_in(f"{around} {day.strftime(spelled)} {around}")


@given(st.from_regex(r"[A-Z]{0,3}[1-9]{6,12}", fullmatch=True), st.lists(st.sampled_from(["", " ", "-", ".", "_"])))
def test_identifier_is_found_whatever_stands_between_its_characters(original: str, separators: list[str]) -> None:
    spread = "".join(
        character + separator
        for character, separator in zip_longest(original, separators[: len(original) - 1], fillvalue="")
    )
    assert KnownIdentity([("id", original)], frozenset()).occurs_in(f"see {spread} there")
