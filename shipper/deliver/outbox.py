# SPDX-License-Identifier: Apache-2.0
"""Events waiting to be sent, bounded in bytes, taken in batches that fit the moment."""

from __future__ import annotations

import threading
from collections import deque

from shipper.clock import Clock
from shipper.records import Event, Ticket

Item = tuple[Ticket, Event]


class Outbox:
    """A queue between the reader and the senders. Safe for several threads.

    A batch is taken as soon as a sender is free and the first event has waited for
    ``linger_s``: under load batches grow by themselves, in a trickle nothing waits.

    Args:
        clock: time.
        batch_bytes: most bytes of documents in a batch.
        batch_events: most documents in a batch.
        linger_s: seconds a first event waits for company.
        max_bytes: most bytes waiting and under way together.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        batch_bytes: int,
        batch_events: int,
        linger_s: float,
        max_bytes: int,
    ) -> None:
        self._clock = clock
        self._batch_bytes = batch_bytes
        self._batch_events = batch_events
        self._linger_s = linger_s
        self._max_bytes = max_bytes
        self._condition = threading.Condition()
        self._items: deque[Item] = deque()
        self._waiting_bytes = 0
        self._under_way = 0  # bytes taken and not done
        self._first_at = 0.0
        self._closed = False

    def put(self, ticket: Ticket, events: list[Event]) -> None:
        """Add a chunk's events. Never blocks; ask for :meth:`room` before reading."""
        size = sum(len(event.document) for event in events)
        with self._condition:
            if not self._items:
                self._first_at = self._clock.monotonic()
            self._items.extend([(ticket, event) for event in events])
            self._waiting_bytes += size
            self._condition.notify_all()  # it may fill more than one batch

    def room(self, timeout_s: float = 0.0) -> bool:
        """Tell whether more may be read, waiting up to ``timeout_s`` seconds for it."""
        with self._condition:
            return self._condition.wait_for(self._has_room, timeout_s)

    def take(self) -> list[Item] | None:
        """Return the next batch, waiting for one; ``None`` when closed and empty."""
        with self._condition:
            while True:
                if not self._items:
                    if self._closed:
                        return None
                    self._condition.wait()
                    continue
                left = self._first_at + self._linger_s - self._clock.monotonic()
                full = (
                    self._waiting_bytes >= self._batch_bytes
                    or len(self._items) >= self._batch_events
                )
                if full or self._closed or left <= 0:
                    return self._cut()
                self._condition.wait(left)

    def done(self, items: list[Item]) -> None:
        """Give back the room of documents that are dealt with."""
        size = sum(len(event.document) for _, event in items)
        with self._condition:
            self._under_way -= size
            self._condition.notify_all()

    def close(self) -> None:
        """Take no more waiting for company: what is there is sent, then it ends."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _has_room(self) -> bool:
        return self._waiting_bytes + self._under_way < self._max_bytes

    def _cut(self) -> list[Item]:
        batch: list[Item] = []
        size = 0
        while self._items and len(batch) < self._batch_events:
            length = len(self._items[0][1].document)
            if batch and size + length > self._batch_bytes:
                break
            batch.append(self._items.popleft())
            size += length
        self._waiting_bytes -= size
        self._under_way += size
        self._first_at = self._clock.monotonic()
        return batch
