# SPDX-License-Identifier: Apache-2.0
"""The running shipper: one loop, and an order of shut-down.

One thread reads, parses and enriches; senders deliver; a keeper saves what has been
acknowledged. Visits to network shares run in threads of their own, because they may
hang. Shut-down runs the other way round: stop reading, drain, save.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog
from msgspec import Struct

from shipper.app.assembly import Assembly
from shipper.clock import Clock, SystemClock
from shipper.config import Settings
from shipper.deliver import Counts, Delivery, Gate, Outbox, Sink
from shipper.errors import InputProblem, ShipperError
from shipper.parse import first_time
from shipper.records import Source
from shipper.store import Database, DeadLetters, Keeper, Ledger, Sighting, StateFolder
from shipper.tail import (
    Discovery,
    Harvester,
    Life,
    LocalOpener,
    Opener,
    Pacing,
    Reading,
    Schedule,
    ShareReaders,
    Siblings,
    Status,
    Watch,
)

_log = structlog.get_logger(__name__)

_TICK_S = 0.25


class Progress(Struct, frozen=True, kw_only=True):
    """How far things are.

    Attributes:
        sources: logs known.
        finished: logs read to their end (``ship``).
        bytes_read: bytes handed on since the start.
        records: record documents made of them.
        counts: what has been delivered.
        waiting_for: why nothing is delivered at the moment, or empty.
    """

    sources: int
    finished: int
    bytes_read: int
    records: int
    counts: Counts
    waiting_for: str


class App:
    """The running shipper.

    Args:
        settings: all settings.
        discovery: which logs there are.
        sink: where documents go.
        folder: the locked state folder.
        once: read every log to its end and finish (``ship``).
        closing: close the sink at the end.
        clock: time.
        opener: the file system.
        tick: called about four times a second with the progress.
    """

    def __init__(
        self,
        settings: Settings,
        discovery: Discovery,
        sink: Sink,
        folder: StateFolder,
        *,
        once: bool = False,
        closing: bool = True,
        clock: Clock | None = None,
        opener: Opener | None = None,
        tick: Callable[[Progress], None] | None = None,
    ) -> None:
        clock = clock or SystemClock()
        output, reading = settings.output, settings.input
        self._settings = settings
        self._discovery = discovery
        self._clock = clock
        self._opener: Opener = opener or LocalOpener()
        self._tick = tick
        self._sink = sink
        self._closing = closing
        self._database = Database(folder.database, clock)
        self._ledger = Ledger()
        self._keeper = Keeper(self._database, self._ledger)
        self._gate = Gate(clock)
        self._outbox = Outbox(
            clock,
            batch_bytes=output.batch_bytes,
            batch_events=output.batch_events,
            linger_s=output.linger,
            max_bytes=output.max_in_flight_bytes,
        )
        self._delivery = Delivery(
            sink,
            self._outbox,
            self._gate,
            self._ledger,
            clock,
            bury=DeadLetters(folder.dead_letters, clock).add,
            batch_done=self._keeper.batch_done,
            senders=output.senders,
            max_dead_letters_in_row=output.max_dead_letters_in_row,
        )
        self._pacing = Pacing(
            max_line_bytes=reading.max_line_bytes,
            rotation_wait_s=reading.rotation_wait,
            once=once,
        )
        self._schedule = Schedule(clock, reading.sweep_min, reading.sweep_max)
        self._shares = ShareReaders(clock, reading.share_readers, reading.max_stuck)
        self._returned: queue.SimpleQueue[tuple[str, Reading | None]]
        self._returned = queue.SimpleQueue()
        self._assembly = Assembly(settings, clock)
        self._harvesters: dict[str, Harvester] = {}
        self._on_share: dict[str, bool] = {}
        self._by_folder: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._finished = 0
        self._bytes_read = 0
        self._records = 0
        self.already_shipped = 0

    # --- life cycle -------------------------------------------------------------

    def __enter__(self) -> Self:
        self._keeper.start()
        self._delivery.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._delivery.drain(0.0 if error else self._settings.output.shutdown_grace)
            self._keeper.stop()
        finally:
            self._database.close()
            if self._closing:
                self._sink.close()

    def stop(self) -> None:
        """Stop reading; safe to call from a signal handler or another thread."""
        self._stop.set()

    def run(self) -> None:
        """Tail until :meth:`stop` is called.

        Raises:
            StateError: progress cannot be saved.
        """
        self._database.forget(self._settings.state.keep_days)
        watch = self._watch()
        if watch:
            watch.start()
        next_scan = next_tick = 0.0
        try:
            while not self._stop.is_set():
                now = self._clock.monotonic()
                if now >= next_scan:
                    next_scan = now + self._settings.input.scan_interval
                    self._scan()
                if now >= next_tick:
                    next_tick = now + _TICK_S
                    self._health()
                self._take_returned()
                key = self._schedule.next(_TICK_S)
                if key is not None:
                    self._visit(key)
        finally:
            if watch:
                watch.stop()
            self._shares.stop()

    def ship(self) -> bool:
        """Read every log to its end, once; tell whether all was read and delivered.

        Raises:
            InputProblem: a log cannot be read.
            StateError: progress cannot be saved.
        """
        self._scan()
        if not self._harvesters:
            names = ", ".join(pattern.text for pattern in self._discovery.patterns)
            raise InputProblem(
                f"{names}: there is no such log.",
                remedy="Check the path; a pattern needs quotes in most shells.",
            )
        troubles = [
            trouble
            for harvester in self._harvesters.values()
            if (trouble := self._finish(harvester))
        ]
        if self._stop.is_set():
            return False
        self._outbox.close()
        while self._ledger.outstanding and not self._stop.is_set():
            self._stop.wait(_TICK_S / 5)
            self._health()
        self._health()
        if troubles:
            raise InputProblem("; ".join(troubles) + ".")
        return not self._ledger.outstanding

    # --- reading ----------------------------------------------------------------

    def _scan(self) -> None:
        try:
            found = self._discovery.scan()
        except InputProblem as problem:
            if not self._harvesters:
                raise
            _log.error(problem.message, remedy=problem.remedy)
            return
        for key, (source, siblings) in found.items():
            if key not in self._harvesters:
                self._add(key, source, siblings)

    def _add(self, key: str, source: Source, siblings: Siblings) -> None:
        share = self._opener.is_share(source.path)
        self._on_share[key] = share
        self._harvesters[key] = Harvester(
            source,
            siblings,
            self._opener,
            first_time,
            self._clock,
            self._pacing,
            self._database.checkpoints(key),
        )
        self._by_folder.setdefault(source.directory, []).append(key)
        reading = self._settings.input
        longest = reading.sweep_max_shares if share else reading.sweep_max
        self._schedule.add(key, longest_s=longest)

    def _visit(self, key: str) -> None:
        harvester = self._harvesters[key]
        read = self._outbox.room(_TICK_S)
        if not self._on_share[key]:
            self._visited(key, harvester.visit(read=read))
            return

        def visit() -> None:
            reading = harvester.visit(read=read)
            self._returned.put((key, reading))
            self._schedule.wake()

        self._shares.submit(key, visit)

    def _take_returned(self) -> None:
        while not self._returned.empty():
            key, reading = self._returned.get()
            self._visited(key, reading)

    def _visited(self, key: str, reading: Reading | None) -> None:
        harvester = self._harvesters[key]
        if reading is not None:
            self._hand_on(harvester.source, reading)
        self._note(harvester)
        self._schedule.done(
            key, active=reading is not None, more=reading is not None and reading.more
        )

    def _finish(self, harvester: Harvester) -> str:
        """Read one log to its end; return what was in the way, or an empty string."""
        known = bool(harvester.lives)
        read = False
        while not self._stop.is_set():
            while not self._outbox.room(_TICK_S) and not self._stop.is_set():
                self._health()
            reading = harvester.visit()
            if reading is None:
                break
            read = True
            self._hand_on(harvester.source, reading)
            self._health()
        self._note(harvester)
        self._finished += 1
        if harvester.status in {Status.OK, Status.FINISHED, Status.WAITING}:
            self.already_shipped += known and not read
            return ""
        detail = f" ({harvester.detail})" if harvester.detail else ""
        return f"{harvester.source.path}: {harvester.status}{detail}"

    def _hand_on(self, source: Source, reading: Reading) -> None:
        """Enter what was read into the ledger, and put it into the outbox."""
        life, position = reading.life, reading.life.position
        self._sight(source, life)
        for ticket, events in self._assembly.make(source, reading):
            self._bytes_read += life.position - position
            position = life.position
            self._records += ticket.records
            self._ledger.open(ticket)
            if events:
                self._outbox.put(ticket, events)

    # --- keeping track ----------------------------------------------------------

    def _note(self, harvester: Harvester) -> None:
        for life in harvester.lives:
            self._sight(harvester.source, life)
        self._keeper.visited(harvester.source, harvester.status, harvester.detail)

    def _sight(self, source: Source, life: Life) -> None:
        self._keeper.sighted(
            Sighting(
                source=source,
                generation=life.generation,
                origin=life.origin,
                observation=life.observe(),
            )
        )

    def _health(self) -> None:
        trouble: ShipperError | None = self._keeper.trouble or self._delivery.trouble
        if trouble is not None:
            raise trouble
        if self._tick is not None:
            self._tick(self.progress())

    def progress(self) -> Progress:
        """Return how far things are."""
        problem = self._gate.problem
        return Progress(
            sources=len(self._harvesters),
            finished=self._finished,
            bytes_read=self._bytes_read,
            records=self._records,
            counts=self._delivery.counts,
            waiting_for=problem.message if problem else "",
        )

    def lost_bytes(self) -> int:
        """Return the bytes of all sources that were gone before they were read."""
        return sum(life.lost for h in self._harvesters.values() for life in h.lives)

    def has_read(self, host: str, generations: int) -> bool:
        """Tell whether all but the newest of so many generations have been read.

        Args:
            host: whose log.
            generations: how many of them there are.
        """
        return any(
            len(harvester.lives) == generations
            and all(life.finished for life in harvester.lives[:-1])
            for harvester in list(self._harvesters.values())
            if harvester.source.host == host
        )

    # --- hints ------------------------------------------------------------------

    def _watch(self) -> Watch | None:
        mode = self._settings.input.watch
        roots = {
            pattern.root
            for pattern in self._discovery.patterns
            if mode == "events" or not self._opener.is_share(pattern.root)
        }
        return Watch(roots, self._hint) if roots and mode != "sweep" else None

    def _hint(self, path: str) -> None:
        folder = path.replace("\\", "/").rpartition("/")[0]
        for key in self._by_folder.get(folder, ()):
            self._schedule.hint(key)
