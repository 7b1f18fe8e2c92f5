# SPDX-License-Identifier: Apache-2.0
"""What the fleet overview has to show of its last seven days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tests.views.asked import MISSING
from tests.views.expected.grouping import (
    Expected,
    every,
    grouped,
    hosts,
    incidents,
    iso,
)
from tests.views.facts import Change, Facts, HostNow
from tests.views.reports import ms
from tests.views.table import Row

_SYMBOLS = {
    "1314": "ERROR_PRIVILEGE_NOT_HELD",
    "1003": "ERROR_CAN_NOT_COMPLETE",
    "5": "ERROR_ACCESS_DENIED",
    "232": "ERROR_NO_DATA",
    "1326": "ERROR_LOGON_FAILURE",
    "1069": "ERROR_SERVICE_LOGON_FAILED",
    "1327": "ERROR_ACCOUNT_RESTRICTION",
    "1330": "ERROR_PASSWORD_EXPIRED",
    "1331": "ERROR_ACCOUNT_DISABLED",
    "1385": "ERROR_LOGON_TYPE_NOT_GRANTED",
    "1909": "ERROR_ACCOUNT_LOCKED_OUT",
}


def silent(facts: Facts) -> list[HostNow]:
    """Return hosts that are read and say nothing, by the definition of rule R4."""
    now = facts.now
    return [
        one
        for one in facts.hosts
        if one.read >= ms(now - timedelta(hours=2))
        and ms(now - timedelta(days=30)) <= one.record < ms(now - timedelta(hours=49))
        and one.seen < ms(now - timedelta(days=3))
    ]


def _new(facts: Facts) -> list[Change]:
    day = facts.now - timedelta(hours=24)
    return [
        one
        for one in facts.failing
        if one.since and one.since >= day and one.cause != "not_installed"
    ]


def _recovered(facts: Facts) -> list[Change]:
    day = facts.now - timedelta(hours=24)
    return [one for one in facts.changes if one.state == "recovered" and one.at >= day]


def _incidents(facts: Facts) -> list[Row]:
    return grouped(
        [one for one in facts.records if one.incident],
        {"Root code": lambda one: one.root_code or MISSING, "Time": every(hours=3)},
        {"Incidents": incidents},
    )


def _coverage(facts: Facts) -> list[Row]:
    def since(**span: int) -> int:
        return ms(facts.now - timedelta(**span))

    known = [one for one in facts.hosts if one.seen]
    counts = {
        "Expected": known,
        "Reachable": [one for one in known if one.read >= since(hours=25)],
        "Reporting": [one for one in known if one.record >= since(hours=49)],
        "Silent": silent(facts),
        "Unreachable": [one for one in known if one.read < since(hours=25)],
        "Retired": [one for one in known if 0 < one.record < since(days=30)],
    }
    return [{"Hosts": name, "Count": len(of) or None} for name, of in counts.items()]


def _heat(facts: Facts) -> list[Row]:
    return grouped(
        [one for one in facts.changes if one.cycle_opened],
        {"Host": lambda one: one.host, "Day": every(days=1)},
        {"Cycles": lambda group: max(one.cycles for one in group)},
    )


def _codes(facts: Facts) -> list[Row]:
    return grouped(
        [one for one in facts.records if one.code],
        {
            "Code": lambda one: one.code,
            "Meaning": lambda one: _SYMBOLS.get(one.code, MISSING),
        },
        {"Incidents": incidents, "Hosts": hosts},
    )


def agents(facts: Facts) -> Iterator[tuple[Change, Row]]:
    """Yield the failing agents, each with what tables have of it."""
    for one in facts.failing:
        yield (
            one,
            {
                "Host": one.host,
                "Agent": one.agent,
                "Cycles": one.cycles,
                "State": one.state,
                "Cause": one.cause,
                "Root code": one.root_code or None,
                "Pending since": iso(one.since) if one.since else None,
            },
        )


def _urgent(facts: Facts) -> list[Row]:
    return [row | {"Severity": one.severity} for one, row in agents(facts)]


PANELS = {
    "Hosts reporting": Expected(lambda f: [{"Hosts reporting": hosts(f.records)}]),
    "Hosts pending now": Expected(lambda f: [{"Hosts pending": hosts(f.failing)}]),
    "New in 24 hours": Expected(lambda f: [{"Hosts newly pending": hosts(_new(f))}]),
    "Recovered in 24 hours": Expected(
        lambda f: [{"Hosts recovered": hosts(_recovered(f))}]
    ),
    "Incidents over time by root code": Expected(_incidents, ("Incidents", "desc")),
    "Coverage": Expected(_coverage),
    "Worst 50 hosts by cycles and day": Expected(_heat, ("Cycles", "desc")),
    "Agents by state": Expected(
        lambda f: grouped(
            f.failing,
            {"Agent": lambda one: one.agent, "State": lambda one: one.state},
            {"Hosts": hosts},
        ),
        ("Hosts", "desc"),
    ),
    "Top codes and their meaning": Expected(_codes, ("Incidents", "desc")),
    "Hosts by urgency": Expected(_urgent, ("Severity", "desc")),
}
