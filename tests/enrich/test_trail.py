# SPDX-License-Identifier: Apache-2.0
"""What is remembered of a log: bounded, and readable by later versions."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from shipper.enrich import Enricher, Senses, Trail
from shipper.enrich.trail import Attempt, LauncherState
from tests.enrich.story import (
    DAY,
    HARDWARE,
    OFFERS,
    SOURCE,
    Program,
    attempt,
    echo,
    failed,
    line,
    lines,
    needed,
    path_of,
    scheduled,
    triple,
    trouble,
    works,
)
from tests.enrich.test_replay import FIRST, enriched, parsed

#: A snapshot as the first version wrote it: a refused launch on thread 52, an attempt
#: on thread 53, an agent that is pending since 2003-02-12T06:00:00Z.
FIRST_VERSION = (
    b"\x85\xacneighbour_ms\xcf\x00\x00\x00\xf3P\x9e;\x14\xaeneighbour_zone\xa3UTC"
    b"\xa9incidents\x81\xa252\x8b\xa2id\xafg-000000000-0.1\xa3seq\x03"
    b"\xa5roles\x93\xa6launch\xa4echo\xa6verify\xa8launcher\xa8odpusr32"
    b"\xa3app\xd9$WNet User Groups Offer Data Provider"
    b"\xaaexecutable\xb1C:\\x\\ODPUSR32.exe\xa5cause\xa9privilege\xa9root_code\xa41314"
    b"\xa7refused\xc3\xa7last_ms\xcf\x00\x00\x00\xf3P\x9e;\x14\xabnext_offset\xcd\x01,"
    b"\xa8attempts\x81\xa253\x85\xa3app\xaaCopy Queue\xaaexecutable\xa8C:\\q.exe"
    b"\xa8launched\xc3\xa7last_ms\x01\xabnext_offset\x02"
    b"\xa6agents\x81\xb3advertised-programs\x8b\xa5state\xafinstall_pending"
    b"\xa9launchers\x81\xa8odpusr32\x83\xa5state\xafinstall_pending"
    b"\xa5cause\xa9privilege\xa9root_code\xa41314\xa5cause\xa9privilege"
    b"\xa9root_code\xa41314\xa7episode\x01\xaaepisode_id\xa3g-0"
    b"\xb0pending_since_ms\xcf\x00\x00\x00\xf3P\x9e;\x00"
    b"\xb4pending_since_source\xaaconfigured\xa6cycles\x01"
    b"\xa8cycle_ms\xcf\x00\x00\x00\xf3P\x9e;\x00\xa8refusals\x01"
)


def test_snapshot_of_the_first_version() -> None:
    """State saved by the first version is read, and what happens next builds on it."""
    trail = Trail.decode(FIRST_VERSION)
    agent = trail.agents["advertised-programs"]

    assert trail.incidents["52"].roles == ["launch", "echo", "verify"]
    assert trail.attempts["53"] == Attempt(
        app="Copy Queue",
        executable=r"C:\q.exe",
        launched=True,
        last_ms=1,
        next_offset=2,
    )
    assert agent.launchers == {
        "odpusr32": LauncherState(
            state="install_pending", cause="privilege", root_code="1314"
        )
    }
    assert (agent.state, agent.cycles, agent.reported) == ("install_pending", 1, False)

    events, _ = enriched(parsed(lines(triple(OFFERS), DAY)), FIRST_VERSION)
    (again,) = (one.document for one in events if one.id.endswith(".s1"))
    assert b'"cycles":2,"cycle_opened":true' in again
    assert b'"episode":1,"episode_id":"g-0"' in again

    events, _ = enriched(parsed(works(OFFERS, DAY)), FIRST_VERSION)
    assert [b'"state":"recovered"' in one.document for one in events].count(True) == 1


@pytest.mark.parametrize("damaged", [b"\x81", FIRST_VERSION[:-1], b"\x81\xa1a"])
def test_damaged_snapshot(damaged: bytes) -> None:
    """What is no snapshot is refused, so that the store can set it aside."""
    with pytest.raises(ValueError, match=r"."):
        Trail.decode(damaged)


def stranger(number: int) -> Program:
    """Return a program nobody knows, in a folder everybody knows."""
    return Program(
        app=f"Agent {number}",
        exe=rf"C:\WINNT\MS\SMS\clicomp\hinv\tool{number}.exe",
        agent=HARDWARE.agent,
    )


def test_hostile_log_is_bounded() -> None:
    """Threads, launchers and launches without end leave a state of bounded size."""
    sizes = []
    for count in (400, 800):
        log = b"".join(
            line(failed(stranger(number)), number * 3600, 1000 + number)
            + line(scheduled(stranger(number)), number * 3600, 2000 + number)
            + lines(attempt(stranger(number)), number * 900, 7)
            + line(echo(stranger(number)), number * 3600 + 1, None)
            + line(needed(f"Agent {number}"), number * 3600, 8)
            for number in range(count)
        )
        _, snapshot = enriched(parsed(log), b"")
        trail = Trail.decode(snapshot)
        (agent,) = trail.agents.values()
        sizes.append(len(snapshot))
        assert len(trail.incidents) == Trail.LIMIT
        assert len(trail.attempts) == Trail.LIMIT
        assert len(trail.attempts["7"].held) <= Trail.LIMIT
        assert len(agent.launchers) == Trail.LIMIT

    assert sizes[1] <= sizes[0] * 1.05
    assert sizes[1] < 128 * 1024


LONG = "x" * 20_000


def lengthy(number: int) -> Program:
    """Return a program with names no Windows allows."""
    return Program(
        app=f"Agent {number} {LONG}",
        exe=rf"C:\WINNT\MS\SMS\clicomp\hinv\tool{number}{LONG}.exe",
        agent=HARDWARE.agent,
    )


def test_long_names_are_cut() -> None:
    """Names take as much room as Windows' longest path, whatever the log says."""
    log = b"".join(
        lines(attempt(lengthy(100 + number)), number * 900, 7)
        + line(failed(lengthy(number)), number * 900, 1000 + number)
        for number in range(70)
    )
    _, snapshot = enriched(parsed(log), b"")
    trail = Trail.decode(snapshot)
    (agent,) = trail.agents.values()

    assert len(trail.incidents) == Trail.LIMIT
    assert max(len(one.executable) for one in trail.incidents.values()) == 260
    assert max(len(app) for app in trail.attempts["7"].held) == 260
    assert max(len(ident) for ident in agent.launchers) <= 260
    assert len(snapshot) < 256 * 1024


def test_nothing_long_stays_in_memory() -> None:
    """What stands once in a hostile log is forgotten once it has been shipped."""

    def run(first: int, count: int) -> None:
        for number in range(first, first + count):
            log = b"".join(
                [
                    line(failed(lengthy(number)), number, number),
                    line(echo(lengthy(number)), number, number),
                    trouble("x", number, component=f"C{number}{LONG}"),
                    trouble("x", number, thread=f"{number}{LONG}"),
                    trouble("x", number, user=f"{number}{LONG}"),
                    trouble(f"{number}{LONG} failed", number),
                ]
            )
            enricher.enrich(parsed(log))
        gc.collect()

    enricher = Enricher(SOURCE, FIRST, "default", Trail(), Senses())
    run(0, 80)
    tracemalloc.start()
    try:
        run(1000, 80)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Eighty of the shortest of these texts would be 1.6 million bytes.
    assert kept < 1_000_000


def test_failing_launcher_outlives_those_that_work() -> None:
    """However many programs of an agent work, the one that does not is remembered."""
    fine = [text for number in range(150) for text in attempt(stranger(number))]
    log = lines(triple(HARDWARE), 0) + lines(fine, 60)

    assert path_of(log) == ["launch_failed", "install_pending"]
