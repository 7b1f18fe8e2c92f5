# SPDX-License-Identifier: Apache-2.0
"""Reports of the collector and its sources, once a minute, from what the store has.

A report nobody takes is not kept: the next one says the same, and what was lost or
refused is counted from the last one that arrived, also by an earlier run.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from zlib import crc32

import msgspec
import structlog

from shipper.clock import Clock
from shipper.deliver import Outage, Sink, TooLarge, Verdict
from shipper.enrich import (
    CollectorReport,
    SourceReport,
    Trail,
    collector_status,
    source_status,
)
from shipper.errors import StateError
from shipper.records import Event, Outcome, Stream
from shipper.store import Account, Reader

_log = structlog.get_logger(__name__)

EVERY_S = 60.0
_MINUTES = 60  # each source has one of them, so that a fleet reports evenly
_MINUTE_MS = 60_000
_AT_ONCE = 1_000
_PATIENCE_S = 3.0  # for a server that does not answer
#: Bytes refused and lost, by key of the source.
_Told = dict[str, tuple[int, int]]
_TAKEN = frozenset({Outcome.DELIVERED, Outcome.DUPLICATE})


class Reporter:
    """Reports from a thread of its own, as long as the block it is entered for.

    Args:
        sink: where documents go; its owner closes it.
        database: the checkpoint store, which exists.
        told: file that remembers what the last report that arrived has told.
        clock: time.
        collector: this machine's name.
        namespace: of the data streams.
        down: tells whether nothing can be delivered; nothing is tried then.
    """

    def __init__(
        self,
        sink: Sink,
        database: Path,
        told: Path,
        clock: Clock,
        *,
        collector: str,
        namespace: str,
        down: Callable[[], bool],
    ) -> None:
        self._sink = sink
        self._database = database
        self._file = told
        self._clock = clock
        self._collector = collector
        self._namespace = namespace
        self._down = down
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
        self._minute = clock.wall_ms() // _MINUTE_MS
        self._said = False
        #: By source, if any: bytes refused and lost as of the last report that arrived.
        self._told: _Told = {}
        #: By source: up to where it had been seen when, if that is still unread.
        self._unread: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        try:
            self._told = msgspec.json.decode(self._file.read_bytes(), type=_Told)
        except (OSError, msgspec.DecodeError):
            reader = Reader(self._database)
            try:
                self._remember(reader.accounts())
            finally:
                reader.close()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_PATIENCE_S)

    def report(self, reader: Reader) -> None:
        """Send one report of the collector, and of the sources whose turn it is.

        Raises:
            StateError: the store cannot be read.
        """
        now_ms = self._clock.wall_ms()
        accounts = reader.accounts()
        self._watch(accounts, now_ms)
        if self._down():
            return
        minute = now_ms // _MINUTE_MS
        passed = min(_MINUTES, minute - self._minute)
        turns = {(minute - back) % _MINUTES for back in range(passed)}
        due = [a for a in accounts if crc32(a.key.encode()) % _MINUTES in turns]
        events = [self._collector_event(accounts, now_ms)]
        events += [self._source_event(reader, account, now_ms) for account in due]
        if self._sent(events):
            self._minute = minute
            self._remember(accounts)

    def _run(self) -> None:
        try:
            reader = Reader(self._database)
            try:
                while not self._over.wait(EVERY_S):
                    self.report(reader)
            finally:
                reader.close()
        except StateError as error:
            _log.warning("no more reports of the collector", reason=error.message)

    def _remember(self, accounts: Iterable[Account]) -> None:
        told = {
            a.key: (a.dead_lettered, a.lost)
            for a in accounts
            if a.dead_lettered or a.lost
        }
        if told != self._told or not self._file.exists():
            self._told = told
            # Kept or not, it is told once more at the worst.
            with suppress(OSError):
                new = self._file.with_suffix(".new")
                new.write_bytes(msgspec.json.encode(told))
                new.replace(self._file)

    def _watch(self, accounts: Iterable[Account], now_ms: int) -> None:
        """Note since when the oldest unread bytes of each source have been there."""
        before, self._unread = self._unread, {}
        for account in accounts:
            if account.unread > 0:
                seen, since_ms = before.get(account.key, (0, 0))
                if account.dealt_with + account.lost >= seen:
                    seen, since_ms = account.seen, now_ms
                self._unread[account.key] = seen, since_ms

    def _collector_event(self, accounts: list[Account], now_ms: int) -> Event:
        dead = lost = 0
        for account in accounts:
            told_dead, told_lost = self._told.get(account.key, (0, 0))
            # What is forgotten with an old generation is not taken back.
            dead += max(0, account.dead_lettered - told_dead)
            lost += max(0, account.lost - told_lost)
        oldest = min((since for _, since in self._unread.values()), default=None)
        report = CollectorReport(
            name=self._collector,
            sources=Counter(account.status for account in accounts),
            unread_bytes=sum(account.unread for account in accounts),
            unread_since_ms=oldest,
            dead_lettered_delta=dead,
            lost_bytes_delta=lost,
        )
        document = collector_status(report, now_ms, self._namespace)
        return self._event(self._collector, now_ms, document)

    def _source_event(self, reader: Reader, account: Account, now_ms: int) -> Event:
        times = (
            Trail.decode(checkpoint.progress.snapshot).neighbour_ms
            for checkpoint in reversed(reader.checkpoints(account.key))
        )
        report = SourceReport(
            host=account.host,
            log=account.log,
            path=account.path,
            status=account.status,
            first_seen_ms=account.first_seen_ms,
            last_ok_ms=account.last_ok_ms,
            last_record_ms=next(filter(None, times), None),
            unread_bytes=account.unread,
            unread_since_ms=self._unread.get(account.key, (0, None))[1],
        )
        document = source_status(report, now_ms, self._namespace)
        return self._event(f"{self._collector}|{account.key}", now_ms, document)

    def _event(self, of: str, now_ms: int, document: bytes) -> Event:
        name = f"{crc32(of.encode()):08x}-{now_ms:x}-{crc32(document):08x}"
        return Event(id=name, stream=Stream.SHIPPER, document=document)

    def _sent(self, events: list[Event]) -> bool:
        """Send all of it; tell whether the collector's own report arrived."""
        arrived = False
        with suppress(Outage, TooLarge):
            for begin in range(0, len(events), _AT_ONCE):
                verdicts = self._sink.send(events[begin : begin + _AT_ONCE])
                if not begin:
                    arrived = verdicts[0].outcome in _TAKEN
                    self._complain(verdicts[0])
        return arrived

    def _complain(self, verdict: Verdict) -> None:
        """Say, once, that reports are refused."""
        refused = verdict.outcome not in _TAKEN
        if refused and not self._said:
            _log.warning(
                "reports of the collector are refused",
                status=verdict.status,
                error=verdict.error_type,
                reason=verdict.reason,
                remedy="Run `clisvc setup`, or set output.status_documents = false.",
            )
        self._said = refused
