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
        self._parcels: deque[_Parcel] = deque()
        self._waiting = 0  # events
        self._waiting_bytes = 0
        self._under_way = 0  # bytes taken and not done
        self._first_at = 0.0
        self._closed = False

    def put(self, ticket: Ticket, events: list[Event]) -> None:
        """Add a chunk's events. Never blocks; ask for :meth:`room` before reading."""
        parcel = _Parcel([(ticket, event) for event in events])
        with self._condition:
            if not self._parcels:
                self._first_at = self._clock.monotonic()
            self._parcels.append(parcel)
            self._waiting += len(events)
            self._waiting_bytes += parcel.size
            self._condition.notify_all()  # it may fill more than one batch

    def room(self, timeout_s: float = 0.0) -> bool:
        """Tell whether more may be read, waiting up to ``timeout_s`` seconds for it."""
        with self._condition:
            return self._condition.wait_for(self._has_room, timeout_s)

    def take(self) -> list[Item] | None:
        """Return the next batch, waiting for one; ``None`` when closed and empty."""
        with self._condition:
            while True:
                if not self._parcels:
                    if self._closed:
                        return None
                    self._condition.wait()
                    continue
                left = self._first_at + self._linger_s - self._clock.monotonic()
                full = (
                    self._waiting_bytes >= self._batch_bytes
                    or self._waiting >= self._batch_events
                )
                if full or self._closed or left <= 0:
                    return self._cut()
                self._condition.wait(left)

    def done(self, items: list[Item]) -> None:
        """Give back the room of documents that are dealt with."""
        size = _size(items)
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
        while self._parcels:
            parcel = self._parcels[0]
            room = self._batch_events - len(batch)
            if size + parcel.size <= self._batch_bytes and len(parcel.items) <= room:
                self._parcels.popleft()
                batch += parcel.items
                size += parcel.size
                continue
            taken = parcel.split(room, self._batch_bytes - size, alone=not batch)
            batch += taken.items
            size += taken.size
            if not parcel.items:
                self._parcels.popleft()
            break
        self._waiting -= len(batch)
        self._waiting_bytes -= size
        self._under_way += size
        self._first_at = self._clock.monotonic()
        return batch


class _Parcel:
    """Events of one chunk, mostly taken as a whole."""

    __slots__ = ("items", "size")

    def __init__(self, items: list[Item]) -> None:
        self.items = items
        self.size = _size(items)

    def split(self, events: int, size: int, *, alone: bool) -> _Parcel:
        """Take off what fits; ``alone``: the first one even if it is too large."""
        count = 0
        while count < min(events, len(self.items)):
            length = len(self.items[count][1].document)
            if length > size and not (alone and count == 0):
                break
            size -= length
            count += 1
        taken = _Parcel(self.items[:count])
        self.items = self.items[count:]
        self.size -= taken.size
        return taken


def _size(items: list[Item]) -> int:
    return sum([len(event.document) for _, event in items])


def sent_since(items: list[Item]) -> int | None:
    """Return the epoch from which on any of these may have been sent before."""
    known = {ticket.since for ticket, _ in items}
    return min((epoch for epoch in known if epoch is not None), default=None)
