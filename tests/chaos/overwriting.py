# SPDX-License-Identifier: Apache-2.0
"""The second scenario: records are overwritten unread, and the shipper has to say so.

::

    seen hosts      the server is away, the shipper has no room left and sees a log
                    grow; then the log is rotated twice over its only older half: the
                    loss it reports is the true one, to the byte
    unseen hosts    the same while the shipper is stopped: it says "at least"
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from shipper.config import Settings
from shipper.demo.fleet.dice import dice
from tests.chaos.checker import Events
from tests.chaos.journal import Journal, read
from tests.chaos.log import Log, Way
from tests.chaos.plan import Ground, Plan
from tests.chaos.proxy import Proxy
from tests.chaos.report import Report
from tests.chaos.run import Say, look, report
from tests.chaos.running import Running
from tests.chaos.server import Server
from tests.chaos.victim import Victim
from tests.chaos.writer import acked
from tests.live.commands import clisvc, until

_FILES = 8
_SETTLE_S = 4.0
_BEFORE, _UNREAD, _AFTER = 50, 4_000, 100
_NARROW = "\n[output]\nmax_in_flight_bytes = 65536\n"
_TINY_SPOOL = "\n[state]\nspool_bytes = 65536\n"


def plan(seed: int) -> Plan:
    """Return the plan of this scenario.

    Args:
        seed: of the run.
    """
    spool = hasattr(Settings().state, "spool_bytes")
    return Plan(
        seed=seed,
        seconds=0.0,
        files=_FILES,
        writers=1,
        rollovers=False,
        extra=_NARROW + (_TINY_SPOOL if spool else ""),
    )


def run(plan: Plan, ground: Ground, say: Say) -> Report:
    """Run the scenario.

    Args:
        plan: what `plan` returned.
        ground: its folder, prepared.
        say: is told now and then how far it is.
    """
    running = Running(ground.running, ("shipper",))
    chance = dice(plan.seed, "overwriting")
    database = ground.state / "state.db"
    with ExitStack() as stack:
        server = Server(plan, ground, running, chance)
        stack.callback(server.stop)
        proxy = stack.enter_context(Proxy(server.port, chance))
        server.start()
        with Journal(ground.journal(0)) as journal:
            logs = [
                Log(host, ground.log(host), journal, lambda _since: True)
                for host in plan.hosts
            ]
            seen, unseen = logs[: _FILES // 2], logs[_FILES // 2 :]
            first = Victim(ground, proxy.url, running, chance)
            stack.callback(first.stop)
            first.start(calm=True)
            _burst(logs, _BEFORE, chance)
            until(_observed(database, "offset", logs), "the first records")

            say("the server is away")
            proxy.away = True
            _burst(seen, _UNREAD, chance)
            until(_observed(database, "seen", seen), "the shipper sees what it misses")
            for _ in range(2):
                _rotate(seen)
                _burst(seen, _AFTER, chance)
                threading.Event().wait(_SETTLE_S)
            proxy.away = False
            until(_caught_up(ground, logs), "the server is back, all is read")
            first.stop()

            say("the shipper is stopped")
            for _ in range(2):
                _burst(unseen, _AFTER, chance)
                _rotate(unseen)
            _burst(unseen, _AFTER, chance)
        second = Victim(ground, proxy.url, running, chance)
        stack.callback(second.stop)
        second.start(calm=True)
        until(_caught_up(ground, logs), "the shipper is back, all is read")
        second.stop()

        truth = read([ground.journal(0)])
        status = clisvc("status", "--state", ground.state, "--json").json
        found = look(server.url, truth, Events())
        exact = {log.host for log in seen}
        return report(
            plan,
            truth,
            0.0,
            status,
            found,
            Events(),
            wrong=_untold(status, found.lost_bytes, exact)
            + [f"the shipper: {text}" for text in first.failures + second.failures],
            on_purpose=True,
        )


def _burst(logs: list[Log], count: int, chance: Random) -> None:
    for log in logs:
        log.burst(count, chance, half=False)


def _rotate(logs: list[Log]) -> None:
    for log in logs:
        log.rotate(Way.RENAME)


def _observed(database: Path, column: str, logs: list[Log]) -> Callable[[], bool]:
    """Return a condition: the shipper knows of every byte of some logs."""

    def holds() -> bool:
        known = acked(database, column)
        return all(known.get(log.host, 0) >= log.total for log in logs)

    return holds


def _caught_up(ground: Ground, logs: list[Log]) -> Callable[[], bool]:
    """Return a condition: nothing is pending, and every active log is read."""

    def holds() -> bool:
        found = clisvc("status", "--state", ground.state, "--json").json["sources"]
        sizes = {log.host: ground.log(log.host).stat().st_size for log in logs}
        return all(
            source["pending"] == 0 and source["offset"] == sizes[source["host"]]
            for source in found
        )

    return holds


def _untold(status: dict[str, Any], lost: dict[str, int], exact: set[str]) -> list[str]:
    """Return the hosts whose loss is not told as it is."""
    wrong = []
    for source in status["sources"]:
        host, told, true = source["host"], source["lost"], lost.get(source["host"], 0)
        at_least = source["gap"] and told <= true and host not in exact
        if not true:
            wrong.append(f"{host}: nothing was lost, so the scenario tested nothing")
        elif told != true and not at_least:
            wrong.append(f"{host}: {told} bytes told as lost, {true} are: {source}")
    return wrong
