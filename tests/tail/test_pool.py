# SPDX-License-Identifier: Apache-2.0
"""Threads for shares: one that hangs delays nobody else."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

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


def forget(_result: object) -> None:
    """Do nothing with what a call returned."""


def hang(pool: ShareReaders, hanging: Hanging, *names: str) -> None:
    """Let calls hang, and wait until they do."""
    for name in names:
        pool.submit(name, partial(hanging.job, name), forget)
    for _ in names:
        hanging.begun.get(timeout=PATIENCE_S)


def until(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; tell whether it came true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return condition()


def test_calls_are_made_and_their_results_handed_on(
    clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    """All of them, though there are more than threads."""
    pool = readers(clock, request, threads=3)
    done: queue.Queue[int | None] = queue.Queue()
    for number in range(50):
        pool.submit(str(number), partial(abs, -number), done.put)
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
    pool.submit("alive", done.set, forget)

    assert done.wait(PATIENCE_S)


def test_slow_calls_are_replaced_though_nobody_submits_more(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """All other sources may be waiting behind them already."""
    pool = readers(clock, request, threads=2)
    hang(pool, hanging, "dead1", "dead2")
    done = threading.Event()
    pool.submit("alive", done.set, forget)
    early = done.wait(1.0)
    clock.advance(0.6)

    assert not early
    assert done.wait(PATIENCE_S)
    assert sorted(pool.stuck()) == ["dead1", "dead2"]


def test_slow_calls_are_replaced_up_to_a_limit(
    clock: ManualClock,
    hanging: Hanging,
    request: pytest.FixtureRequest,
) -> None:
    """Beyond it reading of shares waits until one of them returns, and that is said."""
    pool = readers(clock, request, threads=1, max_stuck=1)
    with capture_logs() as said:
        hang(pool, hanging, "dead1")
        clock.advance(0.6)
        hang(pool, hanging, "dead2")
        clock.advance(0.6)
        done = threading.Event()
        pool.submit("alive", done.set, forget)
        early = done.wait(1.0)

    assert not early
    assert [(entry["hanging"], entry["max_stuck"]) for entry in said] == [(2, 1)]
    hanging.release.set()
    assert done.wait(PATIENCE_S)


def test_what_was_slow_does_not_hold_up_what_was_not(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """The second time a slow call needs none of the threads, from its start on."""
    pool = readers(clock, request, threads=1, max_stuck=3)
    returned: queue.Queue[object] = queue.Queue()
    for name in ("off1", "off2", "off3"):
        pool.submit(name, partial(hanging.job, name), returned.put)
        hanging.begun.get(timeout=PATIENCE_S)
        clock.advance(0.6)
    hanging.release.set()
    for _ in range(3):
        returned.get(timeout=PATIENCE_S)
    hanging.release.clear()
    hang(pool, hanging, "off1", "off2", "off3")
    done = threading.Event()
    pool.submit("alive", done.set, forget)

    assert done.wait(PATIENCE_S)
    assert pool.stuck() == []


def test_waiting_to_hand_on_is_not_slow(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """Else a slow Elasticsearch would make threads, each with data in its hands."""
    pool = readers(clock, request, threads=1)
    pool.submit("read", partial(str, "data"), lambda _data: hanging.job("read"))
    hanging.begun.get(timeout=PATIENCE_S)
    clock.advance(60.0)
    done = threading.Event()
    pool.submit("next", done.set, forget)

    assert not done.wait(1.0)
    assert pool.stuck() == []


def test_threads_end_when_slow_calls_return(
    clock: ManualClock, hanging: Hanging, request: pytest.FixtureRequest
) -> None:
    """What a bad day needed is not kept for ever."""
    before = threading.active_count()
    pool = readers(clock, request, threads=2, max_stuck=20)
    for number in range(20):
        hang(pool, hanging, str(number))
        clock.advance(0.6)
    most = threading.active_count()
    hanging.release.set()

    assert most >= before + 21  # these and the one that tends them
    assert until(lambda: threading.active_count() <= before + 3)


def test_a_call_that_fails_does_not_cost_its_thread(
    clock: ManualClock, request: pytest.FixtureRequest
) -> None:
    """elastic/beats#48496: it is there for the next one, and whoever waits is told."""
    pool = readers(clock, request, threads=1)
    done = threading.Event()
    results: queue.Queue[object] = queue.Queue()

    def fail() -> str:
        raise ValueError("not foreseen")

    pool.submit("bad", fail, results.put)
    pool.submit("good", done.set, forget)

    assert done.wait(PATIENCE_S)
    assert results.get(timeout=PATIENCE_S) is None


def test_nobody_waits_for_a_stuck_call_at_the_end(
    clock: ManualClock, hanging: Hanging
) -> None:
    """Stopping returns at once, and what has not begun never does."""
    pool = ShareReaders(clock, 1, 1)
    hang(pool, hanging, "dead")
    late = threading.Event()
    pool.submit("late", late.set, forget)
    pool.stop()
    hanging.release.set()

    assert not late.wait(0.5)


def test_stopping_a_pool_that_never_ran_is_nothing(clock: ManualClock) -> None:
    """No log is on a share."""
    ShareReaders(clock, 1, 1).stop()
