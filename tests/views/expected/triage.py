# SPDX-License-Identifier: Apache-2.0
"""What the triage of Install Pending has to show of its last thirty days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import product

from tests.views.asked import MISSING
from tests.views.expected.grouping import (
    Expected,
    added_up,
    every,
    grouped,
    hosts,
    iso,
    newest,
)
from tests.views.expected.overview import agents
from tests.views.expected.remedies import remedied
from tests.views.facts import Change, Facts
from tests.views.table import Row

_AGES = (
    ("less than 1 day", 0, 1),
    ("1 to 7 days", 1, 7),
    ("7 to 30 days", 7, 30),
    ("more than 30 days", 30, 10_000),
)
_CYCLES = (
    ("up to 1", 0, 1),
    ("2 to 6", 2, 6),
    ("7 to 29", 7, 29),
    ("30 and more", 30, 10_000),
)


def _recurring(facts: Facts) -> list[Change]:
    return [
        one
        for one in facts.failing
        if (one.cycles >= 2 or one.relapse) and one.cause != "not_installed"
    ]


def _oldest(facts: Facts) -> str | None:
    begins = [one.since for one in facts.failing if one.since]
    return iso(min(begins)) if begins else None


def _age(facts: Facts) -> list[Row]:
    def age(one: Change) -> str:
        assert one.since is not None
        days = (facts.now - one.since) / timedelta(days=1)
        (label,) = (name for name, begin, end in _AGES if begin < days <= end)
        return label

    return grouped(
        facts.failing, {"Age": age, "Cause": lambda one: one.cause}, {"Hosts": hosts}
    )


def _policy(facts: Facts) -> list[Row]:
    """Add up first refusals for a missing right; the panel has 25 hours of its own."""
    first = [
        one
        for one in facts.changes
        if one.cause == "privilege" and one.cycles == 1 and one.cycle_opened
    ]
    each = grouped(
        first,
        {"Time": every(hours=1), "Domain": lambda one: one.domain or MISSING},
        {"First refusals so far": len},
    )
    return added_up(each, "Time", "First refusals so far")


def _burn_down(facts: Facts) -> list[Row]:
    each = grouped(
        [one for one in facts.changes if one.began or one.ended],
        {"Time": every(hours=12)},
        {
            "Begun so far": lambda group: sum(one.began for one in group),
            "Ended so far": lambda group: sum(one.ended for one in group),
        },
    )
    begun = added_up(
        [_without(row, "Ended so far") for row in each], "Time", "Begun so far"
    )
    ended = added_up(
        [_without(row, "Begun so far") for row in each], "Time", "Ended so far"
    )
    return [one | other for one, other in zip(begun, ended, strict=True)]


def _without(row: Row, column: str) -> Row:
    return {name: value for name, value in row.items() if name != column}


def _until_recovery(facts: Facts) -> list[Row]:
    def bar(one: Change) -> str:
        (label,) = (
            name for name, least, most in _CYCLES if least <= one.cycles <= most
        )
        return label

    return grouped(
        [one for one in facts.changes if one.ended and one.state == "recovered"],
        {"Cycles": bar, "Cause": lambda one: one.cause},
        {"Recoveries": len},
    )


def _causes(facts: Facts) -> list[Row]:
    return grouped(
        facts.failing,
        {
            "Cause": lambda one: one.cause,
            "Root code": lambda one: one.root_code or MISSING,
        },
        {"Hosts": hosts, "Agents": len},
    )


def _rights(facts: Facts) -> list[Row]:
    return grouped(
        remedied(facts, lambda remedy: remedy.rights),
        {"User right": lambda one: one[1]},
        {
            "Hosts": lambda group: hosts(one for one, _ in group),
            "Last seen": lambda group: newest(one for one, _ in group),
        },
    )


def _accounts(facts: Facts) -> list[Row]:
    return grouped(
        remedied(
            facts,
            lambda remedy: map("\n".join, product(remedy.account, remedy.references)),
        ),
        {
            "Account": lambda one: one[1].partition("\n")[0],
            "Article": lambda one: one[1].partition("\n")[2],
        },
        {"Hosts": lambda group: hosts(one for one, _ in group)},
    )


def _by_cycles(facts: Facts) -> list[Row]:
    return [
        row
        | {
            "Refusals": one.refusals,
            "Episodes": one.episode,
            "Relapse": one.relapse,
            "Remedy": one.cause,
        }
        for one, row in agents(facts)
    ]


def _relapsed(changes: Iterable[Change]) -> list[Change]:
    return [one for one in changes if one.relapse and one.began]


PANELS = {
    "Hosts pending": Expected(lambda f: [{"Hosts pending": hosts(f.failing)}]),
    "Recurring": Expected(lambda f: [{"Hosts recurring": hosts(_recurring(f))}]),
    "Relapsed": Expected(lambda f: [{"Hosts relapsed": hosts(_relapsed(f.changes))}]),
    "Pending since": Expected(lambda f: [{"Oldest episode began": _oldest(f)}]),
    "Age of what is pending": Expected(_age, ("Hosts", "desc")),
    "One policy or single machines?": Expected(
        _policy, ("First refusals so far", "desc")
    ),
    "Burn-down after a fix": Expected(_burn_down),
    "Cycles until recovery": Expected(_until_recovery, ("Recoveries", "desc")),
    "Causes and codes": Expected(_causes, ("Hosts", "desc")),
    "Rights that may be missing": Expected(_rights, ("Hosts", "desc")),
    "Accounts and articles": Expected(_accounts, ("Hosts", "desc")),
    "Hosts and agents by cycles": Expected(_by_cycles, ("Cycles", "desc")),
}
