# SPDX-License-Identifier: Apache-2.0
"""The states an agent goes through, and what its state documents say."""

from __future__ import annotations

import pytest

from tests.enrich.story import (
    COPIER,
    HARDWARE,
    HOUR,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    SYSTEM,
    VERIFY,
    VERIFY_5,
    Program,
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
    works,
)

LIST_WELL = "Finished list processing, return code = 0x0"
STILL_VERIFYING = "Still waiting for previous verify to finish."


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
        "order": 1_045_029_600_000_000,  # 06:00:00.000 in ms, and 000
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
        "order": 1_045_029_600_020_000,
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

    assert [
        (one.agent["state"], one.agent["cause"], one.agent["cycle_opened"])
        for one in shipped
    ] == [
        ("launch_failed", "unknown", True),
        # Told once more, for those who count first refusals by their cause.
        ("launch_failed", "privilege", True),
        ("install_pending", "privilege", False),
    ]
    assert shipped[1].body["event"]["action"] == "agent-cause-learned"
    assert shipped[1].body["error"]["code"] == "1314"
    assert shipped[1].body["sms"]["remedy"]["id"] == "privilege"


def test_later_cause_opens_no_further_cycle() -> None:
    """From the second cycle on, who counts cycles is not told of one twice."""
    log = line(echo(OFFERS), 0) + lines([echo(OFFERS), failed(OFFERS)], 23 * HOUR)

    assert [
        (one.agent["cause"], one.agent["cycles"], one.agent["cycle_opened"])
        for one in states(log)
    ] == [("unknown", 1, True), ("unknown", 2, True), ("privilege", 2, False)]


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
        lines([*attempt(OFFERS), STILL_VERIFYING, scheduled(COPIER), LIST_WELL], 0),
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
        "an earlier verification runs",
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
        LIST_WELL,
        "Software Inventory Agent cycle started",
        'Logging initialized for module "Software Inventory Agent"',
    ],
)
def test_other_evidence(text: str) -> None:
    """A list that ended well proves its last launch, an agent's start itself."""
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
    """S05 after the echo of its incident turns a refusal into what it is."""
    log = lines([echo(HARDWARE, "0x5"), INTEGRITY, VERIFY_5], 0)
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
    assert [one.agent["cycles"] for one in shipped] == [1, 2]
    assert [one.body["sms"]["remedy"]["id"] for one in shipped] == ["integrity"] * 2
    assert shipped[1].body["message"] == (
        "pc0417: Hardware Inventory Client Agent failed its integrity check,"
        " refused in 2 cycles since 2003-02-12"
    )
