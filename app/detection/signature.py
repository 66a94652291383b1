"""What images are looked at with: apart from the looking, because whoever compares it needs none of the detectors."""

import hashlib
import json

from app import __version__
from app.detection.device_masks import TABLE, format_table
from app.detection.site_masks import load_site_masks
from app.engines.table import detector_versions
from app.files.resources import resource_path
from app.project.folder import Project

# Count it up when ``survey`` could find something else in the same stack: images looked at before are looked at again.
SURVEY_VERSION = 1


def detection_signature(project: Project) -> str:
    """What images are looked at with now: detectors, their versions and settings, and the tables of devices.

    Raises UsageError where a detector that the protocol asks for is not there: nothing is checked with less.
    """
    content = [
        __version__,
        SURVEY_VERSION,
        sorted(detector_versions(tuple(project.protocol.images.detectors)).items()),
        hashlib.sha256(resource_path(TABLE).read_bytes()).hexdigest(),
        format_table(load_site_masks(project.layout)),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
