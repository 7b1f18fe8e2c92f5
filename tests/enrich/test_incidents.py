# SPDX-License-Identifier: Apache-2.0
"""Which records belong to one launch attempt, and what they know of it."""

from __future__ import annotations

import pytest

from tests.enrich.story import (
    HARDWARE,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    SYSTEM,
    VERIFY,
    VERIFY_5,
    Shipped,
    attempt,
    echo,
    failed,
    line,
    lines,
    path_of,
    records,
    scheduled,
    states,
    triple,
    unverified,
    verifying,
)

#: Every log begins with a timed record that means nothing.
CALM = line("Working set trimmed to 812 KB~", -60)


def grouping(shipped: list[Shipped]) -> list[tuple[int, int] | None]:
    """Return number of incident, in order of appearance, and position within."""
    numbers: dict[str, int] = {}
    return [
        (
            numbers.setdefault(one.incident["id"], 1 + len(numbers)),
            one.incident["seq"],
        )
        if one.incident
        else None
        for one in shipped
    ]


def roots(shipped: list[Shipped]) -> list[str | None]:
    """Return the causing code as each record of an incident knows it."""
    return [one.incident.get("root_code") for one in shipped if one.incident]


def test_separate_triple() -> None:
    """Three records of one refusal are one incident with the cause's code."""
    shipped = records(lines(triple(OFFERS), 0))

    assert grouping(shipped) == [(1, 1), (1, 2), (1, 3)]
    assert roots(shipped) == ["1314", "1314", "1314"]
    assert {one.incident["id"] for one in shipped} == {shipped[0].id}
    assert [one.agent.get("refused", False) for one in shipped] == [True, False, False]


def test_echo_knows_no_cause_before_it() -> None:
    """A record never looks ahead: an echo that comes first carries no root code."""
    shipped = records(lines([echo(OFFERS), failed(OFFERS), VERIFY], 0))

    assert grouping(shipped) == [(1, 1), (1, 2), (1, 3)]
    assert roots(shipped) == [None, "1314", "1314"]


def test_interleaved_threads() -> None:
    """Two refusals whose records alternate are told apart by their threads."""
    log = b"".join(
        line(text, number / 100, thread)
        for number, (one, other) in enumerate(
            zip(triple(OFFERS), triple(SOFTWARE), strict=True)
        )
        for text, thread in ((one, 52), (other, 4_294_798_339))
    )
    shipped = records(log)

    assert grouping(shipped) == [(1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3)]
    assert [one.agent["id"] for one in shipped[:2]] == [OFFERS.agent, SOFTWARE.agent]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_missing_member(missing: int) -> None:
    """Any record of the three may be missing."""
    texts = triple(OFFERS)
    del texts[missing]

    assert grouping(records(lines(texts, 0))) == [(1, 1), (1, 2)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_two_agents_back_to_back(count: int) -> None:
    """Another application on the same thread is another incident."""
    texts = triple(OFFERS)[:count] + triple(SOFTWARE)
    shipped = records(lines(texts, 0))

    assert grouping(shipped) == [
        *((1, seq) for seq in range(1, count + 1)),
        (2, 1),
        (2, 2),
        (2, 3),
    ]


def test_two_applications_of_one_agent() -> None:
    """Applications are told apart even if they serve one agent."""
    shipped = records(lines([failed(OFFERS), echo(SYSTEM)], 0))

    assert grouping(shipped) == [(1, 1), (2, 1)]


def test_same_role_again() -> None:
    """A second record of the same role begins the next incident."""
    shipped = records(lines([*triple(OFFERS), *triple(OFFERS)], 0))

    assert grouping(shipped)[2:4] == [(1, 3), (2, 1)]


@pytest.mark.parametrize(("gap", "seq"), [(5.0, 2), (5.001, 1), (-0.5, 2), (-5.5, 1)])
def test_gap(gap: float, seq: int) -> None:
    """Records belong together up to five seconds apart, whatever way the clock went."""
    shipped = records(line(failed(OFFERS), 0) + line(echo(OFFERS), gap))

    assert shipped[1].incident["seq"] == seq


@pytest.mark.parametrize("text", attempt(OFFERS))
def test_next_launch_closes(text: str) -> None:
    """A new attempt ends the incident on its thread, even for the same application."""
    shipped = records(lines([failed(OFFERS), text, echo(OFFERS)], 0))

    assert grouping(shipped) == [(1, 1), None, (2, 1)]


def test_without_thread_adjacent_lines_join() -> None:
    """Plain lines that follow each other directly are one incident."""
    log = CALM + lines(triple(OFFERS), 0, thread=None)

    assert grouping(records(log)) == [None, (1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize("between", [b"Something else\r\n", b"\r\n"])
def test_without_thread_nothing_else_joins(between: bytes) -> None:
    """A line between plain lines, even a blank one, keeps them apart."""
    log = CALM + line(failed(OFFERS), 0, None) + between + line(echo(OFFERS), 0, None)
    shipped = [one for one in records(log) if one.incident]

    assert grouping(shipped) == [(1, 1), (2, 1)]


def test_without_any_time_adjacent_lines_join() -> None:
    """A log without a single time has its incidents too, by place alone."""
    shipped = records(lines(triple(OFFERS), 0, thread=None))

    assert grouping(shipped) == [(1, 1), (1, 2), (1, 3)]
    assert {one.body["sms"]["time"]["source"] for one in shipped} == {"read"}


def test_lone_verify_is_nobodys() -> None:
    """A verification alone names no agent and changes no state."""
    (shipped,) = records(line(VERIFY, 0))

    assert shipped.agent == {"id": "unresolved"}
    assert shipped.incident == {"id": shipped.id, "seq": 1}
    assert shipped.body["event"]["severity"] == 21
    assert shipped.body["error"]["code"] == "1003"
    assert path_of(line(VERIFY, 0)) == []


def test_integrity_failure() -> None:
    """A wrong checksum is high, inherits the verified file, and is never pending."""
    texts = [
        *attempt(HARDWARE),
        INTEGRITY,
        echo(HARDWARE, "0x5"),
        VERIFY_5,
        unverified(HARDWARE),
    ]
    shipped = records(lines(texts, 0))
    denied = shipped[3].body

    assert grouping(shipped) == [None, None, None, (1, 1), (1, 2), (1, 3), (1, 4)]
    assert roots(shipped) == ["5", "5", "5", "5"]
    assert denied["event"]["action"] == "integrity-check-failed"
    assert denied["event"]["severity"] == 73
    assert denied["file"] == {"path": HARDWARE.exe}
    assert denied["process"]["executable"] == HARDWARE.exe
    assert denied["process"]["parent"]["name"] == "CLISVCL.EXE"
    assert denied["sms"]["agent"] == {
        "id": "hardware-inventory",
        "name": "Hardware Inventory Client Agent",
        "refused": True,
    }
    assert path_of(lines(texts, 0)) == ["integrity_failed"]


@pytest.mark.parametrize("wait", [0.0, 6.0])
def test_integrity_failure_without_its_file(wait: float) -> None:
    """Without a verification shortly before, the launcher's name resolves it."""
    before = line(verifying(OFFERS), -wait) if wait else b""
    log = before + lines([INTEGRITY, echo(HARDWARE, "0x5"), VERIFY_5], 0)
    shipped = records(log)[-3:]

    assert "file" not in shipped[0].body
    assert [one.agent["id"] for one in shipped] == [
        "unresolved",
        "hardware-inventory",
        "hardware-inventory",
    ]
    assert shipped[1].agent["refused"]
    assert path_of(log) == ["integrity_failed"]


def test_threadless_integrity_failure_takes_the_line_before() -> None:
    """Without a thread only the line directly before names the file."""
    far = [verifying(OFFERS), "Sleeping", INTEGRITY]
    near = [verifying(OFFERS), INTEGRITY]

    shown = [
        records(CALM + lines(texts, 0, thread=None))[-1].body.get("file")
        for texts in (far, near)
    ]

    assert shown == [None, {"path": OFFERS.exe}]


def test_code_5_alone_is_no_integrity_failure() -> None:
    """Access denied without the record that says so has an unknown cause."""
    log = lines([failed(HARDWARE, 5), echo(HARDWARE, "0x5"), VERIFY_5], 0)

    assert {one.body["event"]["severity"] for one in records(log)} == {47}
    assert [(one.agent["state"], one.agent["cause"]) for one in states(log)] == [
        ("launch_failed", "unknown"),
        ("install_pending", "unknown"),
    ]


def test_unreadable_code_is_a_refusal_of_unknown_cause() -> None:
    """A code too long for 32 bits is still a refusal."""
    (state,) = states(line(failed(OFFERS).replace("1314", "99999999999"), 0))

    assert (state.agent["state"], state.agent["cause"]) == ("launch_failed", "unknown")


def test_code_0_is_no_refusal() -> None:
    """Code 0 refuses nothing."""
    assert path_of(line(failed(OFFERS, 0), 0)) == []


def test_roles_of_codes() -> None:
    """1003 is an echo, what a failed verification returns is neither echo nor cause."""
    shipped = records(lines([*triple(OFFERS), unverified(OFFERS)], 0))

    assert [one.body["sms"]["error"].get("role") for one in shipped] == [
        "cause",
        "echo",
        "echo",
        None,
    ]


def test_other_records_leave_an_incident_open() -> None:
    """A record that is no part of a launch leaves the incident open."""
    texts = [failed(OFFERS), "Working set trimmed to 812 KB~", echo(OFFERS)]

    assert grouping(records(lines(texts, 0))) == [(1, 1), None, (1, 2)]


def test_late_verification_failure_opens_nothing() -> None:
    """The verification's own failure belongs to an incident or to none."""
    shipped = records(lines([scheduled(OFFERS), unverified(OFFERS)], 0))

    assert grouping(shipped) == [None, None]
