# SPDX-License-Identifier: Apache-2.0
"""Which machines there are, and what is going to happen to each."""

from __future__ import annotations

from random import Random

from msgspec import Struct, structs

from shipper.demo.fleet.dice import dice
from shipper.demo.fleet.stamp import DAY_MS, HOUR_MS, MINUTE_MS, Dial
from shipper.demo.fleet.wording import (
    ACCESS_DENIED,
    HARDWARE,
    OFFERS,
    PRIVILEGE_NOT_HELD,
    SOFTWARE,
    Application,
)

#: The policy change lies this long before the end: every host has met it after 23 h,
#: and once more 23 h later.
POLICY_AGE_MS = 60 * HOUR_MS
#: The two machines with a trouble of their own meet it in the second day, so that a
#: fleet's days have to leave room for half a day of peace before the policy change.
OWN_TROUBLE_MS = 1 * DAY_MS
INTEGRITY_AGE_MS = 34 * HOUR_MS

_DEPARTMENTS = ("acct", "eng", "hr", "lab", "mail", "ops")
_QUIRKY = 3  # hosts per peculiarity


class Trouble(Struct, frozen=True, kw_only=True):
    """What stops some of a host's applications from starting.

    Attributes:
        since_ms: from this instant on, in milliseconds since 1970.
        code: 1314 or 5.
        applications: the ones concerned.
        mended: it is over at the host's last launch list.
        glued: its records stand on one line, as in KB828371.
    """

    since_ms: int
    code: int
    applications: tuple[Application, ...]
    mended: bool = False
    glued: bool = False


class Host(Struct, frozen=True, kw_only=True):
    """A machine of the fleet.

    Attributes:
        name: short name, lower case; also its folder's name.
        dial: its clock.
        trouble: what befalls it, or ``None``.
        restarts_ms: instants at which its client service restarts, ascending.
        windows_9x: thread ids are above 2^31 (Q236596).
        local_text: some records hold cp1252 text.
        damaged: some records have a spoilt trailer.
    """

    name: str
    dial: Dial
    trouble: Trouble | None = None
    restarts_ms: tuple[int, ...] = ()
    windows_9x: bool = False
    local_text: bool = False
    damaged: bool = False


def roster(seed: int, count: int, start_ms: int, end_ms: int) -> tuple[Host, ...]:
    """Draw up the machines of a fleet.

    A third loses a user right to a policy change at one moment, a quarter of these get
    it back; two have the same trouble on their own, days earlier; on one a program does
    not match its checksum; the others are well.

    Args:
        seed: decides everything.
        count: number of machines.
        start_ms: first instant of the story, in milliseconds since 1970.
        end_ms: its last.
    """
    chance = dice(seed, "roster")
    names = _names(chance, count)
    hosts = [
        Host(
            name=name,
            dial=_dial(chance),
            trouble=trouble,
            restarts_ms=_restarts(dice(seed, name), trouble, start_ms, end_ms),
        )
        for name, trouble in zip(names, _troubles(count, start_ms, end_ms), strict=True)
    ]
    # Windows 9x knows no user rights, so none of those can be refused one.
    for index in range(1, 1 + _QUIRKY):
        hosts[-index] = structs.replace(hosts[-index], windows_9x=True)
    for index in chance.sample(range(count), _QUIRKY):
        hosts[index] = structs.replace(hosts[index], local_text=True)
    for index in chance.sample(range(count), _QUIRKY):
        hosts[index] = structs.replace(hosts[index], damaged=True)
    # One service is restarted five times in an hour; that is one cycle, not five.
    begin = end_ms - POLICY_AGE_MS + chance.randrange(3 * HOUR_MS, 10 * HOUR_MS)
    flapping = tuple(begin + turn * 11 * MINUTE_MS for turn in range(5))
    hosts[0] = structs.replace(hosts[0], restarts_ms=flapping)
    return tuple(sorted(hosts, key=lambda host: host.name))


def _names(chance: Random, count: int) -> list[str]:
    stations = [
        f"ws-{department}{number:02d}"
        for department in _DEPARTMENTS
        for number in range(1, 1 + count)
    ]
    numbered = chance.sample(range(1, 1000 + count), count - count // 4)
    names = chance.sample(stations, count // 4) + [f"pc{n:04d}" for n in numbered]
    chance.shuffle(names)
    return names


def _troubles(count: int, start_ms: int, end_ms: int) -> list[Trouble | None]:
    concerned = ((OFFERS,), (OFFERS, SOFTWARE), (SOFTWARE,))
    hit = count // 3
    policy = [
        Trouble(
            since_ms=end_ms - POLICY_AGE_MS,
            code=PRIVILEGE_NOT_HELD,
            applications=concerned[number % len(concerned)],
            mended=number >= hit - hit // 4,
            glued=number == 1,
        )
        for number in range(hit)
    ]
    own = [
        Trouble(
            since_ms=start_ms + OWN_TROUBLE_MS,
            code=PRIVILEGE_NOT_HELD,
            applications=applications,
        )
        for applications in ((OFFERS,), (SOFTWARE,))
    ]
    integrity = Trouble(
        since_ms=end_ms - INTEGRITY_AGE_MS,
        code=ACCESS_DENIED,
        applications=(HARDWARE,),
    )
    well = [None] * (count - len(policy) - len(own) - 1)
    return [*policy, *own, integrity, *well]


def _dial(chance: Random) -> Dial:
    return chance.choice(
        (
            Dial(),
            Dial(),
            Dial(timezone="America/Los_Angeles", named=True),
            Dial(timezone="America/Los_Angeles", named=True, stuck=True),
            Dial(timezone="Europe/London", named=True),
        )
    )


def _restarts(
    chance: Random, trouble: Trouble | None, start_ms: int, end_ms: int
) -> tuple[int, ...]:
    """Return when a service restarts: after trouble more often than else."""
    moments = [
        chance.randrange(start_ms + 2 * HOUR_MS, end_ms - HOUR_MS)
        for _ in range(chance.choice((0, 0, 1)))
    ]
    if trouble is not None and chance.choice((True, False)):
        moments.append(trouble.since_ms + chance.randrange(HOUR_MS, 20 * HOUR_MS))
    return tuple(sorted(moments))
