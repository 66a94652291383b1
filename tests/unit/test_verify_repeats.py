"""A walk that knows the headers before finds in each file what a first walk finds."""

from random import Random

from app.bundle.verify_header import HeaderFormError, HeaderWalker, MoreBytesNeededError, WalkedHeader
from app.bundle.verify_repeats import Repeats
from app.bundle.verify_text import IdentifierSearch
from app.bundle.verify_values import Owner
from tests.unit.bundle_project import encode_header, make_dataset, native
from tests.unit.test_verify_header import CODE, OWNER, approve, row

Outcome = WalkedHeader | tuple[str, str] | int
NANS = row("ExposureTimeInms", "FD", "number", low="0.5", high="1.0")


def files(code: str = CODE, series: int = 4, count: int = 6) -> list[bytes]:
    return [b"".join(native(make_dataset(code, series, number), b"\0" * 80_000)) for number in range(1, count + 1)]


def outcome(walker: HeaderWalker, content: bytes, size: int, owner: Owner = OWNER) -> Outcome:
    try:
        return walker.walk(content, size, owner)
    except HeaderFormError as error:
        return error.code, error.path
    except MoreBytesNeededError as error:
        return error.needed


def test_files_of_a_series_are_walked_as_if_each_were_the_first() -> None:
    walker, approved = HeaderWalker(approve()), approve()
    for content in (*files(), *files(series=5), *files()):
        assert outcome(walker, content, len(content)) == outcome(HeaderWalker(approved), content, len(content))


def test_most_of_a_series_is_recognised_from_the_third_file_on() -> None:
    repeats = Repeats()
    approved = approve()
    walker = HeaderWalker(approved)
    walker._repeats = repeats
    for content in files():
        walker.walk(content, len(content), OWNER)
    assert sum(stretch.count for stretch in repeats.stretches.values()) > 20


def test_another_patients_files_are_judged_anew() -> None:
    """The same bytes under another patient's code, and with another patient's identifiers, are findings."""
    approved = approve()
    walker = HeaderWalker(approved)
    theirs = Owner("SITEA-BBBBBB", None)
    searched = Owner(CODE, IdentifierSearch.of_patient(["Thorax^Lunge"]))
    for content in files():
        for owner in (OWNER, OWNER, OWNER, theirs, searched, searched, searched):
            approved.forget()  # as whoever walks does for each patient
            expected = outcome(HeaderWalker(approve()), content, len(content), owner)
            assert outcome(walker, content, len(content), owner) == expected
            assert isinstance(expected, WalkedHeader)
            assert bool(expected.findings) is (owner is not OWNER)


def test_damaged_files_are_walked_as_if_each_were_the_first() -> None:
    random = Random(2)
    approved = approve(NANS)
    walker = HeaderWalker(approved)
    whole = [*files(), *(encode_header(make_dataset(CODE, 4, number)) for number in (1, 2, 3))]
    found = sound = 0
    for number in range(4000):
        original = random.choice(whole)
        content = bytearray(original[:1400])
        for _ in range(number % 3):
            place = random.randrange(120, min(random.choice((360, 1200)), len(content)))
            piece = random.randbytes(random.randint(1, 3))
            match random.randrange(3):
                case 0:
                    content[place : place + len(piece)] = piece
                case 1:
                    content[place:place] = piece
                case _:
                    del content[place : place + random.randint(1, 40)]
        size = len(original) + len(content) - min(len(original), 1400)
        expected = outcome(HeaderWalker(approved), bytes(content), size)
        assert outcome(walker, bytes(content), size) == expected
        if isinstance(expected, WalkedHeader):
            found += bool(expected.findings)
            sound += not expected.findings
    assert found > 100
    assert sound > 50
