# SPDX-License-Identifier: Apache-2.0
"""What the shipper says about its sources and itself, as ECS documents.

They tell of now, not of the log, so they are no function of it: without them a host
that has fallen silent and a collector that has died could not be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from shipper.enrich.members import ECS_VERSION, printable
from shipper.records import Stream


class SourceReport(Struct, frozen=True, kw_only=True):
    """How a source is doing. Times are milliseconds since 1970, UTC.

    Attributes:
        host: whose log it is.
        log: logical name of the log.
        path: path of the active log.
        status: what the last look found, as ``clisvc status`` words it.
        first_seen_ms: the first look.
        last_ok_ms: the last successful look; ``None`` if there was none.
        last_record_ms: the newest record; ``None`` if there was none.
        unread_bytes: seen on the disk, and neither acknowledged nor given up.
        unread_since_ms: since when the oldest of them have been; ``None`` without any.
    """

    host: str
    log: str
    path: str
    status: str
    first_seen_ms: int
    last_ok_ms: int | None
    last_record_ms: int | None
    unread_bytes: int
    unread_since_ms: int | None


class CollectorReport(Struct, frozen=True, kw_only=True):
    """How a collector is doing.

    Attributes:
        name: the collector's machine.
        sources: logs it follows, by what the last look found.
        unread_bytes: as of a source, of all of them.
        unread_since_ms: as of a source, the oldest.
        dead_lettered_delta: bytes that became dead letters since the report before.
        lost_bytes_delta: bytes lost since then.
    """

    name: str
    sources: Mapping[str, int]
    unread_bytes: int
    unread_since_ms: int | None
    dead_lettered_delta: int
    lost_bytes_delta: int


def source_status(report: SourceReport, now_ms: int, namespace: str) -> bytes:
    """Return the document ``source-status``.

    Args:
        report: how the source is doing.
        now_ms: milliseconds since 1970, UTC.
        namespace: data stream namespace.
    """
    state: dict[str, object] = {
        "status": report.status,
        "first_seen": _iso(report.first_seen_ms),
        "unread_bytes": report.unread_bytes,
    }
    for name, ms in (
        ("last_read_ok", report.last_ok_ms),
        ("last_record", report.last_record_ms),
        ("oldest_unread", report.unread_since_ms),
    ):
        if ms is not None:
            state[name] = _iso(ms)
    path = printable(report.path)
    return _document(
        "source-status",
        f"{report.host}: {report.log} is {report.status},"
        f" {report.unread_bytes:,} bytes unread",
        now_ms,
        namespace,
        host={"name": report.host, "os": {"type": "windows"}},
        log={"level": "info", "file": {"path": path}},
        sms={
            "host": {"name": report.host},
            "log": {"name": report.log},
            "source": state,
        },
    )


def collector_status(report: CollectorReport, now_ms: int, namespace: str) -> bytes:
    """Return the document ``collector-status``; arguments as for a source."""
    total = sum(report.sources.values())
    # Also without any: the newest of several reports then says that it caught up.
    since = now_ms if report.unread_since_ms is None else report.unread_since_ms
    state: dict[str, object] = {
        "sources": total,
        "sources_by_status": [
            {"status": status, "count": count}
            for status, count in sorted(report.sources.items())
        ],
        "unread_bytes": report.unread_bytes,
        "oldest_unread": _iso(since),
        "lag": now_ms - since,
        "dead_lettered_delta": report.dead_lettered_delta,
        "lost_bytes_delta": report.lost_bytes_delta,
    }
    trouble = report.dead_lettered_delta or report.lost_bytes_delta
    return _document(
        "collector-status",
        f"{report.name}: {total:,} logs, {report.unread_bytes:,} bytes unread,"
        f" {report.dead_lettered_delta:,} refused and"
        f" {report.lost_bytes_delta:,} lost since the last report",
        now_ms,
        namespace,
        log={"level": "error" if trouble else "info"},
        sms={"shipper": state},
    )


def _document(
    action: str, message: str, now_ms: int, namespace: str, **members: object
) -> bytes:
    document = {
        "event": {
            "kind": "metric",
            "category": ["host"],
            "type": ["info"],
            "action": action,
            "module": "sms",
            "dataset": Stream.SHIPPER,
        },
        "@timestamp": _iso(now_ms),
        "message": message,
        "ecs": {"version": ECS_VERSION},
        "data_stream": {
            "type": "logs",
            "dataset": Stream.SHIPPER,
            "namespace": namespace,
        },
        **members,
    }
    return msgspec.json.encode(document)


def _iso(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z"
