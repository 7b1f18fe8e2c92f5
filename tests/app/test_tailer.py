# SPDX-License-Identifier: Apache-2.0
"""Tailing a fleet over shares, without a server or a share."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from structlog.testing import capture_logs

from shipper.app import Engine, Progress, Tailer
from shipper.app import tailer as tailer_module
from shipper.config import InputSettings, OutputSettings, Settings
from shipper.deliver import Verdict
from shipper.errors import InputProblem
from shipper.records import Event
from shipper.store import StateFolder
from shipper.tail import Discovery, HostList, LocalOpener, Pattern
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

    def send(self, events: list[Event], since: int | None = None) -> list[Verdict]:
        """Wait, then keep what is new."""
        self.go.wait()
        return super().send(events, since)


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
            max_stuck=1,
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

    # One that fills the room, one in each reader's hands, one in the hands of whoever
    # stands in for a slow one, and as many between as there are readers.
    assert held <= (2 + 2 * READERS) * len(LOG)


@contextmanager
def running(tailer: Tailer, stop: threading.Event) -> Iterator[None]:
    """Run a tailer in a thread of its own."""
    thread = threading.Thread(target=tailer.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def settings(*, watch: Literal["events", "sweep"]) -> Settings:
    """Return settings with short intervals."""
    return Settings(
        input=InputSettings(
            watch=watch, sweep_min=0.05, sweep_max=0.1, scan_interval=0.2
        )
    )


def test_a_first_search_that_fails_ends_it(tmp_path: Path) -> None:
    """A mistake in the settings must not become a silent wait."""
    stop = threading.Event()
    pattern = Pattern(str(tmp_path), HostList())
    discovery = Discovery((pattern,), "collector", explicit=False)
    with (
        StateFolder(tmp_path / "state") as state,
        Engine(settings(watch="sweep"), MemorySink(), state) as engine,
        pytest.raises(InputProblem, match="is a folder, not a log"),
    ):
        Tailer(engine, discovery, stop).run()


def test_a_search_that_hangs_holds_up_neither_reading_nor_the_end(
    tmp_path: Path,
) -> None:
    """What was found before is tailed on, and stopping does not wait for it."""
    pipe, stop, sink = tmp_path / "hosts", threading.Event(), MemorySink()
    pipe.write_text("pc1\n")
    log = tmp_path / "pc1" / "Clisvc.log"
    log.parent.mkdir()
    log.write_bytes(line("one~", 0))
    pattern = Pattern(str(tmp_path / "{host}/Clisvc.log"), HostList(file=str(pipe)))
    discovery = Discovery((pattern,), "collector", explicit=False)
    with (
        StateFolder(tmp_path / "state") as state,
        Engine(settings(watch="sweep"), sink, state) as engine,
    ):
        with running(Tailer(engine, discovery, stop), stop):
            until(lambda: engine.progress().counts.indexed == 1, "the first is sent")
            pipe.unlink()
            os.mkfifo(pipe)  # reading it hangs for as long as nobody writes
            until(
                lambda: any(t.name == "scout" for t in threading.enumerate()), "a scan"
            )
            threading.Event().wait(0.5)
            with log.open("ab") as file:
                file.write(line("two~", 1))
            until(lambda: engine.progress().counts.indexed == 2, "the second is sent")
            begun = time.monotonic()
        took = time.monotonic() - begun
    with pipe.open("wb"):
        pass

    assert took < 5.0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_watcher_that_dies_does_not_stop_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events are hints: what is written after the last of them is read all the same."""
    from watchdog.observers.inotify import InotifyEmitter  # noqa: PLC0415 - Linux has it

    died = threading.Event()

    def die(*_: object) -> None:
        died.set()
        raise OSError(5, "the watched disk is gone")

    monkeypatch.setattr(InotifyEmitter, "queue_events", die)
    log, stop = tmp_path / "logs" / "Clisvc.log", threading.Event()
    log.parent.mkdir()
    log.write_bytes(line("one~", 0))
    discovery = Discovery((Pattern(str(log), HostList()),), "collector", explicit=False)
    with (
        StateFolder(tmp_path / "state") as state,
        Engine(settings(watch="events"), MemorySink(), state) as engine,
        running(Tailer(engine, discovery, stop), stop),
    ):
        assert died.wait(20)
        with log.open("ab") as file:
            file.write(line("two~", 1))
        until(lambda: engine.progress().counts.indexed == 2, "both are sent")


def test_a_folder_that_hangs_when_watched_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the end wait for it for long."""
    release = threading.Event()

    def hang(_root: str, _most: int) -> bool:
        release.wait()
        return True

    monkeypatch.setattr(tailer_module, "crowded", hang)
    monkeypatch.setattr(tailer_module, "_PATIENCE_S", 0.5)
    log, stop = tmp_path / "logs" / "Clisvc.log", threading.Event()
    log.parent.mkdir()
    log.write_bytes(line("one~", 0))
    discovery = Discovery((Pattern(str(log), HostList()),), "collector", explicit=False)
    with (
        StateFolder(tmp_path / "state") as state,
        Engine(settings(watch="events"), MemorySink(), state) as engine,
    ):
        with running(Tailer(engine, discovery, stop), stop):
            until(lambda: engine.progress().counts.indexed == 1, "it is sent")
            begun = time.monotonic()
        took = time.monotonic() - begun
    release.set()

    assert took < 5.0


def test_a_link_out_of_the_root_is_told_of_and_never_read(tmp_path: Path) -> None:
    """The message names the path and where it leads; the others are read."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "Clisvc.log").write_bytes(line("secret~", 0))
    fleet, stop, sink = tmp_path / "fleet", threading.Event(), MemorySink()
    (fleet / "pc1").mkdir(parents=True)
    (fleet / "pc1" / "Clisvc.log").write_bytes(line("fine~", 0))
    (fleet / "pc2").symlink_to(tmp_path / "secret")
    pattern = Pattern(str(fleet / "{host}" / "Clisvc.log"), HostList())
    discovery = Discovery((pattern,), "collector", explicit=False)
    opener = LocalOpener(discovery.roots)
    with (
        capture_logs() as said,
        StateFolder(tmp_path / "state") as state,
        Engine(settings(watch="sweep"), sink, state, opener=opener) as engine,
        running(Tailer(engine, discovery, stop), stop),
    ):
        until(lambda: engine.progress().counts.indexed == 1, "the other is sent")
        until(lambda: len(engine.harvesters) == 2, "both are known")
        until(
            lambda: all(h.status != "never seen" for h in engine.harvesters.values()),
            "both are looked at",
        )
        threading.Event().wait(0.5)
    warnings = [entry for entry in said if entry["log_level"] == "warning"]

    assert not any(b"secret~" in document for document in sink.documents.values())
    assert [entry["path"] for entry in warnings] == [str(fleet / "pc2" / "Clisvc.log")]
    assert f"leads out of {fleet}: to {tmp_path}/secret" in warnings[0]["reason"]
