"""A header read with a memory equals the one read without, whatever came before and however it is damaged."""

import io
import warnings
from random import Random

import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from app.dicom.reading import Header, read_header
from app.dicom.runs import Elements, HeaderMemory, Run
from app.dicom.tokens import DEFAULT_LIMITS, Limits
from app.errors import Reason, UnreadableError
from tests.factory import ct_series, enhanced_mr, make_study
from tests.real_data import iterate_real_files, needs_real_files
from tests.unit.test_reading import comparable, raw_elements


def encode(dataset: pydicom.Dataset, syntax: UID) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = io.BytesIO()
    little, implicit = syntax.is_little_endian, syntax.is_implicit_VR
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True, little_endian=little, implicit_vr=implicit)
    return buffer.getvalue()


def slices(syntax: UID = ExplicitVRLittleEndian, count: int = 8, seed: int = 5) -> list[bytes]:
    return [encode(one, syntax) for one in ct_series(make_study(seed), slices=count, rows=4, columns=4)]


def outcome(content: bytes, memory: HeaderMemory | None, limits: Limits = DEFAULT_LIMITS) -> Header | Reason:
    try:
        return read_header(io.BytesIO(content), limits, memory)
    except UnreadableError as error:
        return error.reason


def elements_outside_of_runs(content: bytes, memory: HeaderMemory) -> int:
    elements = read_header(io.BytesIO(content), memory=memory).elements
    assert isinstance(elements, Elements)
    return sum(not isinstance(segment, Run) for segment in elements.segments)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_most_of_a_series_is_recognised_from_the_third_slice_on(syntax: UID) -> None:
    memory = HeaderMemory()
    first, second, *others = slices(syntax)
    outcome(first, memory)
    outcome(second, memory)
    assert max(elements_outside_of_runs(one, memory) for one in others) < 12


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_slices_read_with_a_memory_are_the_same(syntax: UID) -> None:
    memory = HeaderMemory()
    for one in (*slices(syntax), *slices(syntax, seed=6), *slices(syntax)):
        assert outcome(one, memory) == outcome(one, None)


def test_signs_of_another_instance_do_not_stick() -> None:
    """An implicit (0028,0106) is US or SS by (0028,0103) of its own instance."""
    memory = HeaderMemory()
    for sign in (0, 0, 0, 1, 1, 0, 1):
        (dataset,) = ct_series(make_study(5), slices=1, rows=4, columns=4)
        dataset.PixelRepresentation = sign
        dataset.add_new(0x00280106, "SS" if sign else "US", 7)
        content = encode(dataset, ImplicitVRLittleEndian)
        header = outcome(content, memory)
        assert header == outcome(content, None)
        assert isinstance(header, Header)
        assert header.by_tag[0x00280106].vr == ("SS" if sign else "US")


@pytest.mark.parametrize("elements", range(60, 140, 3))
def test_limit_of_elements_holds_for_what_is_recognised(elements: int) -> None:
    memory = HeaderMemory()
    one, other, *_ = slices()
    for content in (one, other, one):
        outcome(content, memory)
    limits = Limits(elements=elements)
    assert outcome(one, memory, limits) == outcome(one, None, limits)


def test_run_out_of_its_order_is_refused_as_without_a_memory() -> None:
    memory = HeaderMemory()
    contents = slices()
    for content in contents:
        outcome(content, memory)
    head, middle = contents[0].index(b"\x10\0\x10\0PN"), contents[0].index(b"\x18\0\x15\0")
    twice = contents[0][:middle] + contents[0][head:]
    assert outcome(twice, memory) is outcome(twice, None) is Reason.TAGS_NOT_RISING


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_damaged_headers_are_the_same_with_a_memory(syntax: UID) -> None:
    random = Random(3)
    mr = encode(enhanced_mr(make_study(2), frames=2, rows=4, columns=4), syntax)
    whole = [*slices(syntax, count=6), mr, mr]
    memory = HeaderMemory()
    refused = 0
    for number in range(1500):
        content = bytearray(random.choice(whole))
        for _ in range(number % 4):
            place = random.randrange(128, min(len(content), random.choice((400, 4000))))
            piece = random.randbytes(random.randint(1, 4))
            match random.randrange(3):
                case 0:
                    content[place : place + len(piece)] = piece
                case 1:
                    content[place:place] = piece
                case _:
                    del content[place : place + random.randint(1, 64)]
        if number % 50 == 0:
            del content[random.randrange(128, len(content)) :]
        expected = outcome(bytes(content), None)
        assert outcome(bytes(content), memory) == expected
        refused += isinstance(expected, Reason)
    assert 100 < refused < 1400


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_damaged_headers_that_are_read_say_what_pydicom_reads(syntax: UID) -> None:
    """The referee also of what is recognised: whatever is not refused is the same elements in the same bytes."""
    random = Random(8)
    whole = [*slices(syntax, count=4), encode(enhanced_mr(make_study(2), frames=2, rows=4, columns=4), syntax)]
    memory = HeaderMemory()
    compared = 0
    for _ in range(600):
        content = bytearray(random.choice(whole))
        for _ in range(random.randint(1, 3)):
            content[random.randrange(340, min(len(content), 4000))] = random.randrange(256)
        header = outcome(bytes(content), memory)
        if isinstance(header, Reason):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(bytes(content)), force=True, stop_before_pixels=True)
            expected = raw_elements(dataset, top=True)
        found = [one for one in comparable(header.elements, big=False) if one[0] < 0x7FE00008]
        assert found == expected
        compared += 1
    assert compared > 100


@needs_real_files
def test_real_files_read_with_a_memory_are_the_same() -> None:
    memory = HeaderMemory()
    read = 0
    for path in iterate_real_files():
        content = path.read_bytes()
        expected = outcome(content, None)
        # Three times, so that the third is recognised.
        assert [outcome(content, memory) for _ in range(3)] == [expected] * 3, path.name
        read += isinstance(expected, Header)
    assert read > 200
