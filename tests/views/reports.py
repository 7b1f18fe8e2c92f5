# SPDX-License-Identifier: Apache-2.0
"""What the collectors say of themselves and of the logs."""

from __future__ import annotations

from datetime import datetime, timedelta

from shipper.enrich import CollectorReport, SourceReport
from tests.views.facts import Reported
from tests.views.stories import FLEET, NOW, STORIES

_FLEETS = [log.host.name for log in FLEET.logs]
#: Its log has bytes that nobody has read yet.
BEHIND = _FLEETS[0]


def ago(hours: float) -> datetime:
    """Return a time before now."""
    return NOW - timedelta(hours=hours)


def ms(moment: datetime) -> int:
    """Return a time in milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def _source(
    host: str,
    record: float | None = 1,
    read: float | None = 1,
    *,
    seen: float = 20 * 24,
    status: str = "ok",
    at: float = 0.5,
    unread: tuple[int, float] | None = None,
    log: str = "clisvc",
) -> Reported:
    """Report a log; times are hours ago."""
    size, since = unread or (0, None)
    report = SourceReport(
        host=host,
        log=log,
        path=f"/fleet/{host}/{log}.log",
        status=status,
        first_seen_ms=ms(ago(seen)),
        last_ok_ms=None if read is None else ms(ago(read)),
        last_record_ms=None if record is None else ms(ago(record)),
        unread_bytes=size,
        unread_since_ms=None if since is None else ms(ago(since)),
    )
    return Reported(collector="collector1", at=ago(at), report=report)


def _collector(
    name: str, minutes: float, *, dead: int = 0, lost: int = 0, waits: float = 0
) -> Reported:
    """Let a collector report itself, so many minutes ago; bytes waited ``waits``."""
    at = NOW - timedelta(minutes=minutes)
    report = CollectorReport(
        name=name,
        sources={"ok": 17},
        unread_bytes=512 if waits else 0,
        unread_since_ms=ms(at - timedelta(minutes=waits)) if waits else None,
        dead_lettered_delta=dead,
        lost_bytes_delta=lost,
    )
    return Reported(collector=name, at=at, report=report)


REPORTS = (
    *(_source(host) for host in (*_FLEETS, *STORIES)),
    # Two logs of one host, and what was so hours ago.
    _source(BEHIND, unread=(512, 2)),
    _source(BEHIND, unread=(64, 1.75), log="sinv32"),
    _source(BEHIND, unread=(2048, 2.25), at=1.5),
    _source(BEHIND, unread=(4096, 9), at=3),
    _source(BEHIND, unread=(128, 21), at=20),
    _source(BEHIND, unread=(256, 29), at=28),
    # Newest record on both sides of 25 and 49 hours and of 30 days.
    _source("record24", 24),
    _source("record26", 26),
    _source("record48", 48),
    _source("record50", 50, seen=4 * 24),
    _source("record29d", 29 * 24),
    _source("record31d", 31 * 24, seen=40 * 24),
    _source("seen2d", 50, seen=2.5 * 24),
    # Read on both sides of 2 and 25 hours.
    _source("read1", 54, 1.5),
    _source("read3", 51, 3),
    _source("read24", 52, 24),
    _source("read26", 53, 26, status="unreachable"),
    _source("read72", 80, 72, status="unreachable"),
    _source("never", None, None, status="missing"),
    # Reported on both sides of 70 minutes and of a quarter of an hour.
    _source("record26", 26, status="busy", at=65 / 60),
    _source("record50", 50, status="locked", at=80 / 60, seen=4 * 24),
    _collector("collector1", 10, dead=100, lost=45, waits=120),
    _collector("collector1", 5, dead=20),
    _collector("collector1", 95, waits=15),
    _collector("collector1", 20 * 60, dead=300, lost=200, waits=75),
    _collector("collector1", 26 * 60, dead=1000, lost=1000, waits=600),
    _collector("collector2", 17, dead=7, lost=3, waits=30),
    _collector("collector3", 13),
    _collector("collector4", 3),
)
