# SPDX-License-Identifier: Apache-2.0
"""What the host drill-down has to show of its last thirty days."""

from __future__ import annotations

from tests.views.asked import MISSING
from tests.views.expected.grouping import (
    Expected,
    every,
    grouped,
    hosts,
    incidents,
    iso,
    iso_of,
    newest,
)
from tests.views.expected.remedies import remedied
from tests.views.facts import Change, Facts
from tests.views.table import Row


def _agents(facts: Facts) -> list[Row]:
    return [_agent(one) for one in facts.agents]


def _agent(one: Change) -> Row:
    """Return an agent: how long it has failed is told only while it does."""
    told = one.failing
    return {
        "Host": one.host,
        "Agent": one.agent,
        "Cycles": one.cycles if told else None,
        "State": one.state,
        "Cause": one.cause if told else None,
        "Pending since": iso(one.since) if told and one.since else None,
        "Since": iso(one.at),
    }


def _logs(facts: Facts) -> list[Row]:
    return [
        {
            "Host": one.host,
            "Newest record": iso_of(one.record),
            "Last read": iso_of(one.read),
            "First seen": iso_of(one.seen),
        }
        for one in facts.hosts
        if iso_of(one.record) is not None
    ]


PANELS = {
    "Agents now": Expected(_agents, ("Cycles", "desc")),
    "Log and reachability": Expected(_logs, ("Newest record", "asc")),
    "Changes of state": Expected(
        lambda f: grouped(
            f.changes,
            {"State": lambda one: one.state, "Time": every(hours=12)},
            {"Changes": len},
        ),
        ("Changes", "desc"),
    ),
    "Incidents by agent": Expected(
        lambda f: grouped(
            [one for one in f.records if one.incident],
            {"Agent": lambda one: one.agent or MISSING, "Time": every(hours=12)},
            {"Incidents": incidents},
        ),
        ("Incidents", "desc"),
    ),
    "Windows events to look for": Expected(
        lambda f: grouped(
            remedied(f, lambda remedy: remedy.windows_events),
            {"Windows event": lambda one: one[1]},
            {
                "Hosts": lambda group: hosts(one for one, _ in group),
                "Pending since": lambda group: iso(
                    max(one.since for one, _ in group if one.since)
                ),
            },
        ),
        ("Hosts", "desc"),
    ),
    "What the client did": Expected(
        lambda f: grouped(
            [one for one in f.records if one.action],
            {
                "Action": lambda one: one.action,
                "Outcome": lambda one: one.outcome or MISSING,
            },
            {"Records": len, "Last seen": newest},
        ),
        ("Records", "desc"),
    ),
}
