# SPDX-License-Identifier: Apache-2.0
"""What tailing and backfilling share: the stages put together, and their order.

One thread reads, parses and enriches; senders deliver; a keeper saves what has been
acknowledged. Shut-down runs the other way round: stop reading, drain, save.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from msgspec import Struct

from shipper.app.assembly import Assembly
from shipper.clock import Clock, SystemClock
from shipper.config import Settings
from shipper.deliver import Counts, Delivery, Gate, Outbox, Sink
from shipper.enrich import Trail
from shipper.errors import ShipperError
from shipper.parse import first_time
from shipper.records import Checkpoint, Source, Ticket
from shipper.store import (
    Database,
    DeadLetters,
    Keeper,
    Ledger,
    Sighting,
    Spool,
    StateFolder,
)
from shipper.tail import (
    Harvester,
    Life,
    LocalOpener,
    Opener,
    Pacing,
    Reading,
    Siblings,
)

_SILENCE_S = 5.0  # a server that takes longer may be away for long


class Progress(Struct, frozen=True, kw_only=True):
    """How far things are.

    Attributes:
        sources: logs known.
        finished: logs read to their end (``ship``).
        bytes_read: bytes handed on since the start.
        records: record documents made of them.
        lost: bytes that were gone before they were read.
        counts: what has been delivered.
        waiting_for: why nothing is delivered at the moment, or empty.
    """

    sources: int
    finished: int
    bytes_read: int
    records: int
    lost: int
    counts: Counts
    waiting_for: str


class Engine:
    """The stages behind a reader.

    Args:
        settings: all settings.
        sink: where documents go.
        folder: the locked state folder.
        once: logs are read to their end as they are now (``ship``).
        again: begin every log anew, whatever has been read of it.
        closing: close the sink at the end.
        clock: time.
        opener: the file system.
        tick: called now and then with the progress.

    Attributes:
        settings: all settings.
        clock: time.
        opener: the file system.
        harvesters: by key of their source.
        finished: logs read to their end.
    """

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        folder: StateFolder,
        *,
        once: bool = False,
        again: bool = False,
        closing: bool = True,
        clock: Clock | None = None,
        opener: Opener | None = None,
        tick: Callable[[Progress], None] | None = None,
    ) -> None:
        clock = clock or SystemClock()
        output, reading = settings.output, settings.input
        self.settings = settings
        self.clock = clock
        self._spool = Spool(
            folder.spool,
            opener or LocalOpener(),
            clock,
            max_bytes=settings.state.spool_bytes,
        )
        self.opener: Opener = self._spool
        self.harvesters: dict[str, Harvester] = {}
        self.finished = 0
        self._folder = folder
        self._tick = tick
        self._sink = sink
        self._again = again
        self._closing = closing
        self._assembly = Assembly(settings, clock)
        self._database = Database(folder.database, clock, check=Trail.decode)
        self._ledger = Ledger()
        sink.resume(
            self._database.epochs(), sent_ms=folder.sent_ms, sending=folder.sending
        )
        self._keeper = Keeper(
            self._database,
            self._ledger,
            clock,
            saved=self._release,
            since=lambda: self._delivery.since,
            epochs=lambda: sink.epochs,
        )
        self._gate = Gate(clock, output.senders)
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
            keep_days=settings.state.keep_days,
            once=once,
        )
        self._bytes_read = 0
        self._records = 0

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
            grace = 0.0 if error else self.settings.output.shutdown_grace
            self._folder.abandoned = not self._delivery.drain(grace)
            self._keeper.stop()
        finally:
            self._database.close()
            if self._closing:
                self._sink.close()

    def add(self, source: Source, siblings: Siblings) -> Harvester:
        """Begin to follow a log, from where it was left."""
        checkpoints: tuple[Checkpoint, ...] = ()
        if not self._again:
            checkpoints = self._database.checkpoints(source.key)
        self._spool.adopt(source, [saved.generation for saved in checkpoints])
        for saved in checkpoints:
            self._spool.release(source, saved.generation, saved.progress.offset)
        harvester = self.harvesters[source.key] = Harvester(
            source,
            siblings,
            self.opener,
            first_time,
            self.clock,
            self._pacing,
            checkpoints,
            None if self._pacing.once else self._spool,
        )
        self._spool.sharers = len(self.harvesters)
        return harvester

    def forget(self) -> None:
        """Forget generations whose files have been gone for long."""
        self._database.forget(self.settings.state.keep_days)
        self._keeper.forget()

    @property
    def down(self) -> bool:
        """Nothing can be delivered at the moment, or nobody answers."""
        return self._gate.problem is not None or self._gate.silence_s > _SILENCE_S

    def rescue(self, harvester: Harvester) -> None:
        """Keep what is left of rotated files, while nothing can be delivered.

        Raises:
            StateError: progress cannot be saved.
        """
        unacknowledged = self._ledger.unacknowledged(harvester.source.key)
        # What else is acknowledged has to be saved, or a crash would ask for it again.
        self._keeper.save()
        harvester.rescue(unacknowledged)

    def room(self, timeout_s: float) -> bool:
        """Tell whether more may be read, waiting up to ``timeout_s`` seconds for it."""
        return self._outbox.room(timeout_s)

    def hand_on(self, source: Source, reading: Reading) -> None:
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

    def note(self, harvester: Harvester) -> None:
        """Take down what a visit found out."""
        for life in harvester.lives:
            self._sight(harvester.source, life)
        self._keeper.visited(harvester.source, harvester.status, harvester.detail)

    def finish(self) -> None:
        """Wait for no more events: what there is is sent."""
        self._outbox.close()

    @property
    def outstanding(self) -> int:
        """Chunks that are not acknowledged yet."""
        return self._ledger.outstanding

    def check(self) -> None:
        """Report progress.

        Raises:
            StateError: progress or dead letters can no longer be saved.
        """
        trouble: ShipperError | None = self._keeper.trouble or self._delivery.trouble
        if trouble is not None:
            raise trouble
        if self._tick is not None:
            self._tick(self.progress())

    def progress(self) -> Progress:
        """Return how far things are."""
        problem = self._gate.problem
        return Progress(
            sources=len(self.harvesters),
            finished=self.finished,
            bytes_read=self._bytes_read,
            records=self._records,
            lost=sum(
                life.lost for h in list(self.harvesters.values()) for life in h.lives
            ),
            counts=self._delivery.counts,
            waiting_for=problem.message if problem else "",
        )

    def _release(self, ticket: Ticket) -> None:
        self._spool.release(ticket.source, ticket.generation, ticket.progress.offset)

    def _sight(self, source: Source, life: Life) -> None:
        self._keeper.sighted(
            Sighting(
                source=source,
                generation=life.generation,
                origin=life.origin,
                observation=life.observe(),
            )
        )
