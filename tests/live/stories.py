# SPDX-License-Identifier: Apache-2.0
"""A fleet with every story that raises an alert, and every one that must not."""

from __future__ import annotations

from tests.enrich.story import (
    COPIER,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    VERIFY_5,
    attempt,
    echo,
    failed,
    iso,
    line,
    lines,
    triple,
    works,
)
from tests.live.planting import MINUTE, NOW, Planted, ago, first_refusals

_CRASH = "An exception was raised in the application 'Software Inventory Agent'."
_INSTALL = 'Component "Software Inventory" needs to be installed'
_GONE = "No longer assigned to S01"


def refused(*hours: float) -> bytes:
    """Let the offer data provider be refused with 1314, so many hours ago."""
    return b"".join(lines(triple(OFFERS), ago(each)) for each in hours)


def tampered(hours: float) -> bytes:
    """Let the checksum of the offer data provider be wrong."""
    texts = [*attempt(OFFERS), INTEGRITY, echo(OFFERS, "0x5"), VERIFY_5]
    return lines(texts, ago(hours))


def crashed(*hours: float) -> bytes:
    """Let the software inventory end with an exception."""
    return b"".join(line(_CRASH, ago(each)) for each in hours)


def _quiet(fleet: Planted) -> None:
    """Plant what nobody has to look at."""
    restarts = [refused(3 - each / 6) for each in range(5)]
    fleet.log("restarts", b"".join(restarts), domain="one.example")
    fleet.log("firstday", lines([_INSTALL], ago(5)))
    # A second cycle each, of 1999 and of the year after next.
    fleet.log("backfill", refused(30_000, 29_977), ingested=ago(1))
    fleet.log("ahead", refused(-17_520, -17_543), ingested=ago(1))
    fleet.log("code5", lines([failed(OFFERS, 5), echo(OFFERS, "0x5")], ago(2)))
    fleet.log("twocrashes", crashed(3, 2))
    fleet.log("twocrashes", crashed(3, 2))  # sent again after a rollover
    for number in range(4):  # one fewer than is consistent with a policy change
        fleet.log(f"four{number}", refused(2), domain="four.example")
    removed = refused(100) + line(_GONE, ago(80))
    fleet.log("removed", removed)
    fleet.source("removed", record=ago(80), read=ago(1))
    fleet.source("unreachable", record=ago(60), read=ago(30))
    fleet.source("retired", record=ago(24 * 31), read=ago(1))
    fleet.source("writing", record=ago(20), read=ago(1))
    # It came back after a second cycle, and another log says so.
    fleet.log(
        "clears", lines(triple(SOFTWARE), ago(40)) + lines(triple(SOFTWARE), ago(17))
    )
    fleet.log(
        "clears", line("Software Inventory Agent cycle started", ago(1)), log="sinv32"
    )


def _loud(fleet: Planted) -> None:
    """Plant what somebody has to look at."""
    fleet.log("weekend", refused(72, 2))
    fleet.log("weeklong", refused(*(2 + 24 * back for back in range(6, -1, -1))))
    relapse = refused(144) + works(OFFERS, ago(120)) + refused(48)
    fleet.log("relapse", relapse)
    # Fifteen cycles after the relapse: at none of the steps for days.
    again = refused(460) + works(OFFERS, ago(400))
    again += refused(*(2 + 24 * back for back in range(14, -1, -1)))
    fleet.log("longrelapse", again)
    # Its clock was years ahead for a day; that it works is not of now.
    fleet.log("badclock", refused(72, 2) + works(OFFERS, ago(-17_520)))
    # Half a hotfix, more than a day ago.
    for number in range(12):
        old = tampered(40).replace(b"ODPUSR32", b"ODPWNT32")
        fleet.log(f"older{number:02d}", old)
    base = lines(triple(COPIER), ago(25)) + lines(triple(COPIER), ago(1))
    fleet.log("ccim", base)
    fleet.log("onlyone", tampered(2).replace(b"ODPUSR32", b"ODPSYS32"))
    for number in range(200):
        fleet.log(f"hotfix{number:03d}", tampered(3))
    fleet.log("crashes", crashed(20, 3, 2))
    fleet.source("silent", record=ago(50), read=ago(1))
    fleet.log("failsilent", refused(60))
    fleet.source("failsilent", record=ago(60), read=ago(1))
    for body in first_refusals((f"gpo{n:05d}" for n in range(20_000)), "big.example"):
        fleet.document("sms.state", body, iso(ago(0.9)))


def _collectors(fleet: Planted) -> None:
    for minutes in range(10):
        fleet.collector("c1", NOW - minutes * MINUTE)
    # Off for two days, and a host behind it that it read last before.
    fleet.collector("off", ago(48))
    fleet.source(
        "behind", record=ago(49), read=ago(48), collector="off", status=ago(48)
    )
    # Off for half an hour: what it said of its hosts is still young.
    fleet.collector("justoff", ago(0.5))
    fleet.source("behind2", record=ago(60), read=ago(0.6), collector="justoff")
    fleet.collector("refusing", ago(0.2), dead_lettered_delta=300)
    fleet.collector("refusing", ago(0.1))
    fleet.collector("slow", ago(0.1), oldest_unread=iso(ago(2)))
    fleet.collector("caughtup", ago(0.2), oldest_unread=iso(ago(2)))
    fleet.collector("caughtup", ago(0.1), oldest_unread=iso(ago(0.1)))
    fleet.collector("busy", ago(0.1), oldest_unread=iso(ago(0.8)))
    for name, number in (("broken", 10), ("shaky", 9)):
        fleet.collector(name, ago(0.1))
        for _ in range(number):
            body = {"@timestamp": iso(ago(0.1)), "event": {"kind": "pipeline_error"}}
            fleet.document("sms.clisvc", body, iso(ago(0.1)), name)


def stories(namespace: str) -> Planted:
    """Plant all of them."""
    planted = Planted(namespace)
    _quiet(planted)
    _loud(planted)
    _collectors(planted)
    return planted
