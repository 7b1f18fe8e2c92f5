# SPDX-License-Identifier: Apache-2.0
"""Which of an agent's changes is the newest, where ``@timestamp`` does not tell."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipper.enrich.standing import Evidence, number
from shipper.enrich.trail import AgentState
from shipper.knowledge import signature
from tests.enrich.story import OFFERS, Shipped, failed, line, states, triple


def orders(shipped: list[Shipped]) -> list[int]:
    """Return the places of changes."""
    return [one.agent["order"] for one in shipped]


def evidence(ms: int) -> Evidence:
    """Return evidence of a time."""
    return Evidence(id="a", ms=ms, time_source="record", rule=signature("S01"))


def test_a_glued_line() -> None:
    """The changes of one line share its time and have an order (KB828371)."""
    shipped = states(line("".join(triple(OFFERS)), 0))

    assert [one.agent["state"] for one in shipped] == [
        "launch_failed",
        "install_pending",
    ]
    assert {one.body["@timestamp"] for one in shipped} == {"2003-02-12T06:00:00.000Z"}
    assert orders(shipped) == [1_045_029_600_000_000, 1_045_029_600_000_001]


def test_lines_of_one_millisecond() -> None:
    """So have the changes of lines that follow each other within a millisecond."""
    shipped = states(b"".join(line(text, 0) for text in triple(OFFERS)))

    assert orders(shipped) == [1_045_029_600_000_000, 1_045_029_600_000_001]


def test_a_clock_that_is_set_back() -> None:
    """The order is that of the times, so history that comes late stays history."""
    log = line(failed(OFFERS), 60) + b"".join(
        line(text, 0) for text in triple(OFFERS)[1:]
    )

    assert orders(states(log)) == [1_045_029_660_000_000, 1_045_029_600_000_000]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_changes_of_one_time_are_in_the_order_of_the_log(steps: list[int]) -> None:
    """Later is greater, of one millisecond what comes behind is."""
    known, ms, found = AgentState(), 1_045_029_600_000, list[int]()
    for step in steps:
        ms += step
        number(known, evidence(ms))
        found.append(known.order)
        assert known.order // 1000 == ms

    assert found == sorted(set(found))


def test_more_changes_than_digits() -> None:
    """Beyond a thousand in a millisecond the next millisecond is left alone."""
    known = AgentState()
    for _ in range(1500):
        number(known, evidence(7))

    assert known.order == 7999
