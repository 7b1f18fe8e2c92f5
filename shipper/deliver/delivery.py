# SPDX-License-Identifier: Apache-2.0
"""Senders: take batches, send until each document is dealt with, settle accounts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import structlog

from shipper.clock import Clock
from shipper.deliver.counts import Counts, Tally
from shipper.deliver.gate import Gate
from shipper.deliver.outbox import Item, Outbox, sent_since
from shipper.deliver.refusal import ended_by, letter, refused, too_large, unknown
from shipper.deliver.sink import (
    BUSY,
    DELIVERED,
    STORED_AS_FAILURE,
    Outage,
    Sink,
    TooLarge,
    Verdict,
)
from shipper.errors import ShipperError
from shipper.records import DeadLetter, Outcome, Stream, Ticket

_log = structlog.get_logger(__name__)

_POLL_S = 0.05
_LAST_TRY_S = 1.0


class Books(Protocol):
    """Where senders account for what became of documents."""

    def settle(
        self, ticket: Ticket, events: int, *, duplicates: int, dead_bytes: int
    ) -> None:
        """Note that so many of a chunk's documents are dealt with."""
        ...


class Delivery:
    """Owns the senders.

    Args:
        sink: where documents go.
        outbox: where they come from.
        gate: shared back-off.
        books: where they are accounted for.
        clock: time.
        bury: keeps dead letters; they are on the disk when it returns.
        batch_done: called after each batch that is dealt with.
        senders: number of threads.
        max_dead_letters_in_row: so many refusals in a row count as an outage instead.

    Attributes:
        counts: what has been delivered since the start.
        trouble: why sending ended, if it did before it was asked to.
    """

    def __init__(
        self,
        sink: Sink,
        outbox: Outbox,
        gate: Gate,
        books: Books,
        clock: Clock,
        *,
        bury: Callable[[list[DeadLetter]], None],
        batch_done: Callable[[], None],
        senders: int,
        max_dead_letters_in_row: int,
    ) -> None:
        self.counts = Counts()
        self.trouble: ShipperError | None = None
        self._sink = sink
        self._outbox = outbox
        self._gate = gate
        self._books = books
        self._bury = bury
        self._batch_done = batch_done
        self._limit = max_dead_letters_in_row
        self._preparing = threading.Lock()
        self._prepared = False
        self._clock = clock
        self._in_row = 0
        self._abandoned = False
        self._marks: dict[int, int] = {}  # of batches under way, by thread
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, name=f"sender-{n}", daemon=True)
            for n in range(senders)
        ]

    @property
    def since(self) -> int:
        """Epoch from which on documents not acknowledged may have been sent."""
        newest = max(self._sink.epochs, default=0)
        return min((newest, *self._marks.copy().values()))

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def drain(self, timeout_s: float) -> bool:
        """Send what there is and end; tell whether all of it was dealt with in time.

        Nothing is waited for while the server is away: it is not lost.
        """
        self._outbox.close()
        deadline = self._clock.monotonic() + timeout_s
        for thread in self._threads:
            while thread.is_alive() and self._clock.monotonic() < deadline:
                if self._gate.problem is not None:
                    deadline = min(deadline, self._clock.monotonic() + _LAST_TRY_S)
                thread.join(_POLL_S)
        self._gate.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_POLL_S)
        clean = not any(thread.is_alive() for thread in self._threads)
        return clean and self.trouble is None and not self._abandoned

    def _run(self) -> None:
        try:
            if not self._ready():
                self._abandoned = True
                return
            while (items := self._outbox.take()) is not None:
                mark = self._marks[threading.get_ident()] = self._sink.mark()
                if not self._deliver(items, mark, sent_since(items)):
                    self._abandoned = True
                    return
                del self._marks[threading.get_ident()]
                self._batch_done()
        except Exception as error:  # noqa: BLE001  a sender must not end in silence
            self.trouble = ended_by(error)
            self._gate.stop()

    def _ready(self) -> bool:
        """Prepare the server, once; ``False`` when asked to stop before that."""
        with self._preparing:
            while not self._prepared:
                if not self._gate.enter():
                    return False
                try:
                    self._sink.prepare()
                except Outage as outage:
                    self._gate.failed(outage.problem)
                else:
                    self._prepared = True
                    self._gate.passed()
                finally:
                    self._gate.leave()
            return True

    def _deliver(self, items: list[Item], mark: int, since: int | None) -> bool:
        """Send until all is dealt with; ``False`` when asked to stop before that.

        Args:
            items: what to send.
            mark: epoch in which they were sent first, or before.
            since: epoch from which on they may have been sent, if they may.
        """
        pending = items
        while pending:
            if not self._gate.enter():
                return False
            try:
                verdicts = self._sink.send([event for _, event in pending], since)
            except Outage as outage:
                self._gate.failed(
                    outage.problem, busy=outage.busy, wait_s=outage.wait_s
                )
                if outage.unknown:
                    since = mark if since is None else min(mark, since)
                continue
            except TooLarge:
                verdicts = []
            finally:
                self._gate.leave()
            if not verdicts and len(pending) > 1:
                half = len(pending) // 2
                return self._deliver(pending[:half], mark, since) and self._deliver(
                    pending[half:], mark, since
                )
            verdicts = verdicts or [too_large(pending[0][1])]
            if verdicts.count(DELIVERED) == len(pending):
                self._settle_all(pending)
                return True
            pending = self._account(pending, verdicts)
            if any(map(unknown, verdicts)):
                since = mark if since is None else min(mark, since)
        return True

    def _account(self, items: list[Item], verdicts: list[Verdict]) -> list[Item]:
        """Settle what is dealt with; return what has to be sent again."""
        tallies: dict[int, Tally] = {}
        letters: list[DeadLetter] = []
        again: list[Item] = []
        settled: list[tuple[Item, Outcome]] = []
        in_row = self._in_row
        problem = ""
        for item, verdict in zip(items, verdicts, strict=True):
            ticket, event = item
            outcome = verdict.outcome
            stored = verdict is STORED_AS_FAILURE  # sent again, it would be twice
            if outcome is Outcome.REJECTED and in_row >= self._limit and not stored:
                outcome = Outcome.RETRY
            if outcome is Outcome.RETRY:
                again.append(item)
                problem = f"{verdict.status} {verdict.error_type}: {verdict.reason}"
                continue
            tally = tallies.get(id(ticket))
            if tally is None:
                tally = tallies[id(ticket)] = Tally(ticket)
            tally.events += 1
            in_row = in_row + 1 if outcome is Outcome.REJECTED else 0
            settled.append((item, outcome))
            if outcome is Outcome.DUPLICATE:
                tally.duplicates += 1
            elif outcome is Outcome.REJECTED:
                tally.dead_bytes += event.size
                letters.append(letter(item, verdict))
        if letters:
            self._keep(letters)
        for tally in tallies.values():
            self._books.settle(
                tally.ticket,
                tally.events,
                duplicates=tally.duplicates,
                dead_bytes=tally.dead_bytes,
            )
        unchecked = sum(verdict.unchecked for verdict in verdicts)
        self._count(settled, in_row, len(again), unchecked)
        self._outbox.done([item for item, _ in settled])
        if again:
            busy = any(verdict.status == BUSY for verdict in verdicts)
            self._gate.failed(refused(problem), busy=busy)
        else:
            self._gate.passed()
        return again

    def _settle_all(self, items: list[Item]) -> None:
        """Settle a batch of which every document was taken: nearly all of them."""
        states = 0
        for ticket, group in groupby(items, key=itemgetter(0)):
            streams = [event.stream for _, event in group]
            states += streams.count(Stream.STATE)
            self._books.settle(ticket, len(streams), duplicates=0, dead_bytes=0)
        with self._lock:
            self._in_row = 0
            self.counts.batches += 1
            self.counts.states += states
            self.counts.indexed += len(items) - states
        self._outbox.done(items)
        self._gate.passed()

    def _keep(self, letters: list[DeadLetter]) -> None:
        self._bury(letters)
        first = letters[0]
        _log.error(
            "documents refused; kept as dead letters",
            count=len(letters),
            first_id=first.event.id,
            error=first.error_type,
            reason=first.reason,
        )

    def _count(
        self,
        settled: list[tuple[Item, Outcome]],
        in_row: int,
        again: int,
        unchecked: int,
    ) -> None:
        with self._lock:
            self._in_row = in_row
            self.counts.batches += 1
            self.counts.retried += again
            self.counts.unchecked += unchecked
            for (_, event), outcome in settled:
                self.counts.add(event.stream, outcome)
