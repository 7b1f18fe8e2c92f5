# SPDX-License-Identifier: Apache-2.0
"""What watchers and dead shares did to other shippers: not here.

Each test names the report it comes from; see docs/reliability.md.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from shipper.app import Engine, Tailer, documents
from shipper.config import InputSettings, OutputSettings, Settings
from shipper.store import StateFolder
from shipper.tail import Discovery, HostList, LocalOpener, Opener, Pattern
from tests.enrich.story import SOURCE, assembly, line
from tests.fakes.files import MemoryFiles
from tests.fakes.sink import MemorySink


def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        threading.Event().wait(0.01)


@contextmanager
def tailing(
    pattern: Pattern, opener: Opener, state: Path, watch: str, readers: int = 4
) -> Iterator[MemorySink]:
    """Tail logs in a thread of its own; yield where documents go."""
    settings = Settings(
        input=InputSettings(
            sweep_min=0.01,
            sweep_max=0.02,
            sweep_max_shares=0.02,
            share_readers=readers,
            watch=watch,  # type: ignore[arg-type]  # one of its words
        ),
        output=OutputSettings(shutdown_grace=5),
    )
    stop, sink = threading.Event(), MemorySink()
    discovery = Discovery((pattern,), "collector", explicit=False)
    with (
        StateFolder(state) as folder,
        Engine(settings, sink, folder, opener=opener) as engine,
    ):
        thread = threading.Thread(target=Tailer(engine, discovery, stop).run)
        thread.start()
        try:
            yield sink
        finally:
            stop.set()
            thread.join()


class MountedShare(LocalOpener):
    """A folder that is said to be a share."""

    def is_share(self, path: str) -> bool:
        """Say so."""
        return bool(path)


def test_no_event_is_needed(tmp_path: Path) -> None:
    """gorakhargosh/watchdog#1019, PR#1234: buffers overflow, and events are gone."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(line("Working~", 0))
    with tailing(
        Pattern(str(log), HostList()), LocalOpener(), tmp_path / "state", watch="sweep"
    ) as sink:
        until(lambda: len(sink.documents) == 1)
        with log.open("ab") as file:
            file.write(line("Working~", 1))
        until(lambda: len(sink.documents) == 2)


def test_shares_are_not_watched(tmp_path: Path) -> None:
    """gorakhargosh/watchdog#934, #135, #334, pymedphys#841: observers die on shares."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(line("Working~", 0))
    with tailing(
        Pattern(str(log), HostList()), MountedShare(), tmp_path / "state", watch="auto"
    ) as sink:
        until(lambda: len(sink.documents) == 1)
        observers = [
            thread
            for thread in threading.enumerate()
            if type(thread).__module__.startswith("watchdog")
        ]

    assert observers == []


def test_a_dead_share_delays_nobody(tmp_path: Path) -> None:
    """elastic/beats PR#52384: one stat on a dead mount held up all files."""
    hosts = ("dead", *(f"pc{number:04}" for number in range(20)))
    files, release = MemoryFiles(share=True), threading.Event()
    for host in hosts:
        files.write(f"/fleet/{host}/Clisvc.log", line("Working~", 0))

    def hang(path: str) -> None:
        if "/dead/" in path:
            release.wait(30)

    files.before_read = hang
    pattern = Pattern("/fleet/{host}/Clisvc.log", HostList(names=hosts))
    with tailing(pattern, files, tmp_path, watch="sweep", readers=2) as sink:
        try:
            until(lambda: len(sink.documents) == 20)
        finally:
            release.set()
        until(lambda: len(sink.documents) == 21)


def test_equal_lines_are_different_records() -> None:
    """cisagov/Malcolm#715: ids made of content alone made one event of several."""
    log = io.BytesIO(line("Working~", 0) * 3)
    events = list(documents(log, SOURCE, assembly(), max_line_bytes=4096))

    assert len({event.id for event in events}) == 3
    texts = {msgspec.json.decode(event.document)["message"] for event in events}
    assert texts == {"Working"}
