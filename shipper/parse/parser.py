# SPDX-License-Identifier: Apache-2.0
"""Chunks of whole lines to records.

Regular lines take a fast path: one expression, and a look-up for the second they were
written in. Everything else takes a careful one. Both give the same record for a regular
line.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from shipper.parse.glue import split
from shipper.parse.grammar import REGULAR, read_thread, read_trailer
from shipper.parse.stamp import read_stamp
from shipper.parse.text import BLANKS, Decoder, Line, clean
from shipper.parse.zones import Calendar, Zones, moment_at
from shipper.records import Chunk, Moment, Record

_CACHED = 4096  # entries of each cache
_SHORT = 512  # characters; longer messages are not kept
_SECONDS = {f":{second:02}": second for second in range(60)}
_LEADING = 64 * 1024  # bytes of a generation in which lines may wait for a time

_regular = REGULAR.fullmatch

_BORROWED = frozenset({"neighbour", "read"})  # sources of a time that is another's

#: A time to borrow: milliseconds since 1970 in UTC, zone, source.
_Near = tuple[int, str, str]

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


class Parsed(Struct, frozen=True, kw_only=True):
    """What a chunk held.

    Attributes:
        records: in the order of the log.
        end: offset up to which the chunk was consumed, in bytes.
        neighbour: to be passed along with the next chunk of the generation.
    """

    records: list[Record]
    end: int
    neighbour: Neighbour | None


class Parser:
    """Parses the chunks of one source. Keeps caches, but nothing that matters.

    Args:
        zones: what is known about the zone of its records.
        code_page: what a line that is not valid UTF-8 is written in.

    Raises:
        UnknownCodePageError: there is no such code page.
    """

    def __init__(self, zones: Zones, code_page: str = "cp1252") -> None:
        self._calendar = Calendar(zones)
        self._decoder = Decoder(code_page)
        self._seconds: dict[str, tuple[Moment, str]] = {}
        self._minutes: dict[str, tuple[Moment, str]] = {}
        self._threads: dict[str, int] = {}
        self._messages: dict[str, str] = {}
        self._borrowed: dict[tuple[int, str, str], Moment] = {}

    def parse(self, chunk: Chunk, neighbour: Neighbour | None, read_ms: int) -> Parsed:
        """Turn a chunk into records. Never raises, whatever the bytes are.

        A line without a time of its own has that of the nearest earlier timed record,
        or, if there is none, of the first one within the first 64 KiB of the
        generation as far as this chunk shows it; with none at all the time of reading.

        Args:
            chunk: whole lines.
            neighbour: as returned for the chunk before, ``None`` at the beginning.
            read_ms: time of reading, in milliseconds since 1970, UTC.
        """
        lines = self._decoder.lines(chunk)
        records: list[Record] = []
        timed: Record | None = None
        near: _Near | None = None
        if neighbour is not None:
            near = neighbour.epoch_ms, neighbour.timezone, "neighbour"
        for line in lines:
            record = self._regular(line)
            if record is not None:
                records.append(record)
                timed = record
            elif line[3].strip(BLANKS):
                if timed is not None:
                    near = timed.epoch_ms, timed.moment.timezone, "neighbour"
                elif near is None:
                    near = self._ahead(lines) or (read_ms, "UTC", "read")
                pieces = self._careful(line, near)
                records += pieces
                if pieces[-1].moment.source not in _BORROWED:
                    timed = pieces[-1]
        if chunk.flags and lines:
            _flag(records, lines[-1][0], chunk.flags)
        if timed is not None:
            neighbour = Neighbour(
                epoch_ms=timed.epoch_ms, timezone=timed.moment.timezone
            )
        return Parsed(records=records, end=chunk.end, neighbour=neighbour)

    def _regular(self, line: Line) -> Record | None:
        """Parse a regular line; ``None`` if this one needs care."""
        start, end, raw, text = line
        found = _regular(text)
        if found is None:
            return None
        body, component, time, millis, rest, thread_text = found.groups()
        # The dot keeps apart what could be the same once joined.
        spelling = f"{time}.{rest}"
        second = self._seconds.get(spelling) or self._second(spelling, time, rest)
        thread = self._threads.get(thread_text) or self._thread(thread_text)
        message = self._messages.get(body) or self._message(body)
        if second is None or thread is None or message is None:
            return None
        moment, quality = second
        return Record(
            start=start,
            end=end,
            raw=raw,
            original=text,
            message=message,
            component=component,
            thread=thread,
            moment=moment,
            millis=int(millis),
            quality=quality,
        )

    def _second(self, spelling: str, time: str, rest: str) -> tuple[Moment, str] | None:
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
        return _keep(self._seconds, spelling, (moment, quality))

    def _minute(self, start: str) -> tuple[Moment, str] | None:
        stamp = read_stamp(start)
        if stamp is None or not stamp.sound:
            return None
        moment, known = self._calendar.moment(stamp)
        return _keep(self._minutes, start, (moment, "exact" if known else "repaired"))

    def _thread(self, text: str) -> int | None:
        thread = read_thread(text) if text.endswith(")") else None
        return None if thread is None else _keep(self._threads, text, thread)

    def _message(self, body: str) -> str | None:
        """Clean a message; ``None`` if it is several."""
        message = clean(body)
        if len(split(message)) > 1:
            return None
        return _keep(self._messages, body, message) if len(body) < _SHORT else message

    def _careful(self, line: Line, near: _Near) -> list[Record]:
        """Parse any line; several records if it is glued."""
        start, end, raw, text = line
        trailer = read_trailer(text)
        body, component, thread = text, "", None
        dialect = quality = "plain"
        stamp = None
        if trailer is not None:
            body, component, thread = trailer.body, trailer.component, trailer.thread
            dialect, quality = "legacy", "exact" if trailer.exact else "repaired"
            stamp = trailer.stamp
        if stamp is None:
            moment, millis = self._borrow(near)
        else:
            moment, known = self._calendar.moment(stamp)
            millis = stamp.millis
            quality = quality if known else "repaired"
        pieces = split(clean(body))
        glued = len(pieces) > 1
        return [
            Record(
                start=start,
                end=end,
                raw=raw,
                sub=number if glued else 0,
                original=text,
                message=clean(piece),
                component=component,
                thread=thread,
                moment=moment,
                millis=millis,
                dialect=dialect,
                quality=quality,
                flags=("glued",) if glued else (),
            )
            for number, piece in enumerate(pieces, start=1)
        ]

    def _ahead(self, lines: list[Line]) -> _Near | None:
        """Find the time for lines that stand before any timed record."""
        for start, _, _, text in lines:
            if start >= _LEADING:
                break
            trailer = read_trailer(text)
            if trailer is not None and trailer.stamp is not None:
                moment, _ = self._calendar.moment(trailer.stamp)
                epoch_ms = moment.epoch_s * 1000 + trailer.stamp.millis
                return epoch_ms, moment.timezone, "neighbour"
        return None

    def _borrow(self, near: _Near) -> tuple[Moment, int]:
        epoch_ms, timezone, source = near
        epoch_s, millis = divmod(epoch_ms, 1000)
        key = epoch_s, timezone, source
        moment = self._borrowed.get(key)
        if moment is None:
            moment = _keep(self._borrowed, key, moment_at(*key))
        return moment, millis


def _keep(cache: dict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    if len(cache) >= _CACHED:
        cache.clear()
    cache[key] = value
    return value


def _flag(records: list[Record], start: int, flags: tuple[str, ...]) -> None:
    """Mark the records of the line at ``start``, the last one."""
    for index in range(len(records) - 1, -1, -1):
        record = records[index]
        if record.start != start:
            break
        records[index] = replace(record, flags=record.flags + flags)
