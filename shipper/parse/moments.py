# SPDX-License-Identifier: Apache-2.0
"""The seconds that records are of, worked out once for all records of a second."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from msgspec import Struct

from shipper.parse.stamp import read_stamp
from shipper.parse.zones import Calendar, Zones, moment_at
from shipper.records import Moment

_CACHED = 4096  # entries of each cache
_SECONDS = {f":{second:02}": second for second in range(60)}

#: A time to borrow: milliseconds since 1970 in UTC, zone, source.
Near = tuple[int, str, str]

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Neighbour(Struct, frozen=True, kw_only=True):
    """Time of the last timed record of a generation.

    Attributes:
        epoch_ms: milliseconds since 1970, UTC.
        timezone: zone of that record.
    """

    epoch_ms: int
    timezone: str

    @property
    def near(self) -> Near:
        """Its time, to be borrowed."""
        return self.epoch_ms, self.timezone, "neighbour"


class Moments:
    """Finds the moments of one source's records.

    Args:
        zones: what is known about the zone of its records.

    Attributes:
        seconds: moments with the quality of their reading, by time and zone as spelt,
            with a dot between: what could be the same once joined is kept apart.
    """

    def __init__(self, zones: Zones) -> None:
        self.seconds: dict[str, tuple[Moment, str]] = {}
        self.of = Calendar(zones).moment
        self._minutes: dict[str, tuple[Moment, str]] = {}
        self._borrowed: dict[Near, Moment] = {}

    def second(self, time: str, rest: str) -> tuple[Moment, str] | None:
        """Work out a second, and keep it.

        Args:
            time: date and time up to the seconds, as spelt.
            rest: what stands behind the milliseconds: year and zone, or bias.

        Returns:
            Its moment and quality; ``None`` if this one needs care.
        """
        # Since 1980 offsets are whole minutes, so only the first second of one needs
        # the calendar.
        seconds = _SECONDS.get(time[-3:])
        start = f"{time[:-2]}00.000{rest}"
        minute = self._minutes.get(start) or self._minute(start)
        if seconds is None or minute is None:
            return None
        moment, quality = minute
        moment = Moment(
            text=f"{moment.text[:-2]}{time[-2:]}",
            epoch_s=moment.epoch_s + seconds,
            timezone=moment.timezone,
            source=moment.source,
            ambiguous=moment.ambiguous,
        )
        return keep(self.seconds, f"{time}.{rest}", (moment, quality))

    def borrowed(self, near: Near) -> tuple[Moment, int]:
        """Return moment and milliseconds of a record without a time of its own."""
        epoch_ms, timezone, source = near
        epoch_s, millis = divmod(epoch_ms, 1000)
        key = epoch_s, timezone, source
        moment = self._borrowed.get(key)
        if moment is None:
            moment = keep(self._borrowed, key, moment_at(*key))
        return moment, millis

    def _minute(self, start: str) -> tuple[Moment, str] | None:
        stamp = read_stamp(start)
        if stamp is None or not stamp.sound:
            return None
        moment, known = self.of(stamp)
        return keep(self._minutes, start, (moment, "exact" if known else "repaired"))


def keep(cache: dict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    """Put a value into a bounded cache, and return it."""
    if len(cache) >= _CACHED:
        cache.clear()
    cache[key] = value
    return value
