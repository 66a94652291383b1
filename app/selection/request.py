"""What the site asked for beyond the protocol: remembered in ``decisions/`` for later runs that do not say."""

import json
from dataclasses import dataclass
from pathlib import Path

from app.errors import ProjectError, UsageError
from app.files.atomic import is_there, write_atomically
from app.protocol.predicates import AllOf, Predicate
from app.protocol.where import parse_where
from app.selection.wanted import WantedList, make_wanted_list


@dataclass(frozen=True, slots=True)
class Request:
    """An expression and a list, each narrowing the protocol's selection; either may be missing."""

    where: str | None
    wanted: WantedList | None

    def to_text(self) -> str:
        """The JSON that is stored, and digested; the same for the same request."""
        entries = sorted(self.wanted.original_entries) if self.wanted else None
        content = {
            "where": self.where,
            "original_list": [dict(entry) for entry in entries] if entries else None,
        }
        return json.dumps(content, indent=1) + "\n"

    def narrow(self, predicate: Predicate) -> Predicate:
        """The protocol's predicate and the expression's; raises ProtocolError as ``parse_where`` does."""
        return predicate if self.where is None else AllOf((predicate, parse_where(self.where)))


def settle_request(path: Path, where: str | None, only: WantedList | None) -> Request:
    """The request that counts: the arguments, or what ``path`` remembers where there are none.

    Arguments replace all that was remembered; a blank ``where`` alone forgets it.
    Raises ProjectError("selection-json-damaged").
    """
    if where is None and only is None:
        return _read(path)
    return Request((where or "").strip() or None, only)


def remember(path: Path, request: Request) -> None:
    """Store a request; the file stays as it is when it says so already."""
    content = request.to_text().encode()
    if not is_there(path) or path.read_bytes() != content:
        write_atomically(path, content)


def _read(path: Path) -> Request:
    if not is_there(path):
        return Request(None, None)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        where, entries = content["where"], content["original_list"]
        wanted = None if entries is None else make_wanted_list(entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError):
        raise ProjectError("selection-json-damaged") from None
    if not isinstance(where, str | None):
        raise ProjectError("selection-json-damaged")
    return Request(where, wanted)
