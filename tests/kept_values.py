"""What released files keep of the values that the table of kept attributes promises, by kind of object.

A value is kept where the released file says the same: padding, the colons of old times and the bytes around an ICC
profile's colours may differ.
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from PIL import Image, ImageCms
from pydicom.uid import UID

from app.dicom.reading import SOP_CLASS_UID, Header, read_header
from app.dicom.tagpath import format_path
from app.dicom.tokens import Element, dictionary_vr
from app.errors import FileError
from tests.factory import (
    cr_image,
    ct_series,
    dx_image,
    enhanced_mr,
    make_study,
    mr_series,
    pet_series,
    rt_dose,
    rt_structure_set,
    segmentation,
    to_bytes,
    us_cine,
)
from tests.kept_attributes import Fate, fate
from tests.real_data import iterate_real_files
from tests.unit.deid_case import release_bytes

LEAST = 0.99
_ICC_PROFILE = 0x00282000
# Their values are lists, and blanks around each one mean nothing (PS3.5 section 6.2).
_PADDED_LISTS = frozenset(("AS", "CS", "DS", "IS", "UI"))

Place = tuple[int | str, ...]


@dataclass(slots=True)
class Kept:
    """Of one kind of object: its files, the values promised, and those that were lost, by path and value."""

    files: int = 0
    promised: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """How much was kept, 1 for all."""
        return 1 - self.lost.total() / self.promised if self.promised else 1.0


def measure(contents: Iterable[bytes]) -> dict[str, Kept]:
    """What is kept of each SOP class, by name; files that are not released are under ''."""
    kinds: dict[str, Kept] = {}
    for content in contents:
        try:
            original = read_header(io.BytesIO(content))
            _, released = release_bytes(content)
        except FileError:
            kinds.setdefault("", Kept()).files += 1
            continue
        kept = kinds.setdefault(UID(original.text(SOP_CLASS_UID)).name, Kept())
        values = promised(original)
        kept.files += 1
        kept.promised += len(values)
        kept.lost.update(
            f"{format_path(tags_of(place))} {values[place][:80]!r}"
            for place in lost(original, read_header(io.BytesIO(released)))
        )
    return kinds


def synthetic_files() -> Iterator[bytes]:
    """A file of each kind that the factory makes."""
    study = make_study(3, description="Thorax")
    images = ct_series(study, slices=2, rows=32, columns=32)
    datasets = [
        images[0], mr_series(study, slices=1, rows=32, columns=32)[0], pet_series(study, slices=1, rows=32)[0],
        enhanced_mr(study), us_cine(study, frames=2, rows=32, columns=32), cr_image(study, rows=32, columns=32),
        dx_image(study), segmentation(study, images), rt_structure_set(study, images), rt_dose(study),
    ]  # fmt: skip
    yield from map(to_bytes, datasets)


def real_files() -> Iterator[bytes]:
    """The public files, where they are."""
    for path in iterate_real_files():
        yield path.read_bytes()


def promised(header: Header) -> dict[Place, bytes]:
    """The values of a file that leave as they are by the table: by place, items counted."""
    return {
        place: value for place, value in values_of(header) if value.strip(b" \0") and fate(tags_of(place)) is Fate.KEPT
    }


def lost(original: Header, released: Header) -> list[Place]:
    """The places of promised values that do not mean the same in the released file."""
    there = dict(values_of(released))
    return [
        place
        for place, value in promised(original).items()
        if not _means_the_same(tags_of(place)[-1], value, there.get(place, b""))
    ]


def tags_of(place: Place) -> tuple[int, ...]:
    """The path of a place, without the numbers of items."""
    return tuple(tag for tag in place if isinstance(tag, int))


def _means_the_same(tag: int, value: bytes, released: bytes) -> bool:
    if tag == _ICC_PROFILE:
        return bool(released) and _colours(value) == _colours(released)
    vr = dictionary_vr(tag)
    if vr == "TM":
        value = value.replace(b":", b"")
    if vr in _PADDED_LISTS:
        return _parts(value) == _parts(released)
    return value.strip(b" \0") == released.strip(b" \0")


def _parts(value: bytes) -> list[bytes]:
    return [part.strip(b" \0") for part in value.split(b"\\")]


def _colours(profile: bytes) -> bytes:
    """What a colour engine that is not ours makes of a chart of 4,096 colours under this profile of RGB, in sRGB."""
    steps = range(0, 256, 17)
    chart = Image.new("RGB", (64, 64))
    chart.putdata([(red, green, blue) for red in steps for green in steps for blue in steps])
    shown = ImageCms.profileToProfile(
        chart, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    assert shown is not None
    return shown.tobytes()


def values_of(header: Header) -> Iterator[tuple[Place, bytes]]:
    """All values of a file by place, sequences gone through."""
    return _values(header.elements, ())


def _values(elements: Iterable[Element], place: Place) -> Iterator[tuple[Place, bytes]]:
    for element in elements:
        if isinstance(element.value, bytes):
            yield (*place, element.tag), element.value
        else:
            for number, item in enumerate(element.value):
                yield from _values(item, (*place, element.tag, f"item {number}"))
