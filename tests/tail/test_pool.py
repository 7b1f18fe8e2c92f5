# SPDX-License-Identifier: Apache-2.0
"""Threads for shares: one that hangs delays nobody else."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from shipper.tail import ShareReaders
from tests.fakes.clock import ManualClock

PATIENCE_S = 10.0


class Hanging:
    """Jobs that hang until they are released."""

    def __init__(self) -> None:
        self.begun: queue.Queue[str] = queue.Queue()
        self.release = threading.Event()

    def job(self, name: str) -> None:
        """Tell that it runs, and hang."""
        self.begun.put(name)
        self.release.wait(PATIENCE_S)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Return jobs that hang for as long as the test runs."""
    hanging = Hanging()
    yield hanging
    hanging.release.set()


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock."""
    return ManualClock()


def readers(
    clock: ManualClock, request: pytest.FixtureRequest, threads: int, max_stuck: int = 2
) -> ShareReaders:
    """Return a pool that stops when the test ends."""
    pool = ShareReaders(clock, threads, max_stuck)
    request.addfinalizer(pool.stop)
    return pool


def hang(pool: ShareReaders, hanging: Hanging, *names: str) -> None:
    """Let calls hang, and wait until they do."""
    for name in names:
        pool.submit(name, partial(hanging.job, name))
    for _ in names:
        hanging.begun.get(timeout=PATIENCE_S)


def test_jobs_run(clock: ManualClock, request: pytest.FixtureRequest) -> None:
    """All of them, though there are more than threads."""
    pool = readers(clock, request, threads=3)
    done: queue.Queue[int] = queue.Queue()
    for number in range(50):
        pool.submit(str(number), partial(done.put, number))
    numbers = {done.get(timeout=PATIENCE_S) for _ in range(50)}

    assert numbers == set(range(50))
    assert pool.stuck() == []


def test_a_hanging_call_does_not_delay_others(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """Another thread takes what comes."""
    pool = readers(clock, request, threads=2)
    hang(pool, hanging, "dead")
    done = threading.Event()
    pool.submit("alive", done.set)

    assert done.wait(PATIENCE_S)


def test_stuck_calls_are_replaced_though_nobody_submits_more(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """All other sources may be waiting behind them already."""
    pool = readers(clock, request, threads=2)
    hang(pool, hanging, "dead1", "dead2")
    done = threading.Event()
    pool.submit("alive", done.set)
    early = done.wait(1.0)
    clock.advance(31.0)

    assert not early
    assert done.wait(PATIENCE_S)
    assert sorted(pool.stuck()) == ["dead1", "dead2"]


def test_stuck_calls_are_replaced_up_to_a_limit(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """Beyond it reading of shares waits until one of them returns."""
    pool = readers(clock, request, threads=1, max_stuck=1)
    hang(pool, hanging, "dead1")
    clock.advance(31.0)
    hang(pool, hanging, "dead2")
    clock.advance(31.0)
    done = threading.Event()
    pool.submit("alive", done.set)

    assert not done.wait(1.0)
    hanging.release.set()
    assert done.wait(PATIENCE_S)


def test_a_call_that_fails_does_not_cost_its_thread(
    clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    """The only thread is there for the next one."""
    pool = readers(clock, request, threads=1)
    done = threading.Event()

    def fail() -> None:
        raise ValueError("not foreseen")

    pool.submit("bad", fail)
    pool.submit("good", done.set)

    assert done.wait(PATIENCE_S)


def test_nobody_waits_for_a_stuck_call_at_the_end(
    clock: ManualClock, hanging: Hanging
) -> None:
    """Stopping returns at once, and what has not begun never does."""
    pool = ShareReaders(clock, 1, 0)
    hang(pool, hanging, "dead")
    late = threading.Event()
    pool.submit("late", late.set)
    pool.stop()
    hanging.release.set()

    assert not late.wait(0.5)


def test_stopping_a_pool_that_never_ran_is_nothing(clock: ManualClock) -> None:
    """No log is on a share."""
    ShareReaders(clock, 1, 0).stop()
