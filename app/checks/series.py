"""What the catalogue knows of a series, as the checks need it."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from app.dicom.sopclasses import ObjectKind, object_kind
from app.project.store import Store

_INSTANCES = """
SELECT i.series_id, i.attribute_set_id, i.sop_class_uid, i.instance_number, i.slice_position_mm, i.volume_key,
 i.acquired_s, i.frame_positions_mm, i.pixel_fault
FROM instances AS i WHERE i.reason IS NULL ORDER BY i.series_id, i.id"""
_ATTRIBUTES = "SELECT id, original_attributes FROM attribute_sets"
_SERIES = "SELECT id, patient_id, original_study_uid, original_series_uid FROM series"
_DAMAGED = "SELECT original_series_uid, count(*) FROM damaged_instances GROUP BY 1"

Attributes = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Image:
    """One image object; ``attributes`` is shared by those that have the same. Positions in mm along the normal."""

    original_attributes: Attributes
    sop_class_uid: str
    number: int | None
    position_mm: float | None
    volume_key: str
    acquired_s: float | None
    frame_positions_mm: tuple[float, ...]
    has_pixel_fault: bool

    def text(self, keyword: str) -> str:
        """An attribute as one text, '' where it is missing."""
        value = self.original_attributes.get(keyword)
        if value is None:
            return ""
        return "\\".join(map(str, value)) if isinstance(value, list) else str(value)

    def number_of(self, keyword: str) -> float | None:
        """An attribute that is one number; None for anything else."""
        value = self.original_attributes.get(keyword)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def image_type(self) -> tuple[str, ...]:
        """Image Type (0008,0008), in capitals."""
        value = self.original_attributes.get("ImageType")
        values = value if isinstance(value, list) else [value]
        return tuple(str(one).strip().upper() for one in values if one is not None)

    @property
    def frames(self) -> int:
        """Number of Frames (0028,0008), or 1."""
        return max(int(self.number_of("NumberOfFrames") or 1), 1)


@dataclass(frozen=True, slots=True)
class Series:
    """A series with its image objects (documents, segmentations and so on are none); ``damaged`` files can't be used.

    ``study`` tells studies apart.
    """

    id: int
    study: tuple[int, str]
    images: tuple[Image, ...]
    others: int
    damaged: int

    @property
    def first(self) -> Image:
        """The image that speaks for the series where all say the same."""
        return self.images[0]

    @property
    def modality(self) -> str:
        """Modality (0008,0060) of the first image; '' where there is none."""
        return self.first.text("Modality").strip().upper() if self.images else ""


def load_series(store: Store) -> Iterator[Series]:
    """Every series of the catalogue; copies and conflicts are not in it."""
    attributes: dict[int, Attributes] = {row[0]: json.loads(row[1]) for row in store.execute(_ATTRIBUTES)}
    keys = {row[0]: (row[1], row[2], row[3]) for row in store.execute(_SERIES)}
    damaged = Counter(dict(tuple(row) for row in store.execute(_DAMAGED)))
    kinds: dict[str, ObjectKind] = {}
    for series_id, rows in groupby(map(tuple, store.execute(_INSTANCES)), lambda row: int(row[0])):
        images, others = [], 0
        for _, set_id, sop_class, number, position, volume_key, acquired, frames, fault in rows:
            kind = kinds.get(sop_class)
            if kind is None:
                kind = kinds[sop_class] = object_kind(sop_class)
            if kind is not ObjectKind.IMAGE:
                others += 1
                continue
            positions = tuple(json.loads(frames)) if frames else ()
            images.append(
                Image(
                    attributes[set_id], sop_class, number, position, volume_key or "", acquired, positions, bool(fault)
                )
            )
        patient_id, study, series_uid = keys[series_id]
        yield Series(series_id, (patient_id, study), tuple(images), others, damaged[series_uid])
