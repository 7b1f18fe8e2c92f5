# SPDX-License-Identifier: Apache-2.0
"""When a record was written, whatever its dialect."""

from __future__ import annotations

from shipper.parse.envelope import END, opens, read_envelope
from shipper.parse.grammar import read_trailer
from shipper.parse.stamp import Stamp


def stamp_of(text: str) -> Stamp | None:
    """Return the local time a line carries, or ``None``."""
    stamp = trailer_stamp(text)
    if stamp is None and END in text:
        return read_envelope(text).stamp
    return stamp


def trailer_stamp(text: str) -> Stamp | None:
    """Return the time of a line's trailer: with one it is a legacy record."""
    trailer = read_trailer(text)
    return None if trailer is None else trailer.stamp


def has_envelope(text: str) -> bool:
    """Tell whether a line begins or ends a record in an envelope."""
    marked = END in text or opens(text)
    return marked and ("$$" not in text or trailer_stamp(text) is None)


def first_time(line: bytes) -> int | None:
    """Tell whether a line is a timed record, or ends one, and when it was written.

    Of a record of several lines it is the last one that has the time.

    Args:
        line: one line in any encoding; line end and byte order mark may be there.

    Returns:
        Local wall clock in milliseconds since 1970 on that clock, good for putting
        records of one machine in order; ``None`` if the line has no time of its own.
    """
    if b"=" not in line and b"-" not in line:
        return None
    # Both dialects' marks are ASCII in every code page; in UTF-16 that is ASCII and
    # NULs.
    stamp = stamp_of(line.replace(b"\0", b"").decode("latin-1"))
    return None if stamp is None else stamp.seconds * 1000 + stamp.millis
