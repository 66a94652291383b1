"""What an export would take, before it starts: how many parts, how much room."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.bundle.step import SPARE_BYTES, plan_release
from app.project.folder import Project


@dataclass(frozen=True, slots=True)
class Estimate:
    """``size`` is an upper bound, in bytes like ``free``, which is None where the folder's disk can't be asked."""

    parts: int
    instances: int
    size: int
    free: int | None

    @property
    def fits(self) -> bool:
        """Whether there is room for all of it; what cannot be asked is not refused here."""
        return self.free is None or self.size + SPARE_BYTES <= self.free


def estimate_export(project: Project, patient_codes: Mapping[int, str], out: Path, metadata_size: int) -> Estimate:
    """Plan the export into ``out``, which need not exist; reads only. Arguments as for ``bundle.step.plan_release``."""
    plan = plan_release(project, patient_codes, metadata_size)
    size = sum(part.size for part in plan)
    return Estimate(len(plan), sum(part.instances for part in plan), size, _free_bytes(out))


def _free_bytes(folder: Path) -> int | None:
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
