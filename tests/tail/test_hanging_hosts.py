# SPDX-License-Identifier: Apache-2.0
"""A fleet of 10,000 hosts, some of which hang, seen by the real tailer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from shipper.app import Engine, Tailer
from shipper.config import InputSettings, Settings
from shipper.store import StateFolder
from shipper.tail import Discovery, HostList, LookError, Pattern
from shipper.tail.opener import Trouble
from tests.enrich.story import line
from tests.fakes.files import MemoryFile, MemoryFiles
from tests.fakes.sink import MemorySink

SWEEP_S = 15.0
LOG = line("Working set trimmed to 0 KB~", 0)


class Fleet(MemoryFiles):
    """One log on each host; some hang at every access, some fail after a while.

    Attributes:
        looked: when each host's log has been opened.
    """

    def __init__(
        self,
        hosts: list[str],
        *,
        dead: frozenset[str] = frozenset(),
        off: frozenset[str] = frozenset(),
        fails_after_s: float = 0.0,
    ) -> None:
        super().__init__(share=True)
        for host in hosts:
            self.write(f"/fleet/{host}/Clisvc.log", LOG)
        self._dead = dead
        self._off = off
        self._fails_after_s = fails_after_s
        self.release = threading.Event()
        self.asked: Counter[str] = Counter()
        self.looked: dict[str, list[float]] = {host: [] for host in hosts}

    def open(self, path: str) -> MemoryFile:
        """Open ``path``, or hang, or fail."""
        host = self._access(path)
        self.looked[host].append(time.monotonic())
        return super().open(path)

    def names(self, directory: str, log: str) -> list[str]:  # noqa: ARG002 - there is no other
        """Return the one log there is, or hang, or fail."""
        self._access(directory + "/")
        return ["Clisvc.log"]

    def of(self) -> list[list[float]]:
        """Return when each log that can be read was looked at."""
        bad = self._dead | self._off
        return [times for host, times in self.looked.items() if host not in bad]

    def _access(self, path: str) -> str:
        host = path.split("/")[2]
        self.asked[host] += 1
        if host in self._dead:
            self.release.wait()
        if host in self._off:
            self.release.wait(self._fails_after_s)
            raise LookError(Trouble.UNREACHABLE, "no route to host")
        return host


@pytest.fixture
def hosts() -> list[str]:
    """Return the names of a fleet."""
    return [f"pc{number:05}" for number in range(10_000)]


@contextmanager
def tailing(
    fleet: Fleet, hosts: list[str], folder: Path, *, sweep_s: float = SWEEP_S
) -> Iterator[tuple[Engine, Callable[[], float]]]:
    """Tail the fleet; also return a function that stops and tells how long it took."""
    settings = Settings(
        input=InputSettings(
            hosts=tuple(hosts),
            sweep_min=min(1.0, sweep_s),
            sweep_max=sweep_s,
            sweep_max_shares=sweep_s,
            watch="sweep",
        ),
    )
    over = threading.Event()
    pattern = Pattern("/fleet/{host}/Clisvc.log", HostList(names=tuple(hosts)))
    discovery = Discovery((pattern,), "collector", explicit=False)
    with (
        StateFolder(folder) as state,
        Engine(settings, MemorySink(), state, opener=fleet) as engine,
    ):
        thread = threading.Thread(target=Tailer(engine, discovery, over).run)

        def stop() -> float:
            begun = time.monotonic()
            over.set()
            thread.join()
            return time.monotonic() - begun

        thread.start()
        try:
            yield engine, stop
        finally:
            stop()
            fleet.release.set()


def until(condition: Callable[[], bool], *, within_s: float) -> bool:
    """Wait for a condition; tell whether it came true."""
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.1)
    return condition()


def longest_gap(fleet: Fleet, since: float) -> float:
    """Return the longest time a log that can be read was not looked at."""
    now = time.monotonic()
    moments = ([since, *(t for t in looked if t > since), now] for looked in fleet.of())
    return max(b - a for times in moments for a, b in pairwise(times))


@pytest.mark.timeout(180)
def test_hosts_that_hang_delay_nobody_by_more_than_a_sweep(
    tmp_path: Path, hosts: list[str]
) -> None:
    """One in 100 of 10,000; all others are read in time, and stopping is prompt."""
    dead = frozenset(hosts[::100])
    fleet = Fleet(hosts, dead=dead)
    alive = len(hosts) - len(dead)
    with tailing(fleet, hosts, tmp_path) as (engine, stop):
        all_sent = until(
            lambda: engine.progress().counts.indexed == alive, within_s=5 * SWEEP_S
        )
        begun = time.monotonic()
        threading.Event().wait(SWEEP_S)
        gap = longest_gap(fleet, begun)
        asked = {fleet.asked[host] for host in dead}
        threads = threading.active_count()
        took = stop()

    assert all_sent
    assert gap < 2 * SWEEP_S  # its own interval, and at most one sweep of delay
    assert asked == {1}  # then left alone
    assert threads < len(dead) + 40
    assert took < 5.0


def test_hosts_that_are_off_do_not_delay_the_others(tmp_path: Path) -> None:
    """Three in ten of 500 fail, each after two seconds, at every look."""
    hosts = [f"pc{number:05}" for number in range(500)]
    off = frozenset(host for host in hosts if host[-1] in "369")
    fleet = Fleet(hosts, off=off, fails_after_s=2.0)
    with tailing(fleet, hosts, tmp_path, sweep_s=5.0) as (engine, stop):
        all_sent = until(
            lambda: engine.progress().counts.indexed == len(hosts) - len(off),
            within_s=40.0,
        )
        begun = time.monotonic()
        threading.Event().wait(12.0)
        gap = longest_gap(fleet, begun)
        took = stop()

    assert all_sent
    assert gap < 10.0  # its own interval, and at most one sweep of delay
    assert took < 5.0
