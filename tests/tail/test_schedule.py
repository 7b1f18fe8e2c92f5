# SPDX-License-Identifier: Apache-2.0
"""When logs are looked at, by a clock in the test's hand."""

from __future__ import annotations

import threading

from shipper.clock import SystemClock
from shipper.tail import Schedule
from tests.fakes.clock import ManualClock


def made(*keys: str) -> tuple[Schedule, ManualClock]:
    """Return a schedule between 1 and 10 seconds, with sources in it."""
    clock = ManualClock()
    schedule = Schedule(clock, shortest_s=1.0, longest_s=10.0)
    for key in keys:
        schedule.add(key)
    return schedule, clock


def test_a_new_source_is_due_at_once_and_once() -> None:
    """While it is being visited it is not due again."""
    schedule, _ = made("a")
    schedule.add("a")

    assert schedule.next(0.0) == "a"
    assert schedule.next(0.0) is None


def test_a_source_being_written_is_visited_often() -> None:
    """At the shortest interval, for as long as each visit brings something."""
    schedule, clock = made("a")
    for _ in range(3):
        assert schedule.next(0.0) == "a"
        schedule.done("a", active=True)
        clock.advance(0.9)
        assert schedule.next(0.0) is None
        clock.advance(0.1)


def test_a_quiet_source_is_visited_ever_less_often() -> None:
    """The interval grows by half each time, up to its limit."""
    schedule, clock = made("a")
    intervals = []
    for _ in range(8):
        waited = 0.0
        while schedule.next(0.0) is None:
            clock.advance(0.125)
            waited += 0.125
        intervals.append(waited)
        schedule.done("a", active=False)

    # 1.5, 2.25, 3.375, 5.0625, 7.59375 and then the limit, in steps of an eighth.
    assert intervals == [0.0, 1.5, 2.25, 3.375, 5.125, 7.625, 10.0, 10.0]


def test_a_machine_out_of_reach_is_visited_ever_less_often() -> None:
    """Up to ten times the limit: each look may cost a thread for half a minute."""
    schedule, clock = made("a")
    intervals = []
    for _ in range(6):
        waited = 0
        while schedule.next(0.0) is None:
            clock.advance(1.0)
            waited += 1
        intervals.append(waited)
        schedule.done("a", active=False, trouble=True)

    assert intervals == [0, 10, 20, 40, 80, 100]


def test_a_machine_that_is_back_is_visited_as_before() -> None:
    """The first success ends it, whether it brings something or not."""
    schedule, clock = made("a")
    for _ in range(5):
        clock.advance(100.0)
        schedule.next(0.0)
        schedule.done("a", active=False, trouble=True)
    clock.advance(100.0)
    assert schedule.next(0.0) == "a"
    schedule.done("a", active=False)
    clock.advance(1.0)

    assert schedule.next(0.0) == "a"


def test_a_source_may_have_a_limit_of_its_own() -> None:
    """Shares are looked at less often than local files."""
    schedule, clock = made()
    schedule.add("share", longest_s=30.0)
    for _ in range(20):
        clock.advance(30.0)
        assert schedule.next(0.0) == "share"
        schedule.done("share", active=False)
    clock.advance(29.0)

    assert schedule.next(0.0) is None


def test_more_to_read_comes_at_once_but_not_before_others() -> None:
    """A long backlog takes turns with what else is due."""
    schedule, clock = made("a", "b")
    order = []
    for _ in range(4):
        key = schedule.next(0.0)
        assert key is not None
        order.append(key)
        clock.advance(0.001)
        schedule.done(key, active=True, more=True)

    assert order == ["a", "b", "a", "b"]


def test_a_hint_makes_a_source_due() -> None:
    """And shortens its interval, for a write seldom comes alone."""
    schedule, clock = made("a")
    for _ in range(10):
        clock.advance(10.0)
        schedule.next(0.0)
        schedule.done("a", active=False)
    schedule.hint("a")

    assert schedule.next(0.0) == "a"
    schedule.done("a", active=False)
    clock.advance(1.5)
    assert schedule.next(0.0) == "a"


def test_a_hint_during_a_visit_leads_to_another() -> None:
    """What was written after the look must not wait for the next sweep."""
    schedule, _ = made("a")
    schedule.next(0.0)
    schedule.hint("a")
    during = schedule.next(0.0)
    schedule.done("a", active=False)

    assert during is None
    assert schedule.next(0.0) == "a"
    schedule.done("a", active=False)
    assert schedule.next(0.0) is None


def test_a_hint_for_an_unknown_source_is_nothing() -> None:
    """Events come from files nobody asked for."""
    schedule, _ = made()
    schedule.hint("b")

    assert schedule.next(0.0) is None


def test_many_hints_are_one_visit() -> None:
    """A burst of events does not become a burst of looks."""
    schedule, clock = made("a")
    schedule.next(0.0)
    schedule.done("a", active=True)
    for _ in range(100):
        clock.advance(0.001)
        schedule.hint("a")

    assert schedule.next(0.0) == "a"
    assert schedule.next(0.0) is None


def test_waking_ends_a_wait() -> None:
    """A visit that returned from a share is taken up at once, not at the time-out."""
    schedule = Schedule(SystemClock(), shortest_s=1.0, longest_s=10.0)
    woken = threading.Event()

    def wait() -> None:
        schedule.next(30.0)
        woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    schedule.wake()

    assert woken.wait(10.0)
    thread.join()


def test_a_hint_ends_a_wait() -> None:
    """The source comes as soon as the event does."""
    schedule = Schedule(SystemClock(), shortest_s=60.0, longest_s=60.0)
    schedule.add("a")
    schedule.next(0.0)
    schedule.done("a", active=False)
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(schedule.next(30.0)))
    thread.start()
    schedule.hint("a")
    thread.join(10.0)

    assert found == ["a"]
