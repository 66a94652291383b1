"""The catalogue database: connection, migrations, transactions. The only module that imports sqlite3."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote_from_bytes

from app.errors import ProjectError
from app.project.faults import fault_of


class Store:
    """A thin owner of one SQLite connection.

    One process writes; workers return plain data. ``read_only`` opens another connection beside the one that writes,
    for another thread, or for several that take turns: it sees what is committed, and waits for nobody. Raises
    ProjectError("database-damaged") where SQLite says that the file is not a sound database, so that no caller has to
    know sqlite3's exceptions.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        address = read_only_address(path.absolute()) if read_only else path
        self._connection = sqlite3.connect(
            address, isolation_level=None, timeout=10, uri=read_only, check_same_thread=not read_only
        )
        self._connection.row_factory = sqlite3.Row
        if read_only:
            self._connection.execute("PRAGMA temp_store = MEMORY")
            return
        try:
            # WAL with NORMAL survives kill -9; FULL would add the power loss of facts that can be remade.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            # A sorter that spills must not write identifiers outside the project folder.
            self._connection.execute("PRAGMA temp_store = MEMORY")
            self._migrate()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            # A full disk must not make anybody put an old backup in place of a sound catalogue.
            raise fault_of(error) or ProjectError("database-damaged") from error

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        scripts = sorted(
            (entry for entry in files("app.project").joinpath("migrations").iterdir() if entry.name.endswith(".sql")),
            key=lambda entry: entry.name,
        )
        if version > len(scripts):
            raise ProjectError("project-is-newer", version=version)
        for number, script in enumerate(scripts[version:], start=version + 1):
            self._connection.executescript(
                f"BEGIN; {script.read_text(encoding='utf-8')}; PRAGMA user_version = {number}; COMMIT;"
            )

    def close(self) -> None:
        """Close the connection; the store can't be used afterwards."""
        self._connection.close()

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Run one statement; rows come as mappings (``row["path"]``)."""
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any) -> None:
        """Run one statement for many rows."""
        self._connection.executemany(sql, rows)

    def one(self, sql: str, parameters: Any = ()) -> Any:
        """The first column of the first row, or None."""
        row = self._connection.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside are written together or not at all."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # a full disk ends it by itself
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, whatever is written meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def get_meta(self, key: str) -> str | None:
        """A fact about the project as a whole."""
        value: str | None = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return value

    def set_meta(self, key: str, value: str) -> None:
        """Remember a fact about the project as a whole."""
        self.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )


def read_only_address(path: PurePath) -> str:
    r"""The URI under which SQLite opens a file to read only; ``path`` is absolute.

    Not ``as_uri``: that makes the server of ``\\server\share`` an authority, which SQLite refuses. With the separators
    quoted, too, the path is what follows the scheme, whatever it begins with.
    """
    return f"file:{quote_from_bytes(os.fsencode(path), safe='')}?mode=ro"
