# SPDX-License-Identifier: Apache-2.0
"""Tailing a fleet over shares, without a server or a share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shipper.app import Engine, Progress, Tailer
from shipper.config import InputSettings, OutputSettings, Settings
from shipper.deliver import Verdict
from shipper.records import Event
from shipper.store import StateFolder
from shipper.tail import Discovery, HostList, Pattern
from tests.enrich.story import line
from tests.fakes.files import MemoryFiles
from tests.fakes.sink import MemorySink

HOSTS = tuple(f"pc{number:04}" for number in range(40))
READERS = 4
#: About 59 KB, and about 400 KB of documents.
LOG = b"".join(line(f"Working set trimmed to {n} KB~", n) for n in range(400))
ROOM = 64 * 1024


class HeldSink(MemorySink):
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def send(self, events: list[Event]) -> list[Verdict]:
        """Wait, then keep what is new."""
        self.go.wait()
        return super().send(events)


def until(condition: Callable[[], bool], what: str, *, within_s: float = 20) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not in time: {what}"
        threading.Event().wait(0.01)


class SlowShare(MemoryFiles):
    """Answers nobody until all hosts are known and some time has passed."""

    def __init__(self) -> None:
        super().__init__(share=True)
        self._ticks = 0
        self._awake = threading.Event()
        self.before_read = lambda _path: self._wait()

    def tick(self, progress: Progress) -> None:
        """Take note that the tailer goes round."""
        self._ticks += progress.sources == len(HOSTS)
        if self._ticks > 1:
            self._awake.set()

    def _wait(self) -> None:
        self._awake.wait()


@contextmanager
def tailing(files: SlowShare, sink: MemorySink, folder: Path) -> Iterator[Engine]:
    """Tail the fleet's logs in a thread of its own."""
    settings = Settings(
        input=InputSettings(
            hosts=HOSTS,
            sweep_min=0.01,
            sweep_max_shares=0.02,
            share_readers=READERS,
            watch="sweep",
        ),
        output=OutputSettings(max_in_flight_bytes=ROOM, shutdown_grace=5),
    )
    stop = threading.Event()
    pattern = Pattern("/fleet/{host}/Clisvc.log", HostList(names=HOSTS))
    discovery = Discovery((pattern,), "collector", explicit=False)
    with (
        StateFolder(folder) as state,
        Engine(settings, sink, state, opener=files, tick=files.tick) as engine,
    ):
        thread = threading.Thread(target=Tailer(engine, discovery, stop).run)
        thread.start()
        try:
            yield engine
        finally:
            stop.set()
            thread.join()


def test_shares_are_read_no_faster_than_delivered(tmp_path: Path) -> None:
    """However many shares wait to be read, what is in memory stays bounded."""
    files, sink = SlowShare(), HeldSink()
    for host in HOSTS:
        files.write(f"/fleet/{host}/Clisvc.log", LOG)
    with tailing(files, sink, tmp_path) as engine:
        try:
            until(lambda: files.opened >= 2 * len(HOSTS), "all are looked at")
            held = engine.progress().bytes_read
        finally:
            sink.go.set()
        until(lambda: engine.progress().counts.indexed == 400 * len(HOSTS), "all sent")

    # One that fills the room, one in each reader's hands, and as many between.
    assert held <= (1 + 2 * READERS) * len(LOG)
