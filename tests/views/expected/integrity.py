# SPDX-License-Identifier: Apache-2.0
"""What integrity and tampering has to show of its last thirty days."""

from __future__ import annotations

from datetime import timedelta

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
    oldest,
)
from tests.views.expected.overview import silent
from tests.views.facts import ACCOUNT_CODES, Facts, HostNow, Record
from tests.views.reports import ms
from tests.views.table import Row

_SAYS = {
    "account-problem": "The client service's account could not be found or made.",
    "launch-failed": "The client service could not start the program under the token"
    " account; the code is the cause.",
}


def _refused(facts: Facts) -> list[Record]:
    return [one for one in facts.records if one.action == "integrity-check-failed"]


def _account(facts: Facts) -> list[Record]:
    return [
        one
        for one in facts.records
        if one.action == "account-problem" or one.code in ACCOUNT_CODES
    ]


def _stopped(facts: Facts) -> list[HostNow]:
    """Return hosts that are read, and wrote nothing for a cycle, but not for ever."""
    now = facts.now
    return [
        one
        for one in facts.hosts
        if one.read >= ms(now - timedelta(hours=2))
        and ms(now - timedelta(days=30)) <= one.record < ms(now - timedelta(hours=25))
    ]


def _still(facts: Facts) -> list[Row]:
    return [
        {
            "Host": one.host,
            "Agent": one.agent,
            "Failing since": iso(one.since),
            "Cycles": one.cycles,
        }
        for one in facts.failing
        if one.state == "integrity_failed" and one.since
    ]


def _silent(facts: Facts) -> list[Row]:
    return [
        {
            "Host": one.host,
            "Newest record": iso_of(one.record),
            "Last read": iso_of(one.read),
        }
        for one in silent(facts)
    ]


def _techniques(facts: Facts) -> list[Row]:
    """A failed check is consistent with two; ATT&CK 19 renamed the second."""
    return [
        {"Technique": technique, "Signature": signature, "Hosts": n, "Records": records}
        for technique in ("T1554", "T1685")
        for signature, n, records in [
            (
                "Program not authorised to run",
                hosts(_refused(facts)),
                len(_refused(facts)),
            )
        ]
        if records
    ]


PANELS = {
    "Integrity failures": Expected(
        lambda f: [{"Incidents": incidents(_refused(f)) or 0}]
    ),
    "Hosts with an integrity failure": Expected(
        lambda f: [{"Hosts": hosts(_refused(f))}]
    ),
    "Logs that stopped": Expected(lambda f: [{"Hosts": hosts(_stopped(f))}]),
    "Account problems": Expected(lambda f: [{"Hosts": hosts(_account(f))}]),
    "Integrity failures over time by file": Expected(
        lambda f: grouped(
            _refused(f),
            {"File": lambda one: one.path or MISSING, "Time": every(hours=12)},
            {"Incidents": incidents},
        ),
        ("Incidents", "desc"),
    ),
    "Refused files": Expected(
        lambda f: grouped(
            _refused(f),
            {"File": lambda one: one.path or MISSING},
            {
                "Hosts": hosts,
                "Incidents": incidents,
                "First seen": oldest,
                "Last seen": newest,
            },
        ),
        ("Hosts", "asc"),
    ),
    "Agents that still fail their check": Expected(_still, ("Failing since", "asc")),
    "Silent hosts": Expected(_silent, ("Newest record", "asc")),
    "Service account failures": Expected(
        lambda f: grouped(
            _account(f),
            {"Host": lambda one: one.host, "Code": lambda one: one.code or MISSING},
            {
                "Records": len,
                "What the record says": lambda group: _SAYS[group[0].action],
                "Last seen": newest,
            },
        ),
        ("Records", "desc"),
    ),
    "Techniques": Expected(_techniques),
}
