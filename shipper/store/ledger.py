# SPDX-License-Identifier: Apache-2.0
"""Which chunks are acknowledged, and up to where without a hole.

A checkpoint may only be written for the newest chunk that has nothing unacknowledged
before it in its source. Sources are independent of one another; generations of one
source are not, because the later one inherits the earlier one's state.
"""

from __future__ import annotations

import threading
from collections import deque

from msgspec import Struct

from shipper.records import Generation, Ticket


class Settled(Struct, frozen=True, kw_only=True):
    """What may be saved of one generation.

    Attributes:
        ticket: newest chunk of the acknowledged prefix.
        records: record documents acknowledged since the last time.
        duplicates: documents among all acknowledged that were there already.
        dead_lettered: bytes of records that went to the dead letters instead.
    """

    ticket: Ticket
    records: int
    duplicates: int
    dead_lettered: int


class _Entry:
    __slots__ = ("dead_lettered", "duplicates", "outstanding", "ticket")

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.outstanding = ticket.events
        self.duplicates = 0
        self.dead_lettered = 0


class Ledger:
    """Keeps the books. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, deque[_Entry]] = {}
        self._entries: dict[int, _Entry] = {}
        self._settled: dict[tuple[str, str, int], Settled] = {}

    def open(self, ticket: Ticket) -> None:
        """Enter a chunk, in the order of reading."""
        entry = _Entry(ticket)
        with self._lock:
            self._entries[id(ticket)] = entry
            self._queues.setdefault(ticket.source.key, deque()).append(entry)
            if not entry.outstanding:
                self._advance(ticket.source.key)

    def settle(
        self, ticket: Ticket, events: int, *, duplicates: int = 0, dead_bytes: int = 0
    ) -> None:
        """Note that so many of a chunk's documents are dealt with.

        Args:
            ticket: the chunk.
            events: documents delivered, found there already, or dead-lettered.
            duplicates: those of them that were there already.
            dead_bytes: bytes of records among them that are dead letters.

        Raises:
            ValueError: more documents are settled than the chunk has.
        """
        with self._lock:
            entry = self._entries.get(id(ticket))
            if entry is None or events > entry.outstanding:
                raise ValueError(f"{ticket.source.key}: settled twice")
            entry.outstanding -= events
            entry.duplicates += duplicates
            entry.dead_lettered += dead_bytes
            if not entry.outstanding:
                self._advance(ticket.source.key)

    def unacknowledged(self, key: str) -> dict[Generation, int]:
        """Return from which offset on a source's generations are unacknowledged."""
        starts: dict[Generation, int] = {}
        with self._lock:
            for entry in self._queues.get(key, ()):
                starts.setdefault(entry.ticket.generation, entry.ticket.start)
        return starts

    def take(self) -> list[Settled]:
        """Return what may be saved since the last call."""
        with self._lock:
            settled, self._settled = self._settled, {}
        return list(settled.values())

    @property
    def outstanding(self) -> int:
        """Chunks that are not acknowledged yet."""
        with self._lock:
            return len(self._entries)

    def _advance(self, key: str) -> None:
        queue = self._queues[key]
        while queue and not queue[0].outstanding:
            entry = queue.popleft()
            ticket = entry.ticket
            del self._entries[id(ticket)]
            generation = ticket.generation
            name = (key, generation.gen_id, generation.life)
            before = self._settled.get(name)
            self._settled[name] = Settled(
                ticket=ticket,
                records=ticket.records + (before.records if before else 0),
                duplicates=entry.duplicates + (before.duplicates if before else 0),
                dead_lettered=entry.dead_lettered
                + (before.dead_lettered if before else 0),
            )
        if not queue:
            del self._queues[key]
