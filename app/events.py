"""What a job tells its watcher. A job is a generator of these: progress is ``yield``, cancel is ``close()``."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is; ``total`` is None until it is known."""

    step: str
    done: int
    total: int | None
    unit: str = "files"


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line that is not progress: a code of ``app.text.messages`` and ids, never a value."""

    step: str
    code: str
    ids: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a step with what it did, as named counts."""

    step: str
    counts: Mapping[str, int]


Event = Progress | Note | Finished
Job = Generator[Event, None, None]
