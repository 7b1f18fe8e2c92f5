# SPDX-License-Identifier: Apache-2.0
"""What the panels are asked about, as documents and as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shipper.demo.fleet import DEFAULT_TIMEZONE
from shipper.enrich import SourceReport, collector_status, source_status
from shipper.records import Source, Stream
from tests.enrich.story import START, line, ship, trouble
from tests.views.facts import Change, Facts, HostNow, Record, Reported
from tests.views.reports import REPORTS, ms
from tests.views.retold import Line, records
from tests.views.standing import Standing
from tests.views.stories import DOMAIN, FLEET, FOREIGN, NOW, STORIES, Story

NAMESPACE = "views"
#: A host with the newer client, whose log is of another kind, and its only record.
_NEWER = Record(
    host="newer",
    collector="collector2",
    at=NOW - timedelta(hours=4),
    action="ccm-error",
    outcome="failure",
)


class _Log(Struct, frozen=True, kw_only=True):
    """A host's log: as bytes, and as lines with their times."""

    host: str
    story: Story
    data: bytes
    timezone: str
    lines: list[Line]


def told() -> Iterator[tuple[Stream, dict[str, Any]]]:
    """Yield the documents of the logs."""
    for log in _logs():
        source = source_of(log.host, log.story.domain)
        for one in ship(log.data, source=source, timezone=log.timezone):
            if log.story.broken:
                one.body["event"]["kind"] = "pipeline_error"
            yield one.stream, _stamped(one.body, log.story.collector)
    record = trouble("Something failed", _seconds(_NEWER.at))
    for one in ship(record, source=source_of(_NEWER.host)):
        yield one.stream, _stamped(one.body, _NEWER.collector)


def reports() -> Iterator[dict[str, Any]]:
    """Yield the documents of the collectors."""
    for one in REPORTS:
        match one.report:
            case SourceReport() as report:
                made = source_status(report, ms(one.at), NAMESPACE)
            case report:
                made = collector_status(report, ms(one.at), NAMESPACE)
        yield _stamped(msgspec.json.decode(made), one.collector)


@cache
def facts() -> Facts:
    """Return what is true of all that is planted."""
    found: list[Record] = []
    changes: list[Change] = []
    agents: list[Change] = []
    for log in _logs():
        read = records(log.host, log.story.collector, log.lines)
        standing = Standing(log.host, log.story.domain)
        standing.follow(read)
        found += (replace(one, broken=log.story.broken) for one in read)
        changes += standing.changes
        agents += standing.newest
    found.append(_NEWER)
    return Facts(
        now=NOW,
        records=tuple(found),
        changes=tuple(changes),
        agents=tuple(agents),
        reports=REPORTS,
        hosts=tuple(_hosts([*REPORTS, *found])),
    )


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


def _logs() -> Iterator[_Log]:
    for number, log in enumerate(FLEET.logs):
        domain = DOMAIN if number % 2 else ""
        yield _Log(
            host=log.host.name,
            story=Story(told={}, domain=domain, collector="collector1"),
            data=b"".join(log.truth.lines),
            timezone=DEFAULT_TIMEZONE,
            lines=[
                (log.host.dial.read_back(entry.ms), entry.line.decode("cp1252"))
                for entry in log.entries
            ],
        )
    for name, story in STORIES.items():
        lines = [(at, _line(at, text)) for at, text in story.lines]
        yield _Log(
            host=name,
            story=story,
            data=b"".join(raw for _, raw in lines),
            timezone="UTC",
            lines=[(at, raw.decode()) for at, raw in lines],
        )


def _hosts(known: Iterable[Reported | Record]) -> Iterator[HostNow]:
    """Yield how the log of each host is seen; of one nobody reports."""
    for name in dict.fromkeys(one.host for one in known if one.host):
        every = [one.source for one in REPORTS if one.source and one.host == name]
        yield HostNow(
            host=name,
            record=max(
                (x.last_record_ms for x in every if x.last_record_ms), default=0
            ),
            read=max((x.last_ok_ms for x in every if x.last_ok_ms), default=0),
            seen=min((x.first_seen_ms for x in every), default=0),
        )


def _stamped(document: dict[str, Any], collector: str) -> dict[str, Any]:
    """Return a document with what the sink adds to each."""
    if collector:
        document["observer"] = {"name": collector, "product": "clisvc-shipper"}
    document["event"]["ingested"] = NOW.isoformat()
    return document


def _line(at: datetime, text: str) -> bytes:
    return line(text, _seconds(at), thread=None if text == FOREIGN else 52)


def _seconds(at: datetime) -> float:
    return (at - START).total_seconds()
