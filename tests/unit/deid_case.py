"""Releases one dataset as the product does, and reads the result back with pydicom."""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from app.deid.engine import ReleasedHeader
from app.deid.recipe import Patient, Recipe, describe_patient
from app.deid.release import ReleasedFile, Releaser
from app.dicom.identity import collect_identities
from app.dicom.profile import Action, DatePreset, Option
from app.dicom.reading import read_header
from app.project.images import ImagePlan, ImageState
from tests.factory import ct_series, make_study, to_bytes

DEFAULT_OPTIONS = frozenset(
    (Option.CLEAN_DESCRIPTORS, Option.RETAIN_MODIFIED_DATES, Option.RETAIN_PATIENT_CHARACTERISTICS)
)
PATIENT = Patient("SITE-ABC234", 100)
CLEAR = ImagePlan(ImageState.CLEAR, None)


def make_recipe(
    options: Iterable[Option] = DEFAULT_OPTIONS,
    dates: DatePreset = DatePreset.SHIFTED,
    overrides: tuple[tuple[int, Action], ...] = (),
    **more: Any,
) -> Recipe:
    """A recipe with keys of its own."""
    return Recipe(frozenset(options), dates, overrides, frozenset(), b"u" * 32, b"a" * 32, **more)


def ct_image() -> Dataset:
    """A small CT instance of an invented person."""
    (dataset,) = ct_series(make_study(7), slices=1, rows=16, columns=16)
    return dataset


def release_bytes(
    content: bytes, recipe: Recipe | None = None, patient: Patient = PATIENT, plan: ImagePlan | None = CLEAR
) -> tuple[ReleasedFile, bytes]:
    """What would leave of a file, and its whole bytes."""
    with io.BytesIO(content) as file:
        released = Releaser(recipe or make_recipe(), patient).release(file, plan)
        return released, released.head + b"".join(released.pixels)


def release(
    dataset: Dataset,
    options: Iterable[Option] = DEFAULT_OPTIONS,
    dates: DatePreset = DatePreset.SHIFTED,
    patient: Patient = PATIENT,
    transfer_syntax_uid: str | None = None,
    plan: ImagePlan | None = CLEAR,
    **recipe: Any,
) -> Dataset:
    """The released file of ``dataset``, read by pydicom."""
    content = to_bytes(dataset, transfer_syntax_uid)
    _, released = release_bytes(content, make_recipe(options, dates, **recipe), patient, plan)
    return dcmread(io.BytesIO(released))


def survey(dataset: Dataset, recipe: Recipe | None = None, patient: Patient = PATIENT) -> ReleasedHeader:
    """The header that *prepare* would keep."""
    return Releaser(recipe or make_recipe(), patient).survey(io.BytesIO(to_bytes(dataset)), CLEAR).header


def known_patient(dataset: Dataset) -> Patient:
    """The patient with all that the dataset tells about who it is."""
    identities = collect_identities(read_header(io.BytesIO(to_bytes(dataset))))
    return describe_patient("SITE-ABC234", 100, [(kind.value, value) for kind, value in identities])


def stored_pixels(dataset: Dataset) -> np.ndarray[Any, Any]:
    """The stored pixels of a native or RLE dataset."""
    return np.asarray(dataset.pixel_array)
