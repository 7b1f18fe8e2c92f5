# SPDX-License-Identifier: Apache-2.0
"""Times as the client prints them: local, English, with or without a zone name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

#: Zone of all hosts whose records name none; what a collector is told as its default.
DEFAULT_TIMEZONE = "America/Chicago"

_WINDOWS_NAMES = {
    "America/Los_Angeles": "Pacific {word} Time",
    "Europe/London": "GMT {word} Time",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class Dial(Struct, frozen=True, kw_only=True):
    """A host's clock and the way it writes its time.

    Attributes:
        timezone: IANA name, with offsets of whole hours.
        named: the record carries the zone's Windows name. Without it the zone is
            :data:`DEFAULT_TIMEZONE`.
        stuck: the name says *Standard* in summer too, as in Q303279.
    """

    timezone: str = DEFAULT_TIMEZONE
    named: bool = False
    stuck: bool = False

    def show(self, ms: int) -> str:
        """Return the time group of a record's trailer.

        Args:
            ms: milliseconds since 1970, UTC.
        """
        before, after = _hour(self, ms // HOUR_MS)
        minute, rest = divmod(ms % HOUR_MS, MINUTE_MS)
        second, milli = divmod(rest, SECOND_MS)
        return f"{before}{minute:02d}:{second:02d}.{milli:03d}{after}"

    def read_back(self, ms: int) -> datetime:
        """Return the instant, in UTC, that a reader makes of :meth:`show`.

        It differs from the true one only in the hour that occurs twice when summer time
        ends: the text cannot tell, and a reader takes the first.

        Args:
            ms: milliseconds since 1970, UTC.
        """
        return (
            to_utc(ms)
            .astimezone(ZoneInfo(self.timezone))
            .replace(fold=0)
            .astimezone(UTC)
        )


def to_utc(ms: int) -> datetime:
    """Return ``ms``, milliseconds since 1970, as an aware time."""
    return _EPOCH + timedelta(milliseconds=ms)


def to_ms(moment: datetime) -> int:
    """Return an aware time in whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=4096)
def _hour(dial: Dial, hour: int) -> tuple[str, str]:
    """Return what stands before the minutes and after the milliseconds."""
    local = to_utc(hour * HOUR_MS).astimezone(ZoneInfo(dial.timezone))
    day = f"{_WEEKDAYS[local.weekday()]} {_MONTHS[local.month - 1]} {local.day:02d}"
    name = ""
    if dial.named:
        word = "Daylight" if local.dst() and not dial.stuck else "Standard"
        name = " " + _WINDOWS_NAMES[dial.timezone].format(word=word)
    return f"{day} {local.hour:02d}:", f" {local.year}{name}"
