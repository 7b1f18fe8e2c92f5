# SPDX-License-Identifier: Apache-2.0
"""A process that writes the logs of some hosts, until it is asked to end.

``python -m tests.chaos.writer`` reads its orders, one JSON object, from its input.
"""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import msgspec

from shipper.demo.fleet.dice import dice
from tests.chaos.journal import Journal
from tests.chaos.log import Log, Way
from tests.chaos.plan import Ground, Plan
from tests.chaos.running import Stretches

_TICK_S = 0.02
_LOOK_S = 0.25
_HALF_SHARE = 0.1
_TWICE_SHARE = 0.2
_TRIES = 20
_BURSTS = (1, 5, 10, 20, 40, 150)
_WAYS = {
    Way.RENAME: 35,
    Way.COPY: 25,
    Way.RENAME_DATED: 20,
    Way.COPY_DATED: 12,
    Way.DELETE: 8,
}


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer is told.

    Attributes:
        plan: of the run.
        folder: of the run.
        number: of this writer, counted from 0.
    """

    plan: Plan
    folder: str
    number: int


class Writer:
    """Writes the logs of every n-th host.

    Args:
        orders: what to do.
        journal: is told what has been done.
    """

    def __init__(self, orders: Orders, journal: Journal) -> None:
        plan = orders.plan
        ground = Ground(folder=Path(orders.folder))
        self._database = ground.state / "state.db"
        self._chance = dice(plan.seed, "writer", orders.number)
        self._stretches = Stretches(ground.running, plan.quiet_s, plan.stretch_s)
        self._rate = plan.rate / plan.writers
        self._rotations = plan.rotations / plan.writers
        self._logs = [
            Log(host, ground.log(host), journal, self._stretches.enough)
            for host in plan.hosts[orders.number :: plan.writers]
        ]

    def run(self, stop: threading.Event) -> None:
        """Write until asked to stop; no line is left half written."""
        began = time.monotonic()
        written = 0
        next_look = next_rotation = began
        while not stop.wait(_TICK_S):
            now = time.monotonic()
            if now >= next_look:
                next_look = now + _LOOK_S
                self._stretches.look()
                self._delete_read()
                for log in self._logs:
                    log.prune()
            if now >= next_rotation:
                next_rotation = now + self._chance.expovariate(self._rotations)
                self._rotate()
            while written < (now - began) * self._rate:
                written += self._burst(self._pick())
        for log in self._logs:
            log.complete()

    def _pick(self) -> Log:
        while (log := self._chance.choice(self._logs)).draining:
            pass
        return log

    def _burst(self, log: Log) -> int:
        count = self._chance.randrange(1, self._chance.choice(_BURSTS) + 1)
        half = self._chance.random() < _HALF_SHARE
        return log.burst(count, self._chance, half=half)

    def _rotate(self) -> None:
        """End one log's generation, at times that of its successor right after it."""
        chance = self._chance
        (way,) = chance.choices(list(_WAYS), list(_WAYS.values()))
        log = self._pick()
        if way is Way.DELETE:
            few = sum(log.draining for log in self._logs) < len(self._logs) // 10
            if few and log.begun:
                log.complete()
                log.draining = True
            return
        for _ in range(_TRIES):
            if log.rotate(way):
                break
            log = self._pick()
        else:
            log.rotate(Way.RENAME_DATED)
        if chance.random() < _TWICE_SHARE:
            self._burst(log)
            if not log.rotate(way):
                log.rotate(Way.RENAME_DATED)

    def _delete_read(self) -> None:
        """Delete the logs that wait for it and have been read to their end."""
        waiting = [log for log in self._logs if log.draining]
        if not waiting:
            return
        read = acked(self._database)
        for log in waiting:
            if read.get(log.host, 0) >= log.total:
                log.delete()
                log.draining = False


def acked(database: Path, column: str = "offset") -> dict[str, int]:
    """Return the bytes acknowledged, or another of the ledger's sums, by host."""
    try:
        with closing(
            sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        ) as connection:
            return dict(
                connection.execute(
                    f"SELECT host, sum({column}) FROM generation"  # noqa: S608  ours
                    " JOIN source ON source.key = generation.source GROUP BY host"
                )
            )
    except sqlite3.OperationalError:  # it is being made, or its writer just died
        return {}


class _Asked(threading.Event):
    """Set by SIGTERM, without a handler, which might wait for its own thread."""

    def __init__(self) -> None:
        super().__init__()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the signal; tell whether it came."""
        return signal.sigtimedwait({signal.SIGTERM}, timeout or 0.0) is not None


def main() -> None:
    """Do as told until a signal comes."""
    stop = _Asked()
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    path = Ground(folder=Path(orders.folder)).journal(orders.number)
    with Journal(path) as journal:
        Writer(orders, journal).run(stop)


if __name__ == "__main__":
    main()
