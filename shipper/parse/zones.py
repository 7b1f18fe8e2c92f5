# SPDX-License-Identifier: Apache-2.0
"""Time zones: which one a record's time is in, and what that is in UTC.

The Standard or Daylight in a zone name is no evidence: records of July say Standard
(Q308945), and one that does is shown beside its UTC time, an hour off (Q303279). The
name gives the zone and the date decides.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct
from tzlocal.windows_tz import win_tz

from shipper.errors import ShipperError
from shipper.parse.stamp import Stamp
from shipper.records import Moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: How the bias behind a time is to be taken (``input.bias_sign``).
BiasSign = Literal["ccm", "inverted", "ignore"]
_FACTORS: dict[BiasSign, int | None] = {"ccm": 1, "inverted": -1, "ignore": None}


class UnknownZoneError(ShipperError, ValueError):
    """A setting names a time zone that does not exist.

    Args:
        setting: the setting's name.
        name: its value.
    """

    def __init__(self, setting: str, name: str) -> None:
        super().__init__(
            f'{setting}: there is no time zone "{name}".',
            remedy="Use an IANA name such as America/Chicago, or a Windows name "
            "such as Central Standard Time.",
        )
        self.setting = setting


class Zones(Struct, frozen=True, kw_only=True):
    """What is known about the zone of a source's records.

    A record that names its zone overrides all of it. For the others the first that is
    given counts, in the order below; without any, UTC is assumed.

    Attributes:
        host_zone: the host's own setting.
        default_zone: the setting for all hosts.
        machine_zone: zone of this machine, where it is the one that wrote the log.
        aliases: zone names as logs write them, each with its zone.
        bias_sign: what a number behind the time of an envelope means: ``ccm`` minutes
            to add for UTC, as Windows has it and legacy records have it always;
            ``inverted`` to subtract, as some scripts write it; ``ignore`` nothing, so
            that the zones above count.

    Raises:
        UnknownZoneError: a zone is neither an IANA nor a Windows name.
    """

    host_zone: str | None = None
    default_zone: str | None = None
    machine_zone: str | None = None
    aliases: Mapping[str, str] = {}
    bias_sign: BiasSign = "ccm"

    def __post_init__(self) -> None:
        for setting in ("host_zone", "default_zone", "machine_zone"):
            name = getattr(self, setting)
            if name is not None:
                _required(setting, name)
        for alias, name in self.aliases.items():
            _required(f'zones."{alias}"', name)


class Calendar:
    """Puts the local times of one source into UTC.

    Args:
        zones: its settings.
    """

    def __init__(self, zones: Zones) -> None:
        self._aliases = {
            _folded(alias): _required(alias, name)
            for alias, name in zones.aliases.items()
        }
        self._factor = _FACTORS[zones.bias_sign]
        self._fallback = ("UTC", "assumed-utc")
        for source, setting in (
            ("machine", "machine_zone"),
            ("configured", "default_zone"),
            ("host", "host_zone"),
        ):
            name = getattr(zones, setting)
            if name is not None:
                self._fallback = (_required(setting, name), source)

    def moment(self, stamp: Stamp) -> tuple[Moment, bool]:
        """Give a local time's second in UTC.

        A time that occurred twice is the first of the two. One that never was, in the
        hour left out in spring, counts as if the clock had not been put forward.

        Returns:
            The second, and whether the zone the record names (if any) is known.
        """
        if stamp.bias is not None and self._factor is not None:
            bias = stamp.bias * self._factor
            epoch_s = stamp.seconds + bias * 60
            return moment_at(epoch_s, _offset(-bias), "record"), True
        named = self._named(stamp.zone) if stamp.zone else None
        zone, source = (named, "record") if named else self._fallback
        local = _EPOCH + timedelta(seconds=stamp.seconds)
        local = local.replace(tzinfo=ZoneInfo(zone))
        first = _seconds(local.utcoffset())
        second = _seconds(local.replace(fold=1).utcoffset())
        moment = moment_at(
            stamp.seconds - first, zone, source, ambiguous=first > second
        )
        return moment, named is not None or not stamp.zone

    def _named(self, name: str) -> str | None:
        folded = _folded(name)
        for spelling in (folded, folded.replace("daylight time", "standard time")):
            zone = self._aliases.get(spelling) or _windows_zones().get(spelling)
            if zone is not None:
                return zone
        return None


def moment_at(
    epoch_s: int, timezone: str, source: str, *, ambiguous: bool = False
) -> Moment:
    """Make a moment from seconds since 1970, UTC."""
    text = (_EPOCH + timedelta(seconds=epoch_s)).strftime("%Y-%m-%dT%H:%M:%S")
    return Moment(
        text=text,
        epoch_s=epoch_s,
        timezone=timezone,
        source=source,
        ambiguous=ambiguous,
    )


def _required(setting: str, name: str) -> str:
    """Give the IANA name for an IANA or Windows name."""
    zone = _windows_zones().get(_folded(name)) or _iana_zones().get(name.casefold())
    if zone is None:
        raise UnknownZoneError(setting, name)
    return zone


def _folded(name: str) -> str:
    return " ".join(
        name.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()
    ).casefold()


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else round(offset.total_seconds())


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


@cache
def _windows_zones() -> Mapping[str, str]:
    own = resources.files(__package__).joinpath("data", "zones.toml").read_text("utf-8")
    names = {**win_tz, **tomllib.loads(own)["zones"]}
    return {_folded(name): zone for name, zone in names.items()}


@cache
def _iana_zones() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}
