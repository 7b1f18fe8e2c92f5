# SPDX-License-Identifier: Apache-2.0
"""The demo fleet, and hosts beside it, each at one side of a limit a panel has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from shipper.demo.fleet import Fleet
from tests.enrich.story import (
    COPIER,
    HARDWARE,
    INTEGRITY,
    OFFERS,
    SOFTWARE,
    VERIFY_5,
    Program,
    attempt,
    echo,
    failed,
    needed,
    scheduled,
    triple,
)
from tests.views.retold import Line

NOW = datetime(2003, 3, 14, 12, 30, tzinfo=UTC)
DOMAIN = "corp.example"
FLEET = Fleet.plan(7, end=NOW, hosts=15)
_CYCLE = 23  # hours


class Story(Struct, frozen=True, kw_only=True):
    """A host's log.

    Attributes:
        domain: of the host, or empty.
        told: what it writes, by the hours ago.
        collector: who reads it; nobody says so of some documents that are broken.
        broken: a pipeline cannot process its documents.
    """

    told: Mapping[float, list[str]]
    domain: str = ""
    collector: str = "collector2"
    broken: bool = False

    @property
    def lines(self) -> list[Line]:
        """Its lines with their times; what follows at once does so by 10 ms.

        A line without a trailer has the time of the one before.
        """
        return [
            (
                NOW
                - timedelta(hours=hours, milliseconds=-10 * number * (text != FOREIGN)),
                text,
            )
            for hours, texts in self.told.items()
            for number, text in enumerate(texts)
        ]


def _runs(program: Program) -> list[str]:
    return [*attempt(program), scheduled(COPIER)]


def _mends(cycles: int) -> Story:
    """Tell of an agent refused in so many cycles, until two days ago."""
    told = {48.0 + back * _CYCLE: triple(OFFERS) for back in range(cycles, 0, -1)}
    return Story(told=told | {48.0: _runs(OFFERS)})


#: A line without a trailer.
FOREIGN = "a line of another program"
STORIES = {
    "relapsed": Story(
        domain=DOMAIN,
        told={120: triple(OFFERS), 96: _runs(OFFERS), 12: triple(OFFERS)},
    ),
    # A relapse of five weeks ago, whose new cycle opens today.
    "again": Story(
        told={
            37 * 24: triple(SOFTWARE),
            36 * 24: _runs(SOFTWARE),
            35 * 24: triple(SOFTWARE),
            5: triple(SOFTWARE),
        }
    ),
    # Failed anew, but more than a week after it had been mended.
    "later": Story(told={300: triple(OFFERS), 276: _runs(OFFERS), 14: triple(OFFERS)}),
    "old": Story(told={8 * 24: triple(OFFERS)}),
    "within25": Story(domain=DOMAIN, told={24.5: triple(OFFERS)}),
    "before25": Story(domain=DOMAIN, told={26: triple(OFFERS)}),
    "mended": Story(told={30: triple(OFFERS), 6: _runs(OFFERS), 1: _runs(OFFERS)}),
    "mended25": Story(told={60: triple(OFFERS), 25: _runs(OFFERS)}),
    "mended6": _mends(6),
    "mended7": _mends(7),
    "mended29": _mends(29),
    "mended30": _mends(30),
    "gone": Story(told={90: triple(OFFERS), 50: ["No longer assigned to S01"]}),
    # Not installed yet, for the second time within a week.
    "waiting": Story(
        told={
            40: [needed("Software Inventory")],
            20: _runs(SOFTWARE),
            8: [needed("Software Inventory")],
        }
    ),
    "unverified": Story(told={3: [failed(OFFERS), echo(OFFERS)]}),
    "causeless": Story(told={9: [echo(HARDWARE)]}),
    "nosymbol": Story(told={10: [failed(HARDWARE, 4711), echo(HARDWARE)]}),
    "notamper": Story(told={11: [failed(HARDWARE, 5), echo(HARDWARE, "0x5")]}),
    "nofile": Story(told={70: [INTEGRITY, echo(HARDWARE, "0x5"), VERIFY_5]}),
    "tampered": Story(
        told={45: [*attempt(HARDWARE), INTEGRITY, echo(HARDWARE, "0x5"), VERIFY_5]}
    ),
    "noaccount": Story(
        told={15: ["No SIDs found for account mask SMSCliSvcAcct"]},
        collector="",
        broken=True,
    ),
    "odd": Story(
        broken=True,
        told={
            13: [
                "Unable to create the Client Service Account. Win32 Error: 1326",
                FOREIGN,
            ]
        },
    ),
}
