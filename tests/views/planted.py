# SPDX-License-Identifier: Apache-2.0
"""What the panels are asked about: the demo fleet, and what is planted beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from shipper.demo.fleet import DEFAULT_TIMEZONE, AgentTruth, Ending, Fleet
from shipper.enrich import (
    CollectorReport,
    SourceReport,
    collector_status,
    source_status,
)
from shipper.records import Source
from tests.enrich.story import (
    DAY,
    HOUR,
    OFFERS,
    START,
    Shipped,
    line,
    lines,
    ship,
    triple,
    works,
)

NOW = datetime(2003, 3, 14, 12, 30, tzinfo=UTC)
BEGIN = NOW - timedelta(days=30)
NAMESPACE = "views"
DOMAIN = "corp.example"
FLEET = Fleet.plan(7, end=NOW, hosts=15)
FAILING = (Ending.INSTALL_PENDING, Ending.INTEGRITY_FAILED)
#: Seconds of the stories' time at which the planted logs begin.
PLANTED = (NOW - timedelta(days=5) - START).total_seconds()


def source_of(name: str, domain: str = "") -> Source:
    """Return the source of a host's log."""
    return Source(
        host=name,
        domain=domain,
        log="clisvc",
        directory=f"/fleet/{name}",
        path=f"/fleet/{name}/Clisvc.log",
        explicit_host=True,
    )


def domain_of(number: int) -> str:
    """Return the domain of the host of that number: every other one has one."""
    return DOMAIN if number % 2 else ""


def told() -> Iterator[Shipped]:
    """Yield the documents of the fleet, and of what it lacks."""
    for number, log in enumerate(FLEET.logs):
        source = source_of(log.host.name, domain_of(number))
        whole = b"".join(log.truth.lines)
        yield from ship(whole, source=source, timezone=DEFAULT_TIMEZONE)
    relapse = b"".join(
        (
            lines(triple(OFFERS), PLANTED),
            works(OFFERS, PLANTED + DAY),
            lines(triple(OFFERS), PLANTED + 4.5 * DAY),
        )
    )
    yield from ship(relapse, source=source_of("relapsed", DOMAIN))
    odd = line(
        "Unable to create the Client Service Account. Win32 Error: 1326", PLANTED
    )
    odd += line("a line of another program", PLANTED, thread=None)
    yield from ship(odd, source=source_of("odd"))


def reports() -> Iterator[bytes]:
    """Yield what the collector says: a silent host, an unreachable one, a backlog."""
    now_ms = int(NOW.timestamp() * 1000)
    hour_ms = int(HOUR * 1000)
    names = [log.host.name for log in FLEET.logs]
    record = dict.fromkeys(names, 1) | {"silent": 5 * 24, "unreachable": 80}
    read = {"unreachable": 3 * 24}
    for name, hours in record.items():
        behind = name == names[0]
        report = SourceReport(
            host=name,
            log="clisvc",
            path=f"/fleet/{name}/Clisvc.log",
            status="ok" if name != "unreachable" else "unreachable",
            first_seen_ms=now_ms - 20 * 24 * hour_ms,
            last_ok_ms=now_ms - read.get(name, 1) * hour_ms,
            last_record_ms=now_ms - hours * hour_ms,
            unread_bytes=512 if behind else 0,
            unread_since_ms=now_ms - 2 * hour_ms if behind else None,
        )
        yield source_status(report, now_ms - hour_ms // 2, NAMESPACE)
    for minutes, dead, lost in ((10, 100, 45), (5, 20, 0)):
        yield collector_status(
            CollectorReport(
                name="collector1",
                sources={"ok": 17},
                unread_bytes=512,
                unread_since_ms=None,
                dead_lettered_delta=dead,
                lost_bytes_delta=lost,
            ),
            now_ms - minutes * 60_000,
            NAMESPACE,
        )


def stamped(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with what the sink adds to each."""
    document["observer"] = {"name": "collector1", "product": "clisvc-shipper"}
    document["event"]["ingested"] = NOW.isoformat()
    return document


def truths() -> list[tuple[int, str, str, AgentTruth]]:
    """Return what is true: number of the host, host, agent, and its story."""
    return [
        (number, log.host.name, agent, truth)
        for number, log in enumerate(FLEET.logs)
        for agent, truth in log.truth.agents.items()
    ]
