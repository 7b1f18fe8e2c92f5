# SPDX-License-Identifier: Apache-2.0
"""The states an agent goes through, and what its state documents say."""

from __future__ import annotations

import pytest

from tests.enrich.story import (
    COPIER,
    DAY,
    HARDWARE,
    HOUR,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    SYSTEM,
    VERIFY,
    VERIFY_5,
    Program,
    Shipped,
    attempt,
    echo,
    failed,
    iso,
    line,
    lines,
    path_of,
    records,
    scheduled,
    ship,
    states,
    triple,
    verifying,
)


def works(program: Program, seconds: float, thread: int = 52) -> bytes:
    """Let a program be launched, and the next one have its turn."""
    return lines([*attempt(program), scheduled(COPIER)], seconds, thread)


def cycles(shipped: list[Shipped]) -> list[int]:
    """Return the cycle each document tells of."""
    return [one.agent["cycles"] for one in shipped]


def test_refusal_then_verification() -> None:
    """A refused launch is launch_failed, its verification install_pending."""
    first, second = states(lines(triple(OFFERS), 0))
    record = records(lines(triple(OFFERS), 0))

    assert [first.id, second.id] == [f"{record[0].id}.s1", f"{record[2].id}.s1"]
    assert first.agent == {
        "id": "advertised-programs",
        "name": "Advertised Programs Client Agent",
        "state": "launch_failed",
        "previous_state": "unknown",
        "confidence": "inferred",
        "scope": "agent",
        "cause": "privilege",
        "episode": 1,
        "episode_id": record[0].id,
        "cycles": 1,
        "cycle_opened": True,
        "relapse": False,
        "refusals": 1,
        "pending_since": iso(0),
        "pending_since_source": "configured",
    }
    assert second.agent == first.agent | {
        "state": "install_pending",
        "previous_state": "launch_failed",
        "cycle_opened": False,
    }


def test_state_documents_follow_their_record() -> None:
    """A state document comes right after the record that caused it."""
    shipped = [one.id for one in ship(lines(triple(OFFERS), 0))]
    first, second, third = (one.id for one in records(lines(triple(OFFERS), 0)))

    assert shipped == [first, f"{first}.s1", second, third, f"{third}.s1"]


def test_verification_before_the_echo() -> None:
    """A verification that came before its incident was resolved counts once it is."""
    shipped = states(lines([VERIFY, echo(OFFERS)], 0))
    opener = records(lines([VERIFY, echo(OFFERS)], 0))[1].id

    assert [one.id for one in shipped] == [f"{opener}.s1", f"{opener}.s2"]
    assert [one.agent["state"] for one in shipped] == [
        "launch_failed",
        "install_pending",
    ]


def test_later_cause_replaces_an_echos() -> None:
    """What the echo left open is filled in by the cause of the same incident."""
    shipped = states(lines([echo(OFFERS), failed(OFFERS), VERIFY], 0))

    assert [one.agent["cause"] for one in shipped] == ["unknown", "privilege"]
    assert shipped[1].body["error"]["code"] == "1314"


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


def test_second_cycle_without_verification() -> None:
    """Refused in two cycles, an agent is pending even if no verification was logged."""
    log = line(failed(OFFERS), 0) + line(failed(OFFERS), 23 * HOUR)

    assert path_of(log) == ["launch_failed", "install_pending"]


@pytest.mark.parametrize(
    ("program", "states_after"),
    [(OFFERS, ["recovered"]), (SYSTEM, []), (HARDWARE, [])],
    ids=["itself", "same agent", "another agent"],
)
def test_only_the_same_launcher_recovers(
    program: Program, states_after: list[str]
) -> None:
    """An agent recovers when the application that failed is launched, no other."""
    log = lines(triple(OFFERS), 0) + works(program, 23 * HOUR)

    assert path_of(log, OFFERS.agent) == [
        "launch_failed",
        "install_pending",
        *states_after,
    ]


def test_recovery_then_health() -> None:
    """The first evidence makes it recovered, the next healthy; silence changes none."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            works(OFFERS, 23 * HOUR),
            works(OFFERS, 46 * HOUR),
            works(OFFERS, 69 * HOUR),
        ]
    )
    shipped = states(log, OFFERS.agent)

    assert [one.agent["state"] for one in shipped[2:]] == ["recovered", "healthy"]
    assert [one.agent["previous_state"] for one in shipped[2:]] == [
        "install_pending",
        "recovered",
    ]
    assert "remedy" not in shipped[2].body["sms"]
    assert "severity" not in shipped[2].body["event"]
    assert shipped[2].agent["pending_since"] == iso(0)


@pytest.mark.parametrize(
    "log",
    [
        lines(attempt(OFFERS), 0),
        lines([scheduled(OFFERS), scheduled(COPIER)], 0),
        lines([verifying(OFFERS), verifying(COPIER)], 0),
        lines([*attempt(OFFERS), scheduled(OFFERS)], 0),
        lines(attempt(OFFERS), 0) + lines(attempt(COPIER), 0.1, 53),
        lines(attempt(OFFERS), 0) + lines(attempt(COPIER), HOUR),
        lines(
            [
                *attempt(OFFERS),
                f"{OFFERS.app} - Not Launching application",
                scheduled(COPIER),
            ],
            0,
        ),
        lines([*attempt(OFFERS), "ERROR: No token for this", scheduled(COPIER)], 0),
        lines([*attempt(OFFERS), VERIFY, scheduled(COPIER)], 0),
        lines([*attempt(OFFERS), "Finished list processing, return code = 0x5"], 0),
        line("x", 0) + lines([*attempt(OFFERS), *attempt(COPIER)], 0, None),
    ],
    ids=[
        "the last one",
        "never attempted",
        "only verified",
        "its own turn again",
        "another thread",
        "the next list",
        "put off",
        "an error in between",
        "a verification in between",
        "a list that failed",
        "no thread",
    ],
)
def test_what_proves_nothing(log: bytes) -> None:
    """Only an attempt that the next application follows in peace proves a launch."""
    assert path_of(log) == []


@pytest.mark.parametrize(
    "text",
    [
        "Finished list processing, return code = 0x0",
        "Software Inventory Agent cycle started",
        'Logging initialized for module "Software Inventory Agent"',
    ],
)
def test_other_evidence(text: str) -> None:
    """A list that ended well proves its last one; an agent that starts proves itself."""
    assert path_of(lines([*attempt(SOFTWARE), text], 0)) == ["healthy"]


def test_worst_of_launchers() -> None:
    """An agent is as bad as its worst launcher, with the cause of that one."""
    denied = [verifying(SYSTEM), INTEGRITY, echo(SYSTEM, "0x5"), VERIFY_5]
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            lines(denied, 1 * HOUR),
            lines(triple(OFFERS), 2 * HOUR),
            works(SYSTEM, 3 * HOUR),
            works(OFFERS, 4 * HOUR),
        ]
    )
    shipped = states(log, OFFERS.agent)

    assert [(one.agent["state"], one.agent["cause"]) for one in shipped] == [
        ("launch_failed", "privilege"),
        ("install_pending", "privilege"),
        ("integrity_failed", "integrity"),
        ("install_pending", "privilege"),
        ("recovered", "privilege"),
    ]
    assert [one.body["sms"].get("remedy", {}).get("id") for one in shipped] == [
        "privilege",
        "privilege",
        "integrity",
        "privilege",
        None,
    ]
    assert {one.agent["episode"] for one in shipped} == {1}


def test_integrity_failure_outranks_a_refusal_in_its_incident() -> None:
    """S05 after other records of its incident turns a refusal into what it is."""
    log = lines([failed(HARDWARE, 5), echo(HARDWARE, "0x5"), INTEGRITY, VERIFY_5], 0)
    shipped = states(log)

    assert [(one.agent["state"], one.agent["cause"]) for one in shipped] == [
        ("launch_failed", "unknown"),
        ("integrity_failed", "integrity"),
    ]
    assert shipped[1].body["event"]["severity"] == 73


def test_refusal_leaves_an_integrity_failure() -> None:
    """A later 1314 neither mends nor explains a wrong checksum."""
    denied = [verifying(HARDWARE), INTEGRITY, echo(HARDWARE, "0x5")]
    log = lines(denied, 0) + lines(triple(HARDWARE), 23 * HOUR)
    shipped = states(log)

    assert [(one.agent["state"], one.agent["cause"]) for one in shipped] == [
        ("integrity_failed", "integrity"),
        ("integrity_failed", "integrity"),
    ]
    assert cycles(shipped) == [1, 2]


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
    assert shipped[-1].body["message"].startswith(
        "pc0417: Advertised Programs Client Agent refused in 4 cycles since"
        " 2003-02-12, cause 1314 ERROR_PRIVILEGE_NOT_HELD"
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
