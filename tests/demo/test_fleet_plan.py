# SPDX-License-Identifier: Apache-2.0
"""The plan of a fleet: what it says and what it says about itself."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from shipper.demo.fleet import (
    DEFAULT_TIMEZONE,
    AgentTruth,
    Ending,
    Fleet,
    Log,
)
from shipper.demo.fleet.stamp import Dial, to_ms
from shipper.errors import UsageProblem

END = datetime(2003, 3, 14, 12, 30, tzinfo=UTC)

CLISVCL = re.escape(rb"C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE")
STAMP = (
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov"
    rb"|Dec) \d\d \d\d:\d\d:\d\d\.\d{3} \d{4}(?: [A-Z][A-Za-z]* (?:Standard|Daylight)"
    rb" Time)?"
)
REGULAR = re.compile(
    rb".+?~?  \$\$<" + CLISVCL + rb"><" + STAMP + rb"><thread=\d+ \(0x[0-9A-F]+\)>\r\n"
)
DAMAGED = re.compile(
    rb".+?~?  \$\$<" + CLISVCL + rb"(?: ?>)?<" + STAMP + rb">{1,2}<?thread=\d+"
    rb" \(0x[0-9A-F]+\)>(?:<BR/>)?\r\n"
)
# The record that opens an incident, or the line the whole incident stands on.
REFUSED = re.compile(
    rb'"[^"]*\\(ODPUSR32|sinv32|hinv32)\.exe " - Error : 1314|#\$ ERROR: '
)
AGENT_OF = {
    b"ODPUSR32": "advertised-programs",
    b"sinv32": "software-inventory",
    None: "hardware-inventory",
}
FAILED = {
    "advertised-programs": "WNet User Groups Offer Data Provider",
    "software-inventory": "Software Inventory Agent",
}
NEXT = {
    "advertised-programs": "Program Execution Agent",
    "software-inventory": "Copy Queue",
}
NOT_AUTHORISED = (
    b"#$#$#$#$#$ ERROR: The Client Service is not authorised to run this"
    b" application! (5)~"
)


@cache
def fleet() -> Fleet:
    """Plan the fleet that most tests look at, once."""
    return Fleet.plan(7, end=END)


def code_of(log: Log) -> int | None:
    """Return what stops a host's launches, if anything does."""
    return log.host.trouble.code if log.host.trouble else None


def time_of(log: Log, line: bytes) -> datetime:
    """Read a regular line's time, by hand, as UTC."""
    found = re.search(rb"<\w{3} (\w{3} \d\d [\d:.]{12} \d{4})", line)
    assert found is not None
    local = datetime.strptime(found[1].decode(), "%b %d %H:%M:%S.%f %Y")  # noqa: DTZ007 - the zone follows
    return local.replace(tzinfo=ZoneInfo(log.host.dial.timezone)).astimezone(UTC)


def refusals(log: Log) -> dict[str, list[datetime]]:
    """Collect the times of a log's refused launches from its bytes alone."""
    times: dict[str, list[datetime]] = {}
    for line in log.truth.lines:
        if found := REFUSED.search(line):
            times.setdefault(AGENT_OF[found[1]], []).append(time_of(log, line))
    return times


def told(story: Fleet) -> list[tuple[Log, str, AgentTruth]]:
    """Return every agent that failed at least once."""
    return [
        (log, agent, truth)
        for log in story.logs
        for agent, truth in log.truth.agents.items()
        if truth.first_refusal is not None
    ]


def test_same_seed_same_bytes() -> None:
    """A fleet is a pure function of its arguments."""
    assert Fleet.plan(7, end=END) == fleet()


def test_other_seed_other_bytes() -> None:
    """Another seed tells the same story with other machines and times."""
    other = Fleet.plan(8, end=END, hosts=12)
    same = Fleet.plan(7, end=END, hosts=12)
    assert {line for log in other.logs for line in log.truth.lines}.isdisjoint(
        line for log in same.logs for line in log.truth.lines
    )


def test_plan_reaches_from_the_first_day_to_the_end() -> None:
    """The newest records are recent, and none lies outside the story."""
    times = [entry.time for log in fleet().logs for entry in log.entries]
    assert END - timedelta(days=5) <= min(times)
    assert END - timedelta(minutes=30) < max(times) <= END


def test_each_host_writes_in_the_order_of_time() -> None:
    """Lines are planned in the order in which they will be written."""
    for log in fleet().logs:
        times = [entry.ms for entry in log.entries]
        assert times == sorted(times)


def test_every_line_has_a_documented_form() -> None:
    """A line is regular, or its trailer is spoilt on a host known for that."""
    for log in fleet().logs:
        irregular = [line for line in log.truth.lines if not REGULAR.fullmatch(line)]
        assert all(DAMAGED.fullmatch(line) for line in irregular)
        assert bool(irregular) == log.host.damaged


def test_glued_line_counts_as_three_documents() -> None:
    """One host writes its refusals on one line, as KB828371 prints them."""
    glued = Counter[str]()
    for log in fleet().logs:
        for line in log.truth.lines:
            glued[log.host.name] += line.count(b" - Error : 1314*** ")
    assert [log.host.name for log in fleet().logs if glued[log.host.name]] == [
        log.host.name
        for log in fleet().logs
        if log.host.trouble is not None and log.host.trouble.glued
    ]
    for log in fleet().logs:
        expected = len(log.truth.lines) + 2 * glued[log.host.name]
        assert log.truth.documents == expected


def test_fleet_adds_up_its_documents() -> None:
    """The fleet's total is that of its logs."""
    assert fleet().documents == sum(log.truth.documents for log in fleet().logs)


def test_cast_of_the_story() -> None:
    """Of 48 hosts 16 are hit at once, 4 of them mended; 2 fail alone, 1 by a file."""
    troubles = [log.host.trouble for log in fleet().logs]
    by_policy = [
        trouble
        for trouble in troubles
        if trouble and to_ms(fleet().policy_change) == trouble.since_ms
    ]
    assert len(troubles) == 48
    assert len(by_policy) == 16
    assert sum(trouble.mended for trouble in by_policy) == 4
    assert sum(trouble is not None for trouble in troubles) == 19
    assert sum(trouble is not None and trouble.code == 5 for trouble in troubles) == 1


def test_endings_follow_the_troubles() -> None:
    """Mended hosts end recovered, the others pending, the changed file as such."""
    expected = {
        (log.host.name, agent): (
            Ending.INTEGRITY_FAILED
            if trouble.code == 5
            else Ending.RECOVERED
            if trouble.mended
            else Ending.INSTALL_PENDING
        )
        for log in fleet().logs
        if (trouble := log.host.trouble) is not None
        for agent in {app.agent for app in trouble.applications}
    }
    actual = {
        (log.host.name, agent): truth.ending
        for log in fleet().logs
        for agent, truth in log.truth.agents.items()
        if truth.ending is not Ending.HEALTHY
    }
    assert actual == expected


def test_first_refusals_of_the_policy_lie_within_a_day() -> None:
    """A policy change shows at each host's next restart or cycle: 23 h, smeared."""
    change = fleet().policy_change
    first = [
        truth.first_refusal - change
        for log, _, truth in told(fleet())
        if log.host.trouble
        and log.host.trouble.since_ms == to_ms(change)
        and truth.first_refusal
    ]
    assert timedelta(0) < min(first)
    assert max(first) < timedelta(hours=25)
    assert max(first) - min(first) > timedelta(hours=12)


def test_two_hosts_failed_long_before_the_policy_change() -> None:
    """Trouble of single machines is told apart from that of the fleet by its time."""
    early = [
        log.host.name
        for log, _, truth in told(fleet())
        if truth.first_refusal
        and truth.first_refusal < fleet().policy_change - timedelta(hours=12)
    ]
    assert len(early) == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_truth_follows_from_the_lines(seed: int) -> None:
    """Refusals and cycles (20 h after the opening one) are those of the bytes."""
    story = Fleet.plan(seed, end=END)
    for log in story.logs:
        actual = {
            agent: (truth.refusals, truth.cycles, truth.first_refusal)
            for agent, truth in log.truth.agents.items()
            if truth.refusals
        }
        expected = {}
        for agent, times in refusals(log).items():
            opened = [times[0]]
            for time in times:
                if time - opened[-1] >= timedelta(hours=20):
                    opened.append(time)
            expected[agent] = (len(times), len(opened), times[0])
        assert actual == expected


def test_most_pending_hosts_are_recurring() -> None:
    """Trouble comes back with the next cycle on most hosts that keep it."""
    pending = [
        truth.cycles >= 2
        for _, _, truth in told(fleet())
        if truth.ending is Ending.INSTALL_PENDING
    ]
    assert sum(pending) > len(pending) * 0.6


def test_five_restarts_in_an_hour_are_no_five_cycles() -> None:
    """A service that keeps restarting counts refusals, not cycles."""
    flapping = [log for log in fleet().logs if len(log.host.restarts_ms) == 5]
    (truth,) = (
        truth
        for log in flapping
        for truth in log.truth.agents.values()
        if truth.refusals
    )
    assert truth.refusals >= 5 + truth.cycles - 1
    assert truth.cycles <= 4


def test_recovery_is_an_attempt_followed_by_the_next_application() -> None:
    """After its last refusal a mended application is tried again, without an error."""
    for log, agent, truth in told(fleet()):
        if truth.ending is not Ending.RECOVERED:
            continue
        text = [line.split(b"  $$<")[0] for line in log.truth.lines]
        last = max(i for i, line in enumerate(text) if b"Doing App Verify" in line)
        after = b"\n".join(text[last + 1 :])
        assert b"ERROR" not in after
        tried = after.index(f"{FAILED[agent]} - Attempting".encode())
        assert f"{NEXT[agent]} - Attempting".encode() in after[tried:]


def test_integrity_failure_has_its_five_records() -> None:
    """A changed file is verified, refused with 5, and verified again in vain."""
    (log,) = (log for log in fleet().logs if code_of(log) == 5)
    text = [line.split(b"  $$<")[0] for line in log.truth.lines]
    text = [
        line
        for line in text
        if b"Hardware" in line or b"hinv" in line or b"(5)" in line
    ]
    start = next(i for i, line in enumerate(text) if b"authorised" in line)
    assert text[start - 1 : start + 4] == [
        rb"Verifying application [C:\WINNT\MS\SMS\clicomp\hinv\hinv32.exe]~",
        NOT_AUTHORISED,
        b"*** Hardware Inventory Agent - Error launching (#0x5)",
        b"!!!WARNING: Problem starting App (5). Doing App Verify.",
        b"**ERROR: AppVerify(Hardware Inventory Agent) returned 232~",
    ]


def test_triple_shares_a_thread_and_a_moment() -> None:
    """The records of a refusal stand on one thread, 0 to 60 ms apart."""
    (log, *_) = (
        log
        for log in fleet().logs
        if log.host.trouble
        and log.host.trouble.code == 1314
        and not log.host.trouble.glued
    )
    parts = (b"***ERROR: Unable", b"*** ", b"!!!WARNING")
    triple = [line for line in log.truth.lines if line.startswith(parts)][:3]
    assert len({line.split(b"<thread=")[1] for line in triple}) == 1
    times = [time_of(log, line) for line in triple]
    assert timedelta(0) <= times[1] - times[0] <= timedelta(milliseconds=60)
    assert timedelta(0) <= times[2] - times[1] <= timedelta(milliseconds=60)


def test_peculiar_hosts() -> None:
    """Some hosts have Windows 9x threads, others text that is not UTF-8."""
    for log in fleet().logs:
        text = b"".join(log.truth.lines)
        threads = [int(digits) for digits in re.findall(rb"thread=(\d+)", text)]
        assert all((thread > 2**31) == log.host.windows_9x for thread in threads)
        assert text.isascii() != log.host.local_text
        text.decode("cp1252")
    assert any(not b"".join(log.truth.lines).isascii() for log in fleet().logs)
    assert sum(log.host.windows_9x for log in fleet().logs) == 3


def test_hosts_without_a_zone_name_share_the_default_zone() -> None:
    """One setting of the collector is enough for all logs without zone names."""
    zones = {log.host.dial.timezone for log in fleet().logs if not log.host.dial.named}
    assert zones == {fleet().default_timezone} == {DEFAULT_TIMEZONE}
    assert len({log.host.dial.timezone for log in fleet().logs}) == 3


@pytest.mark.parametrize(
    ("dial", "expected"),
    [
        (Dial(), "Wed Jul 04 09:46:43.146 2001"),
        (
            Dial(timezone="America/Los_Angeles", named=True),
            "Wed Jul 04 07:46:43.146 2001 Pacific Daylight Time",
        ),
        (
            Dial(timezone="America/Los_Angeles", named=True, stuck=True),
            "Wed Jul 04 07:46:43.146 2001 Pacific Standard Time",
        ),
        (
            Dial(timezone="Europe/London", named=True),
            "Wed Jul 04 15:46:43.146 2001 GMT Daylight Time",
        ),
    ],
    ids=["bare", "daylight", "stuck", "london"],
)
def test_time_is_shown_as_windows_prints_it(dial: Dial, expected: str) -> None:
    """14:46:43.146 GMT of Q303279, on the clocks of different hosts."""
    moment = datetime(2001, 7, 4, 14, 46, 43, 146_000, tzinfo=UTC)
    assert dial.show(to_ms(moment)) == expected


def test_repeated_hour_is_read_as_the_first() -> None:
    """On 2003-10-26 half past one came twice in Chicago: 06:30 and 07:30 UTC."""
    second = datetime(2003, 10, 26, 7, 30, tzinfo=UTC)
    assert Dial().read_back(to_ms(second)) == datetime(2003, 10, 26, 6, 30, tzinfo=UTC)


def test_live_part_is_as_long_as_asked() -> None:
    """The caller says how much of the story is written while someone watches."""
    story = Fleet.plan(7, end=END, hosts=12, live=timedelta(hours=2))
    assert story.live_from == datetime(2003, 3, 14, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hosts", "days", "expected"),
    [
        (11, 5, "11 hosts are too few"),
        (12, 4, "4 days are too short"),
    ],
)
def test_story_needs_room(hosts: int, days: int, expected: str) -> None:
    """Too small a fleet is refused with the value seen and the least that will do."""
    with pytest.raises(UsageProblem, match=expected) as caught:
        Fleet.plan(7, end=END, hosts=hosts, days=days)
    assert caught.value.remedy


def test_end_needs_a_zone() -> None:
    """A naive time is a mistake of the caller."""
    with pytest.raises(ValueError, match="without a zone"):
        Fleet.plan(7, end=END.replace(tzinfo=None))
