# SPDX-License-Identifier: Apache-2.0
"""Spans in which much happens at once."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shipper.alerts.bursts import Burst, bursts

HOUR = 3_600_000
DAY = 24 * HOUR


def test_long_ago() -> None:
    """A burst is found wherever it lies, with all that was in it, and nothing else."""
    moments = [(0, "early"), *((30 * HOUR + n, f"pc{n}") for n in range(5))]

    (found,) = bursts([*moments, (60 * HOUR, "late")], span_ms=DAY, at_least=5)

    assert found == Burst(
        first_ms=30 * HOUR,
        last_ms=30 * HOUR + 4,
        values=("pc0", "pc1", "pc2", "pc3", "pc4"),
    )


def test_slow_trickle() -> None:
    """As many hosts, but never so many within a span, are none."""
    moments = [(n * 14 * HOUR, f"pc{n}") for n in range(10)]

    assert bursts(moments, span_ms=DAY, at_least=3) == []


def test_two_of_them() -> None:
    """What lies apart is told apart; what overlaps is one."""
    first = [(n * 10 * HOUR, f"a{n}") for n in range(4)]
    second = [(200 * HOUR + n, f"b{n}") for n in range(3)]

    found = bursts(first + second, span_ms=DAY, at_least=3)

    assert [(each.first_ms, each.last_ms) for each in found] == [
        (0, 30 * HOUR),
        (200 * HOUR, 200 * HOUR + 2),
    ]


def test_same_host_again() -> None:
    """A host that says it five times is one host."""
    assert bursts([(n, "pc0") for n in range(5)], span_ms=DAY, at_least=2) == []


_moments = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abcdef")))


@given(_moments, st.integers(1, 20), st.integers(1, 5))
def test_as_seen_from_each_moment(
    moments: list[tuple[int, str]], span: int, at_least: int
) -> None:
    """A moment is in a burst if some span that it begins, ends or is in has enough."""
    enough = set()
    for begin, _ in moments:
        inside = [each for each in moments if begin <= each[0] <= begin + span]
        if len({value for _, value in inside}) >= at_least:
            enough.update(inside)

    found = bursts(moments, span_ms=span, at_least=at_least)

    assert {
        each
        for each in moments
        if any(burst.first_ms <= each[0] <= burst.last_ms for burst in found)
    } == enough
    assert all(a.last_ms < b.first_ms for a, b in pairwise(found))
