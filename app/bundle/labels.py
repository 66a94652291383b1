"""metadata/labels.csv: the group of each study, and what the site's lists say of it, under its pseudonyms.

Only where the protocol asks for groups or labels. Its cells are words of the protocol, and numbers of its schema.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.bundle.tables import encode_table

KEY_COLUMNS = ("patient", "study_uid", "group")
# Patient code and Study Instance UID, as released.
ReleasedStudy = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StudyLabels:
    """The cells beside the key columns: ``by_series`` go by the row number of a series of the study."""

    names: tuple[str, ...] = ()
    by_series: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    is_wanted: bool = False

    def of(self, series_ids: Iterable[int]) -> "StudyLabels":
        """What is needed for some series."""
        wanted = {one: self.by_series[one] for one in set(series_ids) if one in self.by_series}
        return StudyLabels(self.names, wanted, self.is_wanted)

    def cells(self, series_id: int) -> tuple[str, ...]:
        """Group and labels of the study that a series belongs to; '' where there is none."""
        return self.by_series.get(series_id, ("",) * (1 + len(self.names)))


def encode_labels(names: Iterable[str], studies: Mapping[ReleasedStudy, tuple[str, ...]]) -> bytes:
    """The table, sorted."""
    return encode_table((*KEY_COLUMNS, *names), sorted((*key, *cells) for key, cells in studies.items()))
