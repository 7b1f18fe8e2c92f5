# SPDX-License-Identifier: Apache-2.0
"""The checkpoint store: SQLite in WAL mode, one writer, one transaction a save."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

import structlog
from msgspec import Struct

from shipper.clock import Clock
from shipper.records import Epochs, Generation, Observation, Progress, Source
from shipper.store import rows
from shipper.store.ledger import Settled
from shipper.store.reader import SCHEMA_VERSION, Reader, has_since

_log = structlog.get_logger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS source (
    key TEXT PRIMARY KEY, host TEXT NOT NULL, log TEXT NOT NULL, path TEXT NOT NULL,
    status TEXT NOT NULL, detail TEXT NOT NULL,
    first_seen_ms INTEGER NOT NULL, last_ok_ms INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS generation (
    source TEXT NOT NULL, gen_id TEXT NOT NULL, life INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    offset INTEGER NOT NULL, skipping INTEGER NOT NULL, anchor BLOB NOT NULL,
    snapshot BLOB NOT NULL,
    path TEXT NOT NULL, head_length INTEGER NOT NULL, head BLOB NOT NULL,
    seen INTEGER NOT NULL, final INTEGER, lost INTEGER NOT NULL, gap INTEGER NOT NULL,
    first_time INTEGER, encoding TEXT NOT NULL,
    dead_lettered INTEGER NOT NULL DEFAULT 0, records INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0, touched_ms INTEGER NOT NULL,
    since INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (source, gen_id, life)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch (
    number INTEGER NOT NULL, stream TEXT NOT NULL, write_index TEXT NOT NULL,
    PRIMARY KEY (number, stream)
) WITHOUT ROWID;
"""
_DAY_MS = 86_400_000
_NO_EPOCHS: Epochs = MappingProxyType({})
#: SQLite's word for a table that is not the one we made.
_OTHER_SCHEMA = sqlite3.SQLITE_ERROR


class Sighting(Struct, frozen=True, kw_only=True):
    """What a visit found out about a generation, to be saved.

    Attributes:
        source: whose log it is.
        generation: which life of it.
        origin: where reading of it began, for a generation that is new.
        observation: what is known of it.
    """

    source: Source
    generation: Generation
    origin: Progress
    observation: Observation


class Database(Reader):
    """The checkpoint store.

    Args:
        path: SQLite file on a local disk; made if it is not there. A damaged one is
            set aside, because ids make a fresh start harmless.
        clock: time.
        check: raises ``ValueError`` for a snapshot that nobody can read.

    Raises:
        StateError: it is of a newer version, or cannot be opened or written.
    """

    _use = "saved"
    _remedy = (
        "Free space on that disk, or name another folder with --state; nothing is lost."
    )

    def __init__(
        self, path: Path, clock: Clock, *, check: Callable[[bytes], object] = bytes
    ) -> None:
        self._clock = clock
        self._check_snapshot = check
        self._writing = threading.Lock()
        super().__init__(path)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._open_sound()
        except (sqlite3.DatabaseError, ValueError) as error:
            if not _damage(error):
                raise
            self._set_aside(error)
            return self._open_sound()

    def _open_sound(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=30, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._check(connection)
            connection.executescript(_SCHEMA)
            _add_since(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            self._check_rows(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_rows(self, connection: sqlite3.Connection) -> None:
        """Read everything once: SQLite checks its pages, not what stands in them."""
        with closing(sqlite3.connect(":memory:")) as ours:
            ours.executescript(_SCHEMA)
            if _columns(connection) != _columns(ours):
                raise sqlite3.DatabaseError("its tables are not ours")
        for row in connection.execute(f"SELECT {rows.COLUMNS} FROM generation"):  # noqa: S608 - a constant
            self._check_snapshot(rows.checkpoint(row).progress.snapshot)
        for table in ("source", "epoch"):
            connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - the same

    def _set_aside(self, error: Exception) -> None:
        aside = self._path.with_name(
            f"{self._path.name}.corrupt-{self._clock.wall_ms() // 1000}"
        )
        _log.error(
            "state is damaged; starting anew, nothing is lost or doubled",
            path=str(self._path),
            set_aside=str(aside),
            reason=str(error),
        )
        for suffix in ("", "-wal", "-shm"):
            damaged = self._path.with_name(self._path.name + suffix)
            if damaged.exists():
                damaged.replace(aside.with_name(aside.name + suffix))

    def save(
        self,
        sightings: Iterable[Sighting],
        settled: Iterable[Settled],
        statuses: Iterable[tuple[Source, str, str]],
        *,
        since: int = 0,
        epochs: Epochs = _NO_EPOCHS,
    ) -> None:
        """Save everything in one transaction.

        Args:
            sightings: what visits found out.
            settled: what is acknowledged.
            statuses: ``(source, status, detail)`` of visited sources.
            since: epoch from which on documents not acknowledged may have been sent.
            epochs: that one and later ones, at least those not saved yet.

        Raises:
            StateError: it cannot be written.
        """
        now = self._clock.wall_ms()
        with self._explained(), self._transaction() as connection:
            connection.executemany(
                "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(key) DO"
                " UPDATE SET status = excluded.status, detail = excluded.detail,"
                " last_ok_ms = coalesce(excluded.last_ok_ms, last_ok_ms)",
                [rows.source(*status, now) for status in statuses],
            )
            for sighting in sightings:
                self._see(connection, sighting, now)
            connection.executemany(
                "UPDATE generation SET offset = ?, skipping = ?, anchor = ?,"
                " snapshot = ?, records = records + ?, duplicates = duplicates + ?,"
                " dead_lettered = dead_lettered + ?, since = coalesce(?, since),"
                " touched_ms = ?"
                " WHERE source = ? AND gen_id = ? AND life = ?",
                [rows.progress(entry, since, now) for entry in settled],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO epoch VALUES (?, ?, ?)",
                [
                    (number, stream, index)
                    for number, indices in epochs.items()
                    for stream, index in indices.items()
                ],
            )

    def epochs(self) -> Epochs:
        """Return which write indices there were, as far as it is known."""
        found: dict[int, dict[str, str]] = {}
        with self._explained():
            for number, stream, index in self._connection.execute(
                "SELECT number, stream, write_index FROM epoch"
            ):
                found.setdefault(number, {})[stream] = index
        return found

    def forget(self, keep_days: int) -> int:
        """Forget finished generations not seen for ``keep_days``; return how many.

        The newest of each source is kept: it holds the state its successor inherits.
        """
        with self._explained(), self._transaction() as connection:
            return connection.execute(
                "DELETE FROM generation AS old WHERE touched_ms < ? AND offset = final"
                " AND ordinal < (SELECT max(ordinal) FROM generation"
                " WHERE source = old.source)",
                (self._clock.wall_ms() - keep_days * _DAY_MS,),
            ).rowcount

    @staticmethod
    def _see(connection: sqlite3.Connection, sighting: Sighting, now: int) -> None:
        generation, origin = sighting.generation, sighting.origin
        observed = rows.observed(sighting.observation, now)
        name = (rows.text(sighting.source.key), generation.gen_id, generation.life)
        updated = connection.execute(
            f"UPDATE generation SET {rows.OBSERVED}"  # noqa: S608 - a constant of ours
            " WHERE source = ? AND gen_id = ? AND life = ?",
            (*observed, *name),
        )
        if updated.rowcount:
            return
        connection.execute(
            "INSERT INTO generation (source, gen_id, life, ordinal, offset, skipping,"
            " anchor, snapshot, path, head_length, head, seen, final, lost, gap,"
            " first_time, encoding, touched_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *name,
                generation.ordinal,
                origin.offset,
                origin.skipping,
                origin.anchor,
                origin.snapshot,
                *observed,
            ),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                # A full disk may have ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _add_since(connection: sqlite3.Connection) -> None:
    """Bring a store from before there were epochs up to date."""
    if not has_since(connection):
        connection.execute(
            "ALTER TABLE generation ADD COLUMN since INTEGER NOT NULL DEFAULT 0"
        )


def _columns(connection: sqlite3.Connection) -> set[tuple[str, str, int]]:
    return set(
        connection.execute(
            "SELECT tables.name, columns.name, columns.pk FROM sqlite_schema AS tables,"
            " pragma_table_info(tables.name) AS columns"
        )
    )


def _damage(error: Exception) -> bool:
    """Tell a damaged store from one that is locked, or on a disk in trouble."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    return getattr(error, "sqlite_errorcode", _OTHER_SCHEMA) == _OTHER_SCHEMA
