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
from tests.views.facts import ACCOUNT_CODES
from tests.views.retold import Line

NOW = datetime(2003, 3, 14, 12, 30, tzinfo=UTC)
DOMAIN = "corp.example"
FLEET = Fleet.plan(7, end=NOW, hosts=15)
_CYCLE = 23  # hours
_GAP = timedelta(milliseconds=10)


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
        """Its lines with their times; what follows at once does so by :data:`_GAP`.

        A line without a trailer has the time of the one before.
        """
        begins = {NOW - timedelta(hours=ago): texts for ago, texts in self.told.items()}
        return [
            (begin + number * _GAP * (text != FOREIGN), text)
            for begin, texts in begins.items()
            for number, text in enumerate(texts)
        ]


def _runs(program: Program) -> list[str]:
    return [*attempt(program), scheduled(COPIER)]


def _mends(cycles: int) -> Story:
    """Tell of an agent refused in so many cycles, until two days ago."""
    told = {48.0 + back * _CYCLE: triple(OFFERS) for back in range(cycles, 0, -1)}
    return Story(told=told | {48.0: _runs(OFFERS)})


def _tampered(program: Program) -> list[str]:
    return [*attempt(program), INTEGRITY, echo(program, "0x5"), VERIFY_5]


def _repair() -> list[str]:
    return [needed("Software Inventory", "verified"), failed(SOFTWARE), echo(SOFTWARE)]


_GONE = "No longer assigned to S01"
_UNUSABLE = "Unable to create the Client Service Account. Win32 Error: 1326"
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
    # Pending on both sides of a week and of thirty days.
    "days6": Story(told={6 * 24: triple(OFFERS)}),
    "days8": Story(told={8 * 24: triple(OFFERS)}),
    "days10": Story(told={10 * 24: triple(OFFERS)}),
    "days25": Story(
        told={
            26 * 24: triple(OFFERS),
            25.5 * 24: _runs(OFFERS),
            25 * 24: [*_tampered(HARDWARE), *triple(OFFERS)],
        }
    ),
    "days33": Story(told={33 * 24: [*_tampered(HARDWARE), *triple(OFFERS)]}),
    "hours20": Story(told={20: triple(SOFTWARE)}),
    "within25": Story(domain=DOMAIN, told={24.5: triple(OFFERS)}),
    "before25": Story(domain=DOMAIN, told={26: triple(OFFERS)}),
    "mended": Story(told={30: triple(OFFERS), 6: _runs(OFFERS), 1: _runs(OFFERS)}),
    "mended25": Story(told={60: triple(OFFERS), 25: _runs(OFFERS)}),
    "mended2": _mends(2),
    "mended6": _mends(6),
    "mended7": _mends(7),
    "mended29": _mends(29),
    "mended30": _mends(30),
    # Mended before anything that is failing now began to.
    "longago": Story(told={40 * 24: triple(OFFERS), 39 * 24: _runs(OFFERS)}),
    "gone": Story(told={90: triple(OFFERS), 50: [_GONE]}),
    # Each relapses, from another state or into another one.
    "back": Story(told={96: triple(OFFERS), 72: [_GONE], 36: triple(OFFERS)}),
    "healthy": Story(
        told={
            100: triple(OFFERS),
            77: _runs(OFFERS),
            54: _runs(OFFERS),
            31: triple(OFFERS),
        }
    ),
    "unverified": Story(
        told={
            60: [failed(OFFERS), echo(OFFERS)],
            40: _runs(OFFERS),
            3: [failed(OFFERS), echo(OFFERS)],
        }
    ),
    "repaired": Story(told={61: _repair(), 41: _runs(SOFTWARE), 4: _repair()}),
    "fixed": Story(
        told={50: _tampered(SOFTWARE), 30: _runs(SOFTWARE), 10: _tampered(SOFTWARE)}
    ),
    # Two agents, of which one is worse.
    "both": Story(
        told={
            **dict.fromkeys((95, 72, 49, 26, 3), _tampered(HARDWARE)),
            2: triple(OFFERS),
        }
    ),
    # Not installed yet, for the second time within a week.
    "waiting": Story(
        told={
            40: [needed("Software Inventory")],
            20: _runs(SOFTWARE),
            8: [needed("Software Inventory")],
        }
    ),
    "causeless": Story(told={9: [echo(HARDWARE)]}),
    "nosymbol": Story(told={10: [failed(HARDWARE, 4711), echo(HARDWARE)]}),
    "notamper": Story(told={11: [failed(HARDWARE, 5), echo(HARDWARE, "0x5")]}),
    "nofile": Story(told={70: [INTEGRITY, echo(HARDWARE, "0x5"), VERIFY_5]}),
    "tampered": Story(told={45: _tampered(HARDWARE)}),
    "noaccount": Story(
        told={15: ["No SIDs found for account mask SMSCliSvcAcct"]},
        collector="",
        broken=True,
    ),
    "odd": Story(
        broken=True,
        told={28: [_UNUSABLE], 20: [_UNUSABLE], 13: [_UNUSABLE, FOREIGN]},
    ),
    **{
        f"account{code}": Story(
            told={9 * 24: [failed(OFFERS, int(code)), echo(OFFERS)]}
        )
        for code in ACCOUNT_CODES
    },
}
