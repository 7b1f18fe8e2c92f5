# SPDX-License-Identifier: Apache-2.0
"""How often, since when, and whether again: cycles and episodes of an agent."""

from __future__ import annotations

import pytest

from tests.enrich.story import (
    DAY,
    HOUR,
    OFFERS,
    SOFTWARE,
    Shipped,
    iso,
    lines,
    records,
    states,
    triple,
    works,
)


def cycles(shipped: list[Shipped]) -> list[int]:
    """Return the cycle each document tells of."""
    return [one.agent["cycles"] for one in shipped]


def test_five_restarts_in_an_hour_are_one_cycle() -> None:
    """Restarts only count as refusals."""
    log = b"".join(lines(triple(OFFERS), turn * 660) for turn in range(5))

    assert cycles(states(log)) == [1, 1]


@pytest.mark.parametrize(
    ("hours", "opened"), [(19.999, False), (20.0, True), (23.0, True)]
)
def test_next_cycle(hours: float, opened: bool) -> None:  # noqa: FBT001 - expectation
    """A refusal twenty hours after the one that opened the cycle opens the next."""
    log = lines(triple(OFFERS), 0) + lines(triple(OFFERS), hours * HOUR)
    shipped = states(log)

    assert cycles(shipped) == ([1, 1, 2] if opened else [1, 1])
    if opened:
        assert shipped[2].agent["cycle_opened"]
        assert shipped[2].agent["refusals"] == 2
        assert shipped[2].body["event"]["action"] == "agent-cycle-opened"


def test_cycle_counts_from_its_opening() -> None:
    """A refusal in between does not put the next cycle off."""
    log = b"".join(lines(triple(OFFERS), hours * HOUR) for hours in (0, 12, 23, 35, 46))

    assert cycles(states(log)) == [1, 1, 2, 3]


def test_clock_going_back_opens_no_cycle() -> None:
    """However far a clock is set back, no cycle begins."""
    log = b"".join(lines(triple(OFFERS), hours * HOUR) for hours in (0, -30, -3000, 1))

    assert cycles(states(log)) == [1, 1]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((730, 1, 2, 3), [1, 1, 2, 3]),
        ((0, 730, 1, 2), [1, 1, 2, 3]),
        ((0, -8000, 0.02, -8000, 0.04, 1), [1, 1, 2]),
    ],
    ids=["from the start", "in between", "an empty battery at each restart"],
)
def test_clock_that_was_wrong_once(
    days: tuple[float, ...], expected: list[int]
) -> None:
    """Days count from where the clock stands now, and its wrong times open no more."""
    log = b"".join(lines(triple(OFFERS), day * DAY) for day in days)

    assert cycles(states(log)) == expected


@pytest.mark.parametrize(
    ("days", "relapse"),
    [(3, True), (7, True), (7.01, False), (-0.02, True), (-730, False)],
)
def test_relapse(days: float, relapse: bool) -> None:  # noqa: FBT001 - expectation
    """An episode within a week of the last one's end is a relapse.

    A clock that was two years ahead when that ended makes none.
    """
    ended = 23 * HOUR + 0.03  # the next application's turn
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            works(OFFERS, 23 * HOUR),
            lines(triple(OFFERS), ended + days * DAY),
        ]
    )
    again = states(log, OFFERS.agent)[3]

    assert again.agent["relapse"] is relapse
    assert again.agent["episode"] == 2
    assert again.agent["cycles"] == 1
    assert again.agent["refusals"] == 1
    assert again.agent["pending_since"] == iso(ended + days * DAY)
    assert again.agent["episode_id"] == again.id.removesuffix(".s1")
    assert again.agent["previous_state"] == "recovered"


def test_cycles_of_an_episode_keep_its_opening() -> None:
    """Episode, its id and pending_since stay those of the opening record."""
    log = b"".join(lines(triple(OFFERS), day * 23 * HOUR) for day in range(4))
    shipped = states(log)

    assert {one.agent["episode_id"] for one in shipped} == {records(log)[0].id}
    assert {one.agent["pending_since"] for one in shipped} == {iso(0)}
    assert (
        shipped[-1]
        .body["message"]
        .startswith(
            "pc0417: Advertised Programs Client Agent refused in 4 cycles since"
            " 2003-02-12, cause 1314 ERROR_PRIVILEGE_NOT_HELD"
        )
    )


def test_agents_are_counted_apart() -> None:
    """What happens to one agent says nothing about another."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            lines(triple(SOFTWARE), 23 * HOUR),
            lines(triple(OFFERS), 23 * HOUR + 1),
        ]
    )

    assert cycles(states(log, SOFTWARE.agent)) == [1, 1]
    assert cycles(states(log, OFFERS.agent)) == [1, 1, 2]


def test_a_refusal_that_comes_back_is_graver() -> None:
    """Documents of cycles 7 and 30 are of severity 73, where rule R1 raises its own."""
    log = b"".join(lines(triple(OFFERS), cycle * DAY) for cycle in range(30))
    found = {
        one.agent["cycles"]: one.body["event"]["severity"]
        for one in states(log)
        if one.agent["cycle_opened"]
    }

    assert found == {cycle: 73 if cycle in {7, 30} else 47 for cycle in range(1, 31)}


def test_a_recovery_names_the_code_it_ends() -> None:
    """Whoever chooses a root code sees the recoveries, too, and no other members."""
    *_, last = states(lines(triple(OFFERS), 0) + works(OFFERS, HOUR), OFFERS.agent)

    assert last.agent["state"] == "recovered"
    assert last.incident == {"root_code": "1314"}
    assert "error" not in last.body
