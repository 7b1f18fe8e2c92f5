# SPDX-License-Identifier: Apache-2.0
"""What happens to clients, told from beginning to end, and what is said of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from shipper.records import Stream
from tests.enrich.story import (
    AGENTS,
    DAY,
    HARDWARE,
    HOUR,
    INSTALLER,
    OFFERS,
    SOFTWARE,
    SOURCE,
    SYSTEM,
    VERIFY,
    Shipped,
    attempt,
    denied,
    echo,
    failed,
    iso,
    line,
    lines,
    needed,
    path_of,
    records,
    scheduled,
    ship,
    states,
    triple,
    trouble,
    works,
)

REGISTER = "AppRegisterI returned error 1018 for component Software Inventory Agent"
BLOCKED = (
    "Warning - could not find a site CAP with uplevel version of component"
    " Hardware Inventory Agent"
)
LIST_WELL = "Finished list processing, return code = 0x0"


def summary(shipped: list[Shipped]) -> list[tuple[str, str, int]]:
    """Return state, cause and cycle of each state document."""
    return [
        (one.agent["state"], one.agent["cause"], one.agent["cycles"]) for one in shipped
    ]


def alarming(shipped: list[Shipped]) -> list[str]:
    """Return the ids of what the rule for recurring refusals asks for."""
    return [
        one.id
        for one in shipped
        if one.stream is Stream.STATE
        and one.agent["state"] in {"launch_failed", "install_pending"}
        and one.agent["cause"] not in {"integrity", "not_installed"}
        and (
            (one.agent["cycle_opened"] and one.agent["cycles"] in {2, 7, 30})
            or one.agent["relapse"]
        )
    ]


def test_first_install_day() -> None:
    """What a new client has to install alarms nobody, and is over once it runs."""
    names = ["Software Distribution", "Software Inventory Agent", "Remote Control"]
    log = b"".join(
        [
            lines([needed(name) for name in names], 0),
            lines([needed(name) for name in names], 600),
            line("Software Inventory Agent cycle started", HOUR),
        ]
    )
    shipped = states(log)

    assert [(one.agent["id"], one.agent["state"]) for one in shipped] == [
        ("advertised-programs", "install_pending"),
        ("software-inventory", "install_pending"),
        ("remote-tools", "install_pending"),
        ("software-inventory", "recovered"),
    ]
    assert summary(shipped[:3]) == [("install_pending", "not_installed", 0)] * 3
    assert {one.body["event"].get("severity") for one in shipped} == {21, None}
    assert [one.body["rule"]["id"] for one in shipped] == ["S14", "S14", "S14", "S21"]
    assert alarming(shipped) == []
    assert shipped[0].body["message"] == (
        "pc0417: Advertised Programs Client Agent is install pending since 2003-02-12,"
        " cause not_installed"
    )


def test_back_fill_of_1999() -> None:
    """Old records tell of their own time, which rules look at."""
    since = -1185 * DAY  # 12 February 2003 less 1,185 days is 15 November 1999
    shipped = states(lines(triple(OFFERS), since))

    assert [one.body["@timestamp"] for one in shipped] == [
        "1999-11-15T06:00:00.000Z",
        "1999-11-15T06:00:00.020Z",
    ]
    assert alarming(shipped) == []


def test_clock_two_years_ahead() -> None:
    """A jump ahead alarms in the future only, and the way back alarms nobody."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            lines(triple(OFFERS), 730 * DAY),
            lines(triple(OFFERS), 2 * HOUR),
            lines(triple(OFFERS), 3 * HOUR),
        ]
    )
    shipped = states(log)

    assert summary(shipped) == [
        ("launch_failed", "privilege", 1),
        ("install_pending", "privilege", 1),
        ("install_pending", "privilege", 2),
    ]
    (alarm,) = alarming(shipped)
    assert shipped[2].id == alarm
    assert shipped[2].body["@timestamp"] == "2005-02-11T06:00:00.000Z"


def test_off_over_the_weekend() -> None:
    """Refused on Friday and on Monday are two cycles, however long it was off."""
    log = lines(triple(OFFERS), 2 * DAY) + lines(triple(OFFERS), 5 * DAY + 2 * HOUR)
    shipped = states(log)

    assert summary(shipped) == [
        ("launch_failed", "privilege", 1),
        ("install_pending", "privilege", 1),
        ("install_pending", "privilege", 2),
    ]
    assert alarming(shipped) == [shipped[2].id]


def test_relapse_after_three_days() -> None:
    """Refused again three days after it worked, an agent is recurring at once."""
    log = b"".join(
        [lines(triple(OFFERS), 0), works(OFFERS, DAY), lines(triple(OFFERS), 4 * DAY)]
    )
    shipped = states(log, OFFERS.agent)

    assert [one.agent["state"] for one in shipped] == [
        "launch_failed",
        "install_pending",
        "recovered",
        "launch_failed",
        "install_pending",
    ]
    assert alarming(shipped) == [shipped[3].id, shipped[4].id]
    assert [one.agent["episode"] for one in shipped] == [1, 1, 1, 2, 2]


def test_recovery_in_another_log() -> None:
    """A log's state is its own: what Sinv32.log says is told as Sinv32.log's."""
    source = replace(SOURCE, log="sinv32", path="/fleet/pc0417/Sinv32.log")
    (healthy,) = (
        one
        for one in ship(line("Software Inventory cycle started", DAY), source=source)
        if one.stream is Stream.STATE
    )

    assert (healthy.agent["id"], healthy.agent["state"]) == (SOFTWARE.agent, "healthy")
    assert healthy.body["sms"]["log"]["name"] == "sinv32"
    assert "episode" not in healthy.agent
    assert path_of(lines(triple(SOFTWARE), 0)) == ["launch_failed", "install_pending"]


def test_base_component_fails_every_agent() -> None:
    """One refusal of the installation manager is a state of all agents, one episode."""
    log = line(failed(INSTALLER), 0) + line(failed(INSTALLER), 23 * HOUR)
    opener, again = records(log)
    shipped = states(log)

    assert [one.id for one in shipped] == [
        f"{record.id}.s{number}"
        for record in (opener, again)
        for number in (1, 2, 3, 4, 5)
    ]
    assert [one.agent["id"] for one in shipped] == AGENTS * 2
    assert {one.agent["scope"] for one in shipped} == {"host"}
    assert {one.agent["episode_id"] for one in shipped} == {opener.id}
    assert summary(shipped) == [
        *[("launch_failed", "privilege", 1)] * 5,
        *[("install_pending", "privilege", 2)] * 5,
    ]
    assert shipped[1].body["message"] == (
        "pc0417: Software Inventory Client Agent, for want of Client Base Components,"
        " refused in 1 cycle since 2003-02-12, cause 1314 ERROR_PRIVILEGE_NOT_HELD:"
        " launch failed"
    )
    assert opener.agent == {
        "id": "client-base",
        "name": "Client Base Components",
        "refused": True,
    }


def test_base_component_recovers() -> None:
    """Its success ends what its failure did, not what an agent's own did."""
    log = b"".join(
        [
            works(SOFTWARE, -HOUR),
            lines(triple(INSTALLER), 0),
            lines(triple(OFFERS), 1),
            works(INSTALLER, HOUR),
            works(SOFTWARE, 2 * HOUR),
        ]
    )

    assert path_of(log, OFFERS.agent) == ["launch_failed", "install_pending"]
    assert path_of(log, HARDWARE.agent) == [
        "launch_failed",
        "install_pending",
        "recovered",
    ]
    assert path_of(log, SOFTWARE.agent) == [
        "healthy",
        "launch_failed",
        "install_pending",
        "recovered",
        "healthy",
    ]


def test_base_component_that_works_says_nothing_of_agents() -> None:
    """Only the failure of a base component concerns the agents."""
    log = works(INSTALLER, 0) + line(needed("Client Component Installation Manager"), 9)

    assert states(log) == []


def test_removal() -> None:
    """A host that leaves its site has its agents removed, those that were known."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            works(SOFTWARE, HOUR),
            line("No longer assigned to S01", DAY),
            line("No longer assigned to S01", 2 * DAY),
            lines(triple(OFFERS), 3 * DAY),
        ]
    )
    leaving = records(log)[-5]
    shipped = states(log)[3:]

    assert [(one.id, one.agent["id"], one.agent["state"]) for one in shipped[:2]] == [
        (f"{leaving.id}.s1", OFFERS.agent, "removed"),
        (f"{leaving.id}.s2", SOFTWARE.agent, "removed"),
    ]
    assert [one.agent["previous_state"] for one in shipped[:3]] == [
        "install_pending",
        "healthy",
        "removed",
    ]
    assert leaving.body["event"]["action"] == "site-unassigned"
    assert "remedy" not in shipped[0].body["sms"]
    assert shipped[2].agent["state"] == "launch_failed"
    assert shipped[2].agent["episode"] == 2
    assert shipped[2].agent["relapse"]


def test_hotfix() -> None:
    """A half-applied hotfix is an integrity failure until the program runs again."""
    log = lines(denied(HARDWARE), 0) + works(HARDWARE, 23 * HOUR)
    shipped = states(log)

    assert summary(shipped) == [
        ("integrity_failed", "integrity", 1),
        ("recovered", "integrity", 1),
    ]
    assert [one.body["rule"]["id"] for one in shipped] == ["S05", "S26"]
    assert alarming(shipped) == []


@pytest.mark.parametrize(
    ("evening", "afternoon", "cycles"),
    [
        ("Sat Oct 25 22:00:00.000 2003", "Sun Oct 26 17:30:00.000 2003", [1, 2]),
        ("Sat Apr 05 22:00:00.000 2003", "Sun Apr 06 18:30:00.000 2003", [1]),
    ],
    ids=["an hour more", "an hour less"],
)
def test_daylight_saving(evening: str, afternoon: str, cycles: list[int]) -> None:
    """Cycles are counted in real hours: 20.5 by a clock of 19.5, and 19.5 by 20.5."""
    log = b"".join(
        f"{failed(OFFERS)}  $$<CLISVCL.EXE><{stamp}><thread=52 (0x34)>\r\n".encode()
        for stamp in (evening, afternoon)
    )
    shipped = [
        one
        for one in ship(log, timezone="America/Chicago")
        if one.stream is Stream.STATE
    ]

    assert [one.agent["cycles"] for one in shipped] == cycles


def test_refused_registration() -> None:
    """A registration that fails is a refusal with a cause; code 0 is none."""
    log = line(REGISTER, 0) + line(REGISTER.replace("1018", "0"), HOUR)
    refusal, accepted = records(log)
    (state,) = states(log)

    assert refusal.incident == {"id": refusal.id, "seq": 1, "root_code": "1018"}
    assert refusal.agent["refused"]
    assert refusal.body["sms"]["error"]["role"] == "cause"
    assert refusal.body["event"]["outcome"] == "failure"
    assert accepted.incident == {}
    assert accepted.body["event"]["outcome"] == "success"
    assert (state.agent["id"], *summary([state])[0]) == (
        SOFTWARE.agent,
        "launch_failed",
        "unknown",
        1,
    )
    assert state.body["error"]["code"] == "1018"


def test_blocked_installation() -> None:
    """Without files to install from, an agent is pending for want of distribution."""
    log = line(BLOCKED, 0) + line(BLOCKED, 23 * HOUR)
    blocked = records(log)[0]
    (state,) = states(log)

    assert summary([state]) == [("install_pending", "distribution", 0)]
    assert state.agent["id"] == HARDWARE.agent
    assert state.agent["episode_id"] == blocked.id
    assert state.agent["refusals"] == 0
    assert blocked.body["sms"]["remedy"]["id"] == "distribution"
    assert state.body["sms"]["remedy"]["id"] == "distribution"


def test_first_refusal_of_an_episode_that_began_otherwise() -> None:
    """Cycles are counted from the first refusal on, whatever opened the episode."""
    log = line(needed(OFFERS.app), 0) + line(failed(OFFERS), 30 * HOUR)
    first, second = states(log)

    assert (first.agent["cycles"], second.agent["cycles"]) == (0, 1)
    assert second.agent["cycle_opened"]
    assert second.agent["episode_id"] == first.agent["episode_id"]
    assert second.agent["state"] == "install_pending"
    assert second.agent["cause"] == "privilege"
    assert second.body["event"]["action"] == "agent-cycle-opened"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (line(needed(SOFTWARE.app, "upgraded"), 0), []),
        (
            line(needed(SOFTWARE.app, "upgraded"), 0) + line(REGISTER, 60),
            ["repair_pending"],
        ),
        (
            line(REGISTER, 0) + line(needed(SOFTWARE.app, "verified"), 60),
            ["launch_failed", "repair_pending"],
        ),
        (
            line(needed(SOFTWARE.app, "verified"), 0) + line(REGISTER, 21 * HOUR),
            ["launch_failed"],
        ),
        (
            line(needed(SOFTWARE.app, "verified"), 0) + line(BLOCKED, 60),
            ["install_pending"],
        ),
    ],
    ids=["alone", "before", "after", "another cycle", "another agent's"],
)
def test_repair(log: bytes, expected: list[str]) -> None:
    """An upgrade or verification is a repair only with a refusal of the same cycle."""
    assert path_of(log) == expected


def test_reported() -> None:
    """What the log itself calls pending is pending, and said to be reported."""
    log = b"".join(
        [
            line("Remote Control: Install Pending", 0),
            line("Install Pending", HOUR, component="Hardware Inventory Agent"),
            line("Install Pending", 2 * HOUR),
            line(failed(HARDWARE), 3 * HOUR),
        ]
    )
    shipped = states(log)

    assert [(one.agent["id"], one.agent["confidence"]) for one in shipped] == [
        ("remote-tools", "reported"),
        ("hardware-inventory", "reported"),
        ("hardware-inventory", "reported"),
    ]
    assert summary(shipped) == [
        ("install_pending", "unknown", 0),
        ("install_pending", "unknown", 0),
        ("install_pending", "privilege", 1),
    ]
    assert [one.body["sms"].get("agent", {}).get("id") for one in records(log)] == [
        "remote-tools",
        "hardware-inventory",
        None,
        "hardware-inventory",
    ]


def test_ccm_error() -> None:
    """An error of a newer client's log is trouble of the host, and moves no state."""
    plain, known = ship(
        trouble("Could not reach the queue", 0)
        + trouble("Phase 1 initialization failed (0x80004015).", 1)
    )

    assert {plain.stream, known.stream} == {Stream.CCM}
    for one in (plain, known):
        assert one.body["event"]["code"] == one.body["rule"]["id"] == "S28"
        assert one.body["event"]["category"] == ["host"]
        assert one.body["event"]["type"] == ["info"]
        assert one.body["event"]["outcome"] == "failure"
        assert one.body["log"]["level"] == "error"
    assert "error" not in plain.body
    assert known.body["error"]["code"] == "0x80004015"


def test_crashes() -> None:
    """Each crash is an incident of its own, and no state the table knows."""
    crash = "An exception was raised in the application 'SINV32.EXE'"
    log = lines([failed(OFFERS), crash, echo(OFFERS)], 0) + lines([crash], 60)
    refused, first, echoed, second = records(log)

    assert first.incident == {"id": first.id, "seq": 1}
    assert second.incident == {"id": second.id, "seq": 1}
    assert echoed.incident == {"id": refused.id, "seq": 2, "root_code": "1314"}
    assert {first.agent["id"], second.agent["id"]} == {SOFTWARE.agent}
    assert first.body["event"]["action"] == "agent-crashed"
    assert first.body["process"]["name"] == "CLISVCL.EXE"
    assert states(log, SOFTWARE.agent) == []


def test_lone_verification() -> None:
    """A verification without a launch belongs to nobody and changes no state."""
    log = works(OFFERS, 0) + line(VERIFY, HOUR)

    assert records(log)[-1].agent == {"id": "unresolved"}
    assert path_of(log) == ["healthy"]


def test_echo_first_in_the_second_cycle() -> None:
    """An echo that comes before its cause leaves the cause the episode knows."""
    log = b"".join(
        [
            lines(triple(OFFERS), 0),
            lines([echo(OFFERS), failed(OFFERS)], 23 * HOUR),
            lines([echo(SYSTEM)], 24 * HOUR),
            lines(triple(OFFERS, 1385), 46 * HOUR),
        ]
    )
    shipped = states(log)

    assert summary(shipped) == [
        ("launch_failed", "privilege", 1),
        ("install_pending", "privilege", 1),
        ("install_pending", "privilege", 2),
        ("install_pending", "account", 3),
    ]
    assert shipped[2].body["sms"]["remedy"]["id"] == "privilege"


def test_echo_of_another_application() -> None:
    """Nor does an echo of another application of the agent replace a known cause."""
    log = b"".join(
        [
            line(failed(OFFERS), 0),
            line(echo(SYSTEM), HOUR),
            line(echo(SYSTEM), 23 * HOUR),
            works(OFFERS, 24 * HOUR),
            line(echo(SYSTEM), 46 * HOUR),
        ]
    )
    shipped = states(log, OFFERS.agent)

    assert summary(shipped) == [
        ("launch_failed", "privilege", 1),
        ("install_pending", "privilege", 2),
        ("install_pending", "unknown", 3),
    ]


def test_slow_list() -> None:
    """A list that ends well proves also what the next application's turn did not."""
    log = b"".join(
        [
            lines(attempt(OFFERS), 0),
            lines(attempt(HARDWARE), 1200),
            line(failed(HARDWARE), 1200.1),
            lines(attempt(SOFTWARE), 2400),
            line(LIST_WELL, 2500),
        ]
    )

    assert [(one.agent["id"], one.agent["state"]) for one in states(log)] == [
        (HARDWARE.agent, "launch_failed"),
        (OFFERS.agent, "healthy"),
        (SOFTWARE.agent, "healthy"),
    ]


@pytest.mark.parametrize(
    "between",
    [line("SMS Client Service is starting", 60), b""],
    ids=["a restart", "hours"],
)
def test_list_that_was_broken_off(between: bytes) -> None:
    """A list's end proves nothing of a list that a restart or hours cut off."""
    end = 120 if between else 2 * HOUR
    log = lines(attempt(OFFERS), 0) + between + line(LIST_WELL, end)

    assert path_of(log) == []


def test_one_launch_is_one_piece_of_evidence() -> None:
    """What the next application's turn proved, the list's end does not prove again."""
    log = lines(triple(OFFERS), 0) + lines(
        [*attempt(OFFERS), *attempt(SOFTWARE), LIST_WELL], DAY
    )

    assert path_of(log, OFFERS.agent)[-1] == "recovered"


@pytest.mark.parametrize(
    ("days", "last"), [(29, "recovered"), (31, "healthy")], ids=["a month", "more"]
)
def test_forgotten_launcher(days: float, last: str) -> None:
    """A launcher that recovered and was not heard of for 30 days counts no more."""
    log = b"".join(
        [lines(triple(SYSTEM), 0), works(SYSTEM, DAY), works(OFFERS, (1 + days) * DAY)]
    )

    assert path_of(log, OFFERS.agent)[-1] == last


def test_failing_launcher_is_never_forgotten() -> None:
    """Silence mends nothing, however long."""
    log = lines(triple(SYSTEM), 0) + works(OFFERS, 400 * DAY)

    assert path_of(log, OFFERS.agent) == ["launch_failed", "install_pending"]


def test_account_of_a_look_up() -> None:
    """An account a record names is a related user; a candidate of a remedy is none."""
    (look_up,) = ship(line("Processing SID list for account mask SMSCliToknAcct&", 0))
    refusal = records(line(failed(OFFERS), 0))[0]

    assert look_up.body["related"] == {"hosts": ["pc0417"], "user": ["SMSCliToknAcct&"]}
    assert refusal.body["related"] == {"hosts": ["pc0417"]}


def test_attack_technique_of_a_wrong_checksum() -> None:
    """Only a wrong checksum names techniques, by the ids of every ATT&CK version."""
    shipped = records(lines([*denied(HARDWARE), failed(OFFERS)], 0))
    named = [one for one in shipped if "threat" in one.body]

    assert [one.body["event"]["code"] for one in named] == ["S05"]
    technique = named[0].body["threat"]["technique"]
    assert {*technique["id"], *technique["subtechnique"]["id"]} >= {
        "T1554",
        "T1562.001",
        "T1685",
    }


def test_pending_since_is_the_opening_record() -> None:
    """Repetition changes neither since when nor by which record an agent fails."""
    log = b"".join(lines(triple(OFFERS), turn * 23 * HOUR) for turn in range(3))
    shipped = states(log)

    assert {one.agent["pending_since"] for one in shipped} == {iso(0)}
    assert {one.agent["episode_id"] for one in shipped} == {records(log)[0].id}
    assert shipped[-1].agent["refusals"] == 3


def test_next_turn_after_a_crash_proves_nothing() -> None:
    """An application that crashed does not run because the next one has its turn."""
    crash = f"An exception was raised in the application '{OFFERS.exe}'"
    log = lines([*attempt(OFFERS), crash, scheduled(SOFTWARE), LIST_WELL], 0)

    assert path_of(log, OFFERS.agent) == []
