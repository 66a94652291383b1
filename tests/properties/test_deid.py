"""What must hold for any input: only what is let in leaves, it is readable, and damage has a reason."""

import io
import string
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file

from app.deid.engine import Engine
from app.deid.release import Releaser
from app.deid.rules import compile_rules, requirements_of
from app.deid.values import Drop, DroppedError, release_value
from app.dicom.profile import Action, DatePreset, Option
from app.dicom.reading import Header
from app.dicom.tagpath import format_path, parse_path
from app.dicom.temporal import shift_date, shift_date_time
from app.dicom.tokens import DEFAULT_LIMITS, EXPLICIT_LITTLE, KNOWN_VRS, Element, Tokenizer
from app.dicom.uids import is_uid, keyed_uid
from app.dicom.words import clean_text, fold, load_vocabulary, split_words
from app.errors import FileError, HeldBackError
from tests.factory import ct_series, enhanced_mr, make_study, rt_structure_set, to_bytes
from tests.unit.deid_case import CLEAR, DEFAULT_OPTIONS, PATIENT, make_recipe

OPTIONS = DEFAULT_OPTIONS | {Option.RETAIN_SAFE_PRIVATE, Option.CLEAN_STRUCTURED_CONTENT, Option.RETAIN_DEVICE_IDENTITY}
CT = "1.2.840.10008.5.1.4.1.1.2"
RULES = compile_rules(frozenset(OPTIONS), DatePreset.SHIFTED, ())
LISTED = sorted(RULES.rules)
SEQUENCES = [tag for tag, rule in RULES.rules.items() if rule.vrs == ("SQ",)]
OURS = frozenset((0x00080005, 0x00120062, 0x00120063, 0x00120064, 0x00280303))
BASE = {
    0x00080016: ("UI", CT.encode()),
    0x00080018: ("UI", b"1.2.3.4"),
    0x00080060: ("CS", b"CT"),
    0x0020000D: ("UI", b"1.2.3"),
    0x0020000E: ("UI", b"1.2.3.1"),
    0x00280002: ("US", b"\1\0"),
    0x00280004: ("CS", b"MONOCHROME2 "),
    0x00280010: ("US", b"\4\0"),
    0x00280011: ("US", b"\4\0"),
    0x00280100: ("US", b"\x10\0"),
    0x00280101: ("US", b"\x0c\0"),
    0x00280102: ("US", b"\x0b\0"),
    0x00280103: ("US", b"\0\0"),
}

TAG = st.sampled_from(LISTED) | st.sampled_from(LISTED) | st.integers(0x00080000, 0x7FDFFFFF)
VR = st.sampled_from(sorted(KNOWN_VRS - {"SQ"}))
TEXT = st.text("ABCXYZ abc0123456789^.\\-/:+@_", max_size=24).map(str.encode)
BYTES = (
    st.binary(max_size=24) | TEXT | st.sampled_from([b"ZZCANARY", b"SMITH^JOHN", b"19590312", b"1.2.3", b"\\", b" "])
)


@st.composite
def leaf(draw: st.DrawFn) -> Element:
    tag = draw(TAG)
    rule = RULES.rule(tag)
    dictionary = [vr for vr in (rule.vrs if rule else ()) if vr != "SQ"]
    vr = draw(st.sampled_from(dictionary) | VR) if dictionary else draw(VR)
    return Element(tag, vr, draw(BYTES))


def rising(elements: list[Element]) -> tuple[Element, ...]:
    return tuple({element.tag: element for element in sorted(elements, key=lambda element: element.tag)}.values())


ITEM = st.recursive(
    st.lists(leaf(), max_size=5).map(rising),
    lambda item: st.lists(
        leaf()
        | st.builds(
            lambda tag, items: Element(tag, "SQ", tuple(items)),
            st.sampled_from(SEQUENCES) | TAG,
            st.lists(item, max_size=2),
        ),
        max_size=5,
    ).map(rising),
    max_leaves=12,
)


def make_header(elements: tuple[Element, ...], *, with_base: bool = True) -> Header:
    merged = {element.tag: element for element in elements}
    if with_base:
        merged |= {tag: Element(tag, vr, value) for tag, (vr, value) in BASE.items()}
    ordered = tuple(merged[tag] for tag in sorted(merged))
    return Header(ordered, "1.2.840.10008.1.2.1", EXPLICIT_LITTLE, None, (), None, True, {e.tag: e for e in ordered})


def release(header: Header) -> bytes:
    return Engine(make_recipe(OPTIONS), RULES, PATIENT).release(header, CT).encoded


def tokenize(encoded: bytes) -> list[Element]:
    elements, pixel, end = Tokenizer(encoded, EXPLICIT_LITTLE, DEFAULT_LIMITS, complete=True).read_dataset(0)
    assert pixel is None
    assert end == len(encoded)
    return elements


def assert_listed(elements: list[Element] | tuple[Element, ...], prefix: tuple[int, ...] = ()) -> None:
    for element in elements:
        path = (*prefix, element.tag)
        if element.tag >> 16 & 1:
            continue  # safe private elements have a test of their own
        is_required = path in requirements_of(CT)
        assert element.tag in RULES.rules or element.tag in OURS or prefix[:1] == (0x00120064,) or is_required
        if element.tag not in RULES.rules and element.tag not in OURS and prefix[:1] != (0x00120064,):
            assert element.value in (b"", (), b"REMOVED ", b"REMOVED", b"0 ", b"0", b"19000101", b"000000")
        if isinstance(element.value, tuple):
            for item in element.value:
                assert_listed(item, path)


@given(ITEM)
@settings(max_examples=250)
def test_only_listed_attributes_leave_at_any_depth_and_tags_rise(elements: tuple[Element, ...]) -> None:
    # The tokenizer refuses tags that do not rise, and lengths that do not fit.
    assert_listed(tokenize(release(make_header(elements))))


@given(ITEM)
@settings(max_examples=60)
def test_pydicom_reads_every_released_header(elements: tuple[Element, ...]) -> None:
    encoded = release(make_header(elements))
    dataset = dcmread(io.BytesIO(encoded), force=True)
    assert dataset.PatientID == PATIENT.code
    assert [int(element.tag) for element in dataset] == [element.tag for element in tokenize(encoded)]


@given(ITEM)
@settings(max_examples=60)
def test_same_header_gives_the_same_bytes(elements: tuple[Element, ...]) -> None:
    assert release(make_header(elements)) == release(make_header(elements))


@given(ITEM)
@settings(max_examples=100)
def test_header_without_what_an_image_needs_is_held_back_or_released(elements: tuple[Element, ...]) -> None:
    try:
        tokenize(release(make_header(elements, with_base=False)))
    except HeldBackError:
        assume(True)


@given(
    st.sampled_from(LISTED),
    VR | st.none(),
    BYTES,
    st.sampled_from([(), ("ISO_IR 192",), ("ISO_IR 100",), ("ISO 2022 IR 87",), ("GB18030",)]),
)
@settings(max_examples=800)
def test_value_leaves_or_is_dropped_and_nothing_else_happens(
    tag: int, vr: str | None, raw: bytes, character_sets: tuple[str, ...]
) -> None:
    rule = RULES.rules[tag]
    assume(rule.vrs[0] != "SQ" and raw)
    try:
        value = release_value(rule, tag, vr or rule.vrs[0], raw, character_sets, make_recipe(OPTIONS), PATIENT)
    except DroppedError as dropped:
        assert dropped.reason in Drop
    else:
        assert value.vr in rule.vrs
        if not rule.verbatim and value.vr in ("CS", "LO", "SH", "UI", "DA", "TM", "DT", "AS", "IS", "DS", "ST"):
            assert b"CANARY" not in value.encoded
            assert b"SMITH" not in value.encoded
            # An option may keep a date: Retain Device Identity does that of a calibration.
            assert rule.action is Action.KEEP or b"19590312" not in value.encoded


TAGS = st.sampled_from(LISTED) | st.integers(0, 0xFFFFFFFF)


@given(st.lists(TAGS, min_size=1, max_size=6).map(tuple))
def test_tag_path_prints_and_parses_back(path: tuple[int, ...]) -> None:
    assert parse_path(format_path(path)) == path


@given(st.binary(min_size=1, max_size=64), st.text(string.digits + ".", min_size=1, max_size=64))
def test_keyed_uid_is_a_uid_and_the_same_again(key: bytes, uid: str) -> None:
    made = keyed_uid(key, uid)
    assert is_uid(made)
    assert made.startswith("2.25.")
    keyed_uid.cache_clear()
    assert keyed_uid(key, uid) == made
    assert keyed_uid(key + b"x", uid) != made


WORDS = load_vocabulary()
SAMPLE = sorted(WORDS)[::40]
FREE_TEXT = st.lists(
    st.sampled_from(SAMPLE)
    | st.sampled_from("12 03 59 1959 S M I T 555 1234 T1 2.5 B70f 95Y March oct. 10:32 Zzyx smith".split())
    | st.text(max_size=4),
    max_size=12,
).flatmap(
    lambda words: st.sampled_from([" ", "_", "-", ".", "/", "\\", "  ", "", " \n"]).map(lambda sign: sign.join(words))
)


@given(FREE_TEXT, st.booleans())
@settings(max_examples=400)
def test_cleaned_text_is_safe_words_and_small_numbers_and_cleans_to_itself(text: str, technical: bool) -> None:
    cleaned = clean_text(text, WORDS, frozenset((fold("smith"),)), technical=technical)
    for word in split_words(cleaned.text):
        letters = [character for character in word if character.isalpha()]
        assert word in WORDS or word.isdigit() or len(letters) <= 1 or any(character.isdigit() for character in word)
        assert word != "smith"
        assert not (word.isdigit() and len(word) > 4)
    again = clean_text(cleaned.text, WORDS, frozenset((fold("smith"),)), technical=technical)
    assert again.text == cleaned.text
    assert not again.original_dropped


@given(st.dates().map(lambda day: day.strftime("%Y%m%d").rjust(8, "0")), st.integers(0, 4000))
def test_shifted_date_comes_back(text: str, days: int) -> None:
    moved = shift_date(text, -days)
    assume(moved is not None)
    assert moved is not None
    assert shift_date(moved, days) == text
    assert shift_date_time(text, -days) == moved


@lru_cache(maxsize=1)
def sources() -> tuple[bytes, ...]:
    study = make_study(3)
    (image,) = ct_series(study, slices=1, rows=8, columns=8)
    made = [
        to_bytes(image),
        to_bytes(enhanced_mr(study, frames=2, rows=8, columns=8)),
        to_bytes(rt_structure_set(study, [image])),
    ]
    for name in ("MR_small_RLE.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"):
        path = get_testdata_file(name)
        assert isinstance(path, str)
        with open(path, "rb") as file:  # noqa: PTH123 - pydicom gives a text
            made.append(file.read())
    return tuple(made)


@pytest.mark.filterwarnings("ignore")
@given(st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_file_leaves_or_has_a_reason(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(sources())))
    reach = st.integers(128, min(len(content), 6000) - 1) | st.integers(0, len(content) - 1)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(reach)
        piece = data.draw(st.binary(min_size=1, max_size=8) | st.just(b"ZZCANARY"))
        if data.draw(st.booleans()):
            content[place : place + len(piece)] = piece
        else:
            content[place:place] = piece
    if data.draw(st.integers(0, 9)) == 0:
        del content[data.draw(reach) :]
    releaser = Releaser(make_recipe(OPTIONS), PATIENT)
    with io.BytesIO(bytes(content)) as file:
        try:
            surveyed = releaser.survey(file, CLEAR)
            released = releaser.release(file, CLEAR)
            pixels = b"".join(released.pixels)
        except FileError:
            return
    assert surveyed.header.encoded == released.header.encoded
    assert len(released.head) + len(pixels) <= surveyed.size_limit
    tokenize(released.header.encoded)


@pytest.mark.parametrize("tag", [0x10000000, 0x60020010, 0x50000005])
def test_tag_of_a_repeating_group_keeps_its_numbers(tag: int) -> None:
    assert parse_path(format_path((tag,))) == (tag,)
