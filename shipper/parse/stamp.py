# SPDX-License-Identifier: Apache-2.0
"""Local times as the trailers spell them.

=====  =============================================  ================================
L0     ``Mon Dec 04 15:41:45 1995~``                  SMS 1.x (Q153246)
L1     ``Mon Nov 15 16:54:10.112 1999``               SMS 2.0 client (Q246331)
L2     ``Thu Jul 26 14:22:53.512 2001 <zone name>``   newer client, server (Q308945)
L3     ``07-30-2018 00:00:00.620+420``                Configuration Manager server
=====  =============================================  ================================
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import Struct

_LONGEST = 120  # characters; Windows' zone names have at most 32
_WIDEST_BIAS = 14 * 60  # minutes; no zone is further from UTC
# An unset clock shows 1980; Python's calendar ends with 9999, less a day for zones.
_YEARS = range(1980, 9999)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STAMP = re.compile(
    r"""
    (?: [A-Z]{3} \s+ (?P<name> [A-Z]{3} ) \s+ (?P<monthday> \d{1,2} )
      | (?P<month> \d{1,2} ) - (?P<day> \d{1,2} ) - (?P<year> \d{4} )
    )
    \s+ (?P<hour> \d{1,2} ) : (?P<minute> \d{2} ) : (?P<second> \d{2} )
    (?: \. (?P<millis> \d{3} ) )?
    (?(name)
        \s+ (?P<lastyear> \d{4} ) (?: \s+ (?P<zone> \S.* )? | ~ )?
      | (?P<bias> [+-]{1,2} \d{1,4} )? \s*
    )
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE | re.DOTALL,
)


class Stamp(Struct, frozen=True, kw_only=True):
    """A local time that exists in the calendar.

    Attributes:
        seconds: wall clock, in seconds since 1970-01-01 00:00:00 on that clock.
        millis: milliseconds within that second, 0-999.
        zone: zone name as written, or empty.
        bias: minutes to *add* to get UTC; ``None`` if the record has none.
        sound: it is spelt as its writer spells it.
        early: it has the SMS 1.x form, which knows no milliseconds.
    """

    seconds: int
    millis: int
    zone: str = ""
    bias: int | None = None
    sound: bool = True
    early: bool = False


def looks_timed(text: str) -> bool:
    """Tell whether a text is spelt like a time, possible or not."""
    return len(text) <= _LONGEST and _STAMP.fullmatch(text.strip()) is not None


def read_stamp(text: str) -> Stamp | None:
    """Read a local time; ``None`` if it is none, such as 30 February.

    The day of the week is not compared with the date. Of two signs before a bias, as
    some scripts write them, a minus wins. A bias no zone has (more than 14 hours) is
    given as the zone name that it is not.
    """
    text = text.strip()
    found = _STAMP.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    part = found.groupdict()
    month = part["month"] or _MONTHS.find(part["name"].lower()) // 4 + 1
    year = int(part["year"] or part["lastyear"])
    try:
        local = datetime(
            year,
            int(month),
            int(part["day"] or part["monthday"]),
            int(part["hour"]),
            int(part["minute"]),
            int(part["second"]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    if year not in _YEARS:
        return None
    early = part["millis"] is None
    signed = part["bias"] or ""
    bias = int(signed.lstrip("+-")) * (-1 if "-" in signed else 1) if signed else None
    zone = part["zone"] or ""
    if bias is not None and abs(bias) > _WIDEST_BIAS:
        zone, bias = signed, None
    as_written = signed[1:].isdigit() or not signed
    return Stamp(
        seconds=round((local - _EPOCH).total_seconds()),
        millis=int(part["millis"] or 0),
        zone=zone.rstrip("~ "),
        bias=bias,
        sound="  " not in text and as_written and early == text.endswith("~"),
        early=early,
    )
