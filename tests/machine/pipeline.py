# SPDX-License-Identifier: Apache-2.0
"""The real pipeline for one log, without its threads: a test does what they would do.

The reader, two senders and the keeper take turns in whatever order the test chooses,
and a crash may come between any two steps, or in the middle of a bulk request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
from elasticsearch import Elasticsearch
from msgspec.structs import replace

from shipper.app import Engine
from shipper.config import InputSettings, OutputSettings, Settings
from shipper.deliver import ElasticSink
from shipper.deliver.outbox import sent_since
from shipper.errors import SinkUnavailable
from shipper.records import Checkpoint, Event, Source, Ticket
from shipper.store import StateFolder
from shipper.store.rest import Rest
from shipper.tail import Siblings
from tests.fakes.clock import ManualClock
from tests.fakes.cluster import Cluster
from tests.fakes.files import MemoryFiles

LIMIT = 200
ROOM_BYTES = 24_000
MOST_VISITS = 400

SETTINGS = Settings(
    input=InputSettings(timezone="UTC", max_line_bytes=LIMIT),
    output=OutputSettings(
        batch_events=5,
        linger=0.0,  # with a clock that stands still nobody may wait for company
        max_in_flight_bytes=ROOM_BYTES,
        max_dead_letters_in_row=3,
    ),
)
Batch = list[tuple[Ticket, Event]]


class Killed(BaseException):
    """The process was killed here."""


class _Waits(threading.Condition):
    """A condition that nobody else can fulfil: waiting for it only takes time."""

    def __init__(self, wait: Callable[[float], None]) -> None:
        super().__init__()
        self._wait = wait

    def wait(self, timeout: float | None = None) -> bool:
        """Let ``timeout`` seconds pass."""
        assert timeout is not None, "would wait for ever"
        self._wait(timeout)
        return False


class Pipeline:
    """Drives the stages by hand.

    Args:
        files: where the log is.
        cluster: where documents go.
        folder: for the state.

    Attributes:
        batches: taken by senders and not dealt with.
        clock: time; waiting for it makes it pass.
        meanwhile: called while a sender waits before it sends again.
    """

    def __init__(self, files: MemoryFiles, cluster: Cluster, folder: Path) -> None:
        self.clock = ManualClock()
        self.batches: list[Batch] = []
        self.meanwhile: Callable[[], None] = _nothing
        self._files = files
        self._cluster = cluster
        self._path = folder
        self._source = Source(
            host="pc0417", log="clisvc", directory="/logs", path="/logs/Clisvc.log"
        )
        self.start()

    # --- the process --------------------------------------------------------------

    def start(self) -> None:
        """Start the process."""
        self._folder = StateFolder(self._path)
        sink = ElasticSink(
            cast("Elasticsearch", self._cluster),
            namespace="default",
            url="http://model:9200",
            clock=self.clock,
            collector="collector-1",
        )
        self._engine = Engine(
            SETTINGS, sink, self._folder, clock=self.clock, opener=self._files
        )
        # Never entered, so there is no thread; what threads share is driven from here.
        engine = self._engine
        engine._pacing = replace(engine._pacing, read_bytes=600)
        engine._gate._condition = _Waits(self._wait)
        self._harvester = engine.add(self._source, Siblings(path=self._source.path))

    def crash(self) -> None:
        """Kill the process: what is not on the disk is gone."""
        self.batches.clear()
        self._engine._database.close()
        self._folder.close()

    def stop(self) -> None:
        """End the process in order: all that was read is delivered and saved."""
        self.deliver_all()
        self.save()
        self.crash()

    def _wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.meanwhile()

    # --- its threads --------------------------------------------------------------

    def look(self, after_s: float) -> bool:
        """Do what the reader does until nothing is new; tell whether it saw all."""
        self.clock.advance(after_s)
        engine = self._engine
        for _ in range(MOST_VISITS):
            room = engine.room(0.0)
            reading = self._harvester.visit(read=room)
            if reading is not None:
                engine.hand_on(self._source, reading)
            engine.note(self._harvester)
            if engine.down:
                engine.rescue(self._harvester)
            if reading is None:
                return room
        raise AssertionError("the harvester finds no end")

    def take(self) -> bool:
        """Do what a sender does first; tell whether there was something to take."""
        if not self._engine._outbox._parcels:
            return False
        batch = self._engine._outbox.take()
        assert batch
        self.batches.append(batch)
        delivery = self._engine._delivery
        delivery._marks[id(batch)] = delivery._sink.mark()
        return True

    def deliver(self, number: int = 0) -> None:
        """Do what a sender does with a batch: send until all of it is dealt with."""
        batch = self.batches[number % len(self.batches)]
        delivery = self._engine._delivery
        mark = delivery._marks[id(batch)]
        assert delivery._deliver(batch, mark, sent_since(batch))
        del delivery._marks[id(batch)]
        self.batches.remove(batch)

    def fail(self) -> None:
        """Do what a sender does when the server is away, and go on trying."""
        self._engine._gate.failed(SinkUnavailable("The model is away."))

    def deliver_all(self) -> None:
        """Deliver everything that has been read."""
        while self.take():
            pass
        while self.batches:
            self.deliver()

    def save(self) -> None:
        """Do what the keeper does."""
        self._engine._keeper.save()

    # --- what can be seen -----------------------------------------------------------

    @property
    def held(self) -> set[str]:
        """Ids of documents that are only in memory."""
        waiting = [parcel.items for parcel in self._engine._outbox._parcels]
        return {event.id for items in (*waiting, *self.batches) for _, event in items}

    def kept(self, lines: Mapping[str, bytes]) -> set[str]:
        """Return which of these lines, by id, the outage spool has."""
        found: set[str] = set()
        for path in self._engine._spool.paths(self._source):
            rest = Rest.named(Path(path))
            assert rest
            with rest.open() as file:
                for name, line in lines.items():
                    gen_id, offset, _ = name.split("-")
                    begin = int(offset, 16)
                    same = file.pread(begin, len(line)) == line
                    if gen_id == rest.gen_id and begin >= rest.start and same:
                        found.add(name)
        return found

    @property
    def outstanding(self) -> int:
        """Chunks read and not acknowledged."""
        return self._engine.outstanding

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """What the store has."""
        return self._engine._database.checkpoints(self._source.key)

    @property
    def letters(self) -> set[str]:
        """Ids of the dead letters on the disk."""
        path = self._folder.dead_letters
        if not path.exists():
            return set()
        return {_letter(line)["id"] for line in path.read_bytes().splitlines()}

    @property
    def store(self) -> Path:
        """Path of the store; nothing but a stopped process may touch it."""
        return self._path / "state.db"


def _letter(line: bytes) -> dict[str, Any]:
    letter: dict[str, Any] = msgspec.json.decode(line)
    return letter


def _nothing() -> None:
    return None
