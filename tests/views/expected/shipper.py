# SPDX-License-Identifier: Apache-2.0
"""What shipper health has to show of its last day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from shipper.enrich import CollectorReport, SourceReport
from tests.views.asked import MISSING
from tests.views.expected.grouping import (
    Expected,
    every,
    grouped,
    hosts,
    iso_of,
)
from tests.views.facts import Facts, Reported
from tests.views.reports import ms
from tests.views.table import Row


def _collectors(facts: Facts) -> list[CollectorReport]:
    return [one.itself for one in facts.reports if one.itself]


def _young(facts: Facts, **span: int) -> list[Reported]:
    """Return reports on logs that are not older."""
    since = facts.now - timedelta(**span)
    return [one for one in facts.reports if one.source and one.at >= since]


def _reporting(facts: Facts) -> int:
    since = facts.now - timedelta(minutes=15)
    return len({x.collector for x in facts.reports if x.itself and x.at >= since})


def _waiting(group: Iterable[Reported]) -> str | None:
    since = (one.source.unread_since_ms for one in group if one.source)
    return iso_of(min((ms for ms in since if ms), default=0))


def _sources(group: Iterable[Reported]) -> list[SourceReport]:
    return [one.source for one in group if one.source]


def _unread(facts: Facts) -> list[Row]:
    return grouped(
        [one for one in facts.reports if one.source],
        {"Host": lambda one: one.host, "Time": every(hours=1)},
        {
            "Unread": lambda group: max(x.unread_bytes for x in _sources(group)),
        },
    )


def _lag(one: Reported) -> int:
    """Return how long the oldest bytes had waited, in milliseconds."""
    since = one.itself.unread_since_ms if one.itself else None
    return ms(one.at) - since if since else 0


def _lags(facts: Facts) -> list[Row]:
    return grouped(
        [one for one in facts.reports if one.itself],
        {"Collector": lambda one: one.collector, "Time": every(minutes=30)},
        {"Lag": lambda group: max(map(_lag, group))},
    )


def _by_status(facts: Facts) -> list[Row]:
    def status(one: Reported) -> str:
        return one.source.status if one.source else ""

    return grouped(
        _young(facts, minutes=70),
        {"Status": status},
        {
            "Hosts": hosts,
            "Last read": lambda group: iso_of(
                max(one.last_ok_ms or 0 for one in _sources(group))
            ),
            "Waiting since": _waiting,
        },
    )


PANELS = {
    "Collectors reporting": Expected(lambda f: [{"Collectors": _reporting(f)}]),
    "Dead letters": Expected(
        lambda f: [
            {"Dead-lettered": sum(one.dead_lettered_delta for one in _collectors(f))}
        ]
    ),
    "Lost": Expected(
        lambda f: [{"Lost": sum(one.lost_bytes_delta for one in _collectors(f))}]
    ),
    "Oldest unread byte": Expected(
        lambda f: [{"Waiting since": _waiting(_young(f, hours=2))}]
    ),
    "Records by collector": Expected(
        lambda f: grouped(
            [one for one in f.records if one.collector],
            {"Collector": lambda one: one.collector, "Time": every(minutes=30)},
            {"Records": len},
        ),
        ("Records", "desc"),
    ),
    "Unread bytes": Expected(_unread, ("Unread", "desc")),
    "Ingest lag": Expected(_lags, ("Lag", "desc")),
    "Sources by status": Expected(_by_status, ("Hosts", "desc")),
    "Parse quality": Expected(
        lambda f: grouped(
            f.records,
            {"Quality": lambda one: one.quality, "Time": every(minutes=30)},
            {"Records": len},
        ),
        ("Records", "desc"),
    ),
    "Pipeline errors": Expected(
        lambda f: grouped(
            [one for one in f.records if one.broken],
            {
                "Collector": lambda one: one.collector or MISSING,
                "Time": every(minutes=30),
            },
            {"Documents": len},
        ),
        ("Documents", "desc"),
    ),
}
