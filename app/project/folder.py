"""The project folder on disk: its layout, its lock, its creation and opening."""

import os
import shutil
import sys
import tomllib
from contextlib import AbstractContextManager, suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from app import __version__
from app.errors import ProjectError, UsageError
from app.files.atomic import write_atomically
from app.files.regular import system_folder
from app.files.resources import resource_path
from app.project.secret import Secret, create_secret, load_secret
from app.project.store import Store
from app.protocol.load import load_protocol
from app.protocol.schema import Protocol

SITE_ID_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")

# What create_project writes before the file that makes a folder a project, and the temporary names of all of it.
_BEGINNINGS = frozenset(("secret.key", "secret.key.part", "protocol.toml", "protocol.toml.part", "project.toml.part"))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of a project lies; the only place that spells the names."""

    root: Path

    @property
    def project_toml(self) -> Path:
        return self.root / "project.toml"

    @property
    def protocol_toml(self) -> Path:
        return self.root / "protocol.toml"

    @property
    def secret_key(self) -> Path:
        return self.root / "secret.key"

    @property
    def catalog(self) -> Path:
        return self.root / "catalog.sqlite"

    @property
    def decisions(self) -> Path:
        return self.root / "decisions"

    @property
    def values_csv(self) -> Path:
        return self.decisions / "values.csv"

    @property
    def images_csv(self) -> Path:
        return self.decisions / "images.csv"

    @property
    def masks_json(self) -> Path:
        return self.decisions / "masks.json"

    @property
    def device_masks_csv(self) -> Path:
        return self.decisions / "device_masks.csv"

    @property
    def approvals(self) -> Path:
        return self.decisions / "approvals.jsonl"

    @property
    def selection_json(self) -> Path:
        return self.decisions / "selection.json"

    @property
    def series_json(self) -> Path:
        return self.decisions / "series.json"

    @property
    def studies_json(self) -> Path:
        return self.decisions / "studies.json"

    @property
    def reports_csv(self) -> Path:
        return self.decisions / "reports.csv"

    @property
    def dataset_csv(self) -> Path:
        return self.decisions / "dataset.csv"

    @property
    def export(self) -> Path:
        return self.root / "export"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"


def is_project(root: Path) -> bool:
    """Whether a folder holds a project; not where it can't be looked at, as on a share that is away or refuses."""
    # Not Path.is_file, which raises most of what Windows says of shares.
    return os.path.isfile(Layout(system_folder(root)).project_toml)  # noqa: PTH113


class FolderLock(AbstractContextManager["FolderLock"]):
    """One program at a time works on a project; the operating system releases the lock of a killed one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")
        try:
            if sys.platform == "win32":
                import msvcrt  # noqa: PLC0415 - of Windows alone

                self._file.seek(0)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl  # noqa: PLC0415 - of POSIX alone

                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise ProjectError("project-in-use") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class Project(AbstractContextManager["Project"]):
    """An open project. Use as a context manager: it holds the lock, the database and the secret."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(system_folder(root))
        if not self.layout.project_toml.is_file():
            raise ProjectError("not-a-project")
        lock = FolderLock(self.layout.lock)
        self._lock: FolderLock | None = lock
        try:
            self._read()
        except BaseException:
            lock.__exit__(None, None, None)
            raise

    def _read(self) -> None:
        try:
            settings = tomllib.loads(self.layout.project_toml.read_text(encoding="utf-8"))
            self.site_id = str(settings["site_id"])
            protocol_digest = str(settings["protocol_sha256"])
        except (OSError, ValueError, KeyError) as error:
            raise ProjectError("project-toml-damaged") from error
        self.protocol: Protocol
        self.protocol, self.protocol_sha256 = load_protocol(self.layout.protocol_toml)
        if self.protocol_sha256 != protocol_digest:
            raise ProjectError("protocol-changed")
        self.secret: Secret = load_secret(self.layout.secret_key)
        for folder in (self.layout.tmp, self.layout.logs, self.layout.decisions, self.layout.export):
            folder.mkdir(exist_ok=True)
        _wipe(self.layout.tmp)
        self.store = Store(self.layout.catalog)

    def reader(self) -> "Project":
        """The same project for another thread, to read only: a connection of its own, and no lock to give back.

        Whatever takes a Project and writes nothing works with it. Good as long as this one is open; close it by leaving
        it as a context manager, in the thread that asked for it.
        """
        view = copy(self)
        view._lock = None
        view.store = Store(self.layout.catalog, read_only=True)
        return view

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()
        if self._lock is None:
            return
        try:
            with suppress(OSError):  # a drive that is away, a file that is held: it is wiped when the project is opened
                _wipe(self.layout.tmp)
        finally:
            self._lock.__exit__(kind, error, trace)


def _wipe(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def create_project(root: Path, site_id: str, protocol_file: Path | None) -> None:
    """Make a project folder, owner-only where the system has owners.

    A folder with nothing but the beginnings of a project is gone on with: an interrupted call left it, or somebody
    put the ``secret.key`` of a project there that is to be made again.

    Raises UsageError where the folder is not empty or the site id is not letters, digits and hyphens;
    ProtocolError where the protocol does not load. Nothing is left behind then.
    """
    if not site_id or len(site_id) > 16 or not set(site_id) <= SITE_ID_ALPHABET:
        raise UsageError("bad-site-id")
    root = system_folder(root)
    if root.exists() and not (root.is_dir() and all(entry.name in _BEGINNINGS for entry in root.iterdir())):
        raise UsageError("folder-not-empty")
    source = protocol_file or resource_path("defaults/protocol.toml")
    _, protocol_sha256 = load_protocol(source)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)
    layout = Layout(root)
    if layout.secret_key.exists():
        load_secret(layout.secret_key)
    else:
        create_secret(layout.secret_key)
    write_atomically(layout.protocol_toml, source.read_bytes())
    # project.toml comes last: a folder without it is no project yet.
    text = f'site_id = "{site_id}"\nprotocol_sha256 = "{protocol_sha256}"\napp_version = "{__version__}"\n'
    write_atomically(layout.project_toml, text.encode())


def check_made_with(project: Project, site_id: str, protocol_file: Path | None) -> None:
    """Refuse a request for another site or protocol than the project was made with, instead of passing over it.

    Raises UsageError; ProtocolError where the protocol does not load. Without ``protocol_file`` any protocol will do.
    """
    if project.site_id != site_id:
        raise UsageError("project-has-another-site")
    if protocol_file is not None and load_protocol(protocol_file)[1] != project.protocol_sha256:
        raise UsageError("project-has-another-protocol")
