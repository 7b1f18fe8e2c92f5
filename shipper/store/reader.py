# SPDX-License-Identifier: Apache-2.0
"""Reading the checkpoint store, also while a running shipper writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from shipper.errors import StateError
from shipper.records import Checkpoint
from shipper.store import rows

SCHEMA_VERSION = 1


class SourceStatus(Struct, frozen=True, kw_only=True):
    """A source as ``clisvc status`` shows it.

    Attributes:
        key: the source's key.
        host: whose log it is.
        log: logical name of the log.
        path: path of the active log.
        status: what the last visit found.
        detail: the system's own words about it.
        last_ok_ms: wall clock of the last successful look, to the minute, or
            ``None``.
        checkpoints: its generations, in reading order.
    """

    key: str
    host: str
    log: str
    path: str
    status: str
    detail: str
    last_ok_ms: int | None
    checkpoints: tuple[Checkpoint, ...]


class Account(Struct, frozen=True, kw_only=True):
    """A source's sums over its generations, all in bytes.

    Attributes:
        key: the source's key.
        host: whose log it is.
        log: logical name of the log.
        path: path of the active log.
        status: what the last visit found.
        first_seen_ms: wall clock of the first visit.
        last_ok_ms: wall clock of the last successful look, to the minute, or
            ``None``.
        seen: ends of the last complete lines observed.
        dealt_with: acknowledged, or among the dead letters.
        dead_lettered: among the dead letters.
        lost: gone before it was read.
    """

    key: str
    host: str
    log: str
    path: str
    status: str
    first_seen_ms: int
    last_ok_ms: int | None
    seen: int
    dealt_with: int
    dead_lettered: int
    lost: int

    @property
    def unread(self) -> int:
        """Bytes that are neither dealt with nor lost."""
        return self.seen - self.dealt_with - self.lost


class Reader:
    """A checkpoint store that is only looked at.

    Args:
        path: SQLite file.

    Raises:
        StateError: it is damaged, of a newer version, or cannot be opened.
    """

    _use = "read"
    _columns = rows.COLUMNS
    _remedy = "Name the folder in use with --state; `clisvc run` mends a damaged one."

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._explained():
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=30
        )
        try:
            self._check(connection)
            if not has_since(connection):
                self._columns = rows.COLUMNS.replace(", since", ", 0")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        (health,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if health != "ok":
            raise sqlite3.DatabaseError(health)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise StateError(
                f"{self._path} is of version {version}, newer than this program's"
                f" {SCHEMA_VERSION}.",
                remedy="Use the newer program, or another folder with --state.",
            )

    def checkpoints(self, key: str) -> tuple[Checkpoint, ...]:
        """Return the generations of a source, in reading order."""
        with self._explained():
            found = self._connection.execute(
                f"SELECT {self._columns} FROM generation"  # noqa: S608 - a constant
                " WHERE source = ? ORDER BY ordinal",
                (rows.text(key),),
            ).fetchall()
        return tuple(map(rows.checkpoint, found))

    def sources(self) -> Iterator[SourceStatus]:
        """Yield all sources with their generations."""
        with self._explained():
            found = self._connection.execute(
                "SELECT key, host, log, path, status, detail, last_ok_ms FROM source"
                " ORDER BY host, key"
            ).fetchall()
        for key, host, log, path, status, detail, last_ok in found:
            yield SourceStatus(
                key=key,
                host=host,
                log=log,
                path=path,
                status=status,
                detail=detail,
                last_ok_ms=last_ok,
                checkpoints=self.checkpoints(key),
            )

    def accounts(self) -> list[Account]:
        """Return the sums of all sources."""
        with self._explained():
            found = self._connection.execute(
                "SELECT key, host, log, source.path, status, first_seen_ms, last_ok_ms,"
                " coalesce(sum(max(seen, offset + lost)), 0),"
                " coalesce(sum(offset), 0), coalesce(sum(dead_lettered), 0),"
                " coalesce(sum(lost), 0)"
                " FROM source LEFT JOIN generation ON source = key GROUP BY key"
            ).fetchall()
        fields = Account.__struct_fields__
        return [
            msgspec.convert(dict(zip(fields, row, strict=True)), Account)
            for row in found
        ]

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> StateError:
        return StateError(
            f"{self._path}: the state cannot be {self._use}: {error}.",
            remedy=self._remedy,
        )


def has_since(connection: sqlite3.Connection) -> bool:
    """Tell a store's schema from the one before there were epochs."""
    names = connection.execute("PRAGMA table_info(generation)")
    return any(row[1] == "since" for row in names)
