"""What leaves of a series is the same with and without what was remembered of the slices before."""

import io
from collections import Counter
from random import Random

import pytest
from pydicom.dataset import Dataset

from app.deid.engine import ReleasedHeader
from app.deid.hits import Applied, Record, parts_of
from app.deid.release import Releaser
from app.dicom.profile import Option
from app.errors import FileError, Reason
from app.project.images import ImagePlan, ImageState
from tests.factory import ct_series, make_study, to_bytes
from tests.real_data import iterate_real_files, needs_real_files
from tests.unit.deid_case import CLEAR, DEFAULT_OPTIONS, PATIENT, make_recipe

SEEN = ImagePlan(ImageState.CLEAR, None, seen_by_person=True)
Told = tuple[bytes, Counter[Record], Counter[Applied], Counter[Option], Counter[str], Counter[tuple[str, str]]]


def add_private_block(dataset: Dataset, slope: float) -> None:
    block = dataset.private_block(0x0029, "PRIVATE MAKER", create=True)
    block.add_new(0x10, "LO", "ZZCANARYNAME")
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", slope)  # listed as safe in PS3.15 Table E.3.10-1
    block.add_new(0x0F, "FL", slope)


def slices(private_slope: float | None = None) -> list[bytes]:
    made = ct_series(make_study(5), slices=6, rows=8, columns=8)
    for number, dataset in enumerate(made):
        dataset.PatientName = "Müller^Jane"
        dataset.SeriesDescription = "CT CHEST W CONTRAST"
        if private_slope is not None:
            add_private_block(dataset, private_slope + number // 3)
    return [to_bytes(one) for one in made]


def told(header: ReleasedHeader) -> Told:
    parts = [part for hit in header.hits for part in parts_of(hit)]
    return (
        header.encoded,
        Counter(record for part in parts for record in part.records),
        Counter(applied for part in parts for applied in part.applied),
        Counter(option for part in parts for option in part.options),
        Counter(word for part in parts for word in part.original_words),
        Counter(pair for part in parts for pair in part.original_uids),
    )


def outcome(releaser: Releaser, content: bytes, plan: ImagePlan) -> tuple[bytes, Told] | Reason:
    with io.BytesIO(content) as file:
        try:
            released = releaser.release(file, plan)
            return released.head + b"".join(released.pixels), told(released.header)
        except FileError as error:
            return error.reason


@pytest.mark.parametrize("plan", [CLEAR, SEEN])
@pytest.mark.parametrize("options", [DEFAULT_OPTIONS, {*DEFAULT_OPTIONS, Option.RETAIN_SAFE_PRIVATE}])
@pytest.mark.parametrize("slope", [None, 1.5])
def test_slices_leave_as_if_each_were_the_first(plan: ImagePlan, options: set[Option], slope: float | None) -> None:
    recipe = make_recipe(options)
    remembering = Releaser(recipe, PATIENT)
    for content in slices(slope):
        assert outcome(remembering, content, plan) == outcome(Releaser(recipe, PATIENT), content, plan)


def test_plan_of_another_slice_does_not_stick() -> None:
    remembering = Releaser(make_recipe(), PATIENT)
    for content in slices():
        for plan in (CLEAR, SEEN):
            assert outcome(remembering, content, plan) == outcome(Releaser(make_recipe(), PATIENT), content, plan)


def test_damaged_slices_leave_as_if_each_were_the_first() -> None:
    random = Random(4)
    whole = slices(2.0)
    recipe = make_recipe({*DEFAULT_OPTIONS, Option.RETAIN_SAFE_PRIVATE})
    remembering = Releaser(recipe, PATIENT)
    released = 0
    for _ in range(120):
        content = bytearray(random.choice(whole))
        for _ in range(random.randrange(3)):
            place = random.randrange(300, 3000)
            content[place : place + 2] = random.randbytes(2)
        expected = outcome(Releaser(recipe, PATIENT), bytes(content), CLEAR)
        assert outcome(remembering, bytes(content), CLEAR) == expected
        released += not isinstance(expected, Reason)
    assert released > 40


@needs_real_files
def test_real_files_leave_as_if_each_were_the_first() -> None:
    recipe = make_recipe(set(Option) - {Option.CLEAN_VISUAL_FEATURES, Option.RETAIN_UIDS})
    remembering = Releaser(recipe, PATIENT)
    released = 0
    for path in iterate_real_files():
        if path.stat().st_size > 128 << 10:
            continue
        content = path.read_bytes()
        expected = outcome(Releaser(recipe, PATIENT), content, CLEAR)
        assert [outcome(remembering, content, CLEAR) for _ in range(3)] == [expected] * 3, path.name
        released += not isinstance(expected, Reason)
    assert released > 60
