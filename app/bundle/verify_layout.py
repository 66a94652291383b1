"""Which files a part has to hold and which it may hold, by their names within the bag."""

import re
from collections.abc import Collection, Iterator

from app.bundle.verify_findings import Fault
from app.bundle.verify_labels import LABELS
from app.bundle.verify_values import PATIENT_CODE

BAG_FILES = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")
METADATA_FILES = (
    "croissant.json",
    "metadata/dataset-card.json",
    "metadata/instances.csv",
    "metadata/protocol.toml",
    "metadata/rules.csv",
    "metadata/series.csv",
    "metadata/signoff.json",
    "metadata/values.csv",
)
# The same in every part of a bundle.
SHARED_FILES = tuple(f"metadata/{name}" for name in ("protocol.toml", "rules.csv", "signoff.json", "values.csv"))
INSTANCE_NAME = re.compile(
    r"data/(?P<patient>[^/]+)/(?P<study>[0-9a-f]{12})/(?P<series>[0-9a-f]{12})/(?P<instance>[0-9a-f]{16})\.dcm\Z"
)
_NEEDED = frozenset((*BAG_FILES, *METADATA_FILES))


def is_complete(names: Collection[str]) -> bool:
    """Whether every file is there that a part can't be judged without."""
    return _NEEDED.issubset(names)


def layout_faults(names: Collection[str]) -> Iterator[Fault]:
    """Files that have no place in a part, then those that are missing."""
    for name in sorted(set(names) - _NEEDED - {LABELS}):
        match = INSTANCE_NAME.match(name)
        if match is None or PATIENT_CODE.match(match["patient"]) is None:
            yield "entry-unexpected", name
    for name in sorted(_NEEDED.difference(names)):
        yield "entry-missing", name
