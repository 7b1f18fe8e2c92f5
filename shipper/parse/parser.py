# SPDX-License-Identifier: Apache-2.0
"""Chunks of whole lines to records.

Regular lines take a fast path: one expression, and a look-up for the second they were
written in. Everything else takes a careful one. Both give the same record for a regular
line. Where a chunk has markers of envelopes, the lines of each record are put together
first.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from shipper.parse.bundle import LEADING, Bundles, bundle
from shipper.parse.envelope import apart, read_envelope
from shipper.parse.flags import flagged
from shipper.parse.glue import split
from shipper.parse.grammar import REGULAR, read_thread, read_trailer
from shipper.parse.moments import Moments, Near, Neighbour, keep
from shipper.parse.text import BLANKS, Decoder, Line, clean
from shipper.parse.timed import has_envelope, trailer_stamp
from shipper.parse.zones import Zones
from shipper.records import Chunk, Record

_SHORT = 512  # characters; longer messages are not kept

_regular = REGULAR.fullmatch

_BORROWED = frozenset({"neighbour", "read"})  # sources of a time that is another's


class Parsed(Struct, frozen=True, kw_only=True):
    """What a chunk held.

    Attributes:
        records: in the order of the log.
        end: offset up to which the chunk was consumed, in bytes. What is behind it may
            belong to a record that goes on: it has to be given again with what follows.
        neighbour: to be passed along with the next chunk of the generation.
    """

    records: list[Record]
    end: int
    neighbour: Neighbour | None


class _EnvelopeFound(Exception):
    """Most chunks have no envelope, so they are not searched for one in advance."""


class Parser:
    """Parses the chunks of one source. Keeps caches, but nothing that matters.

    Args:
        zones: what is known about the zone of its records.
        code_page: what a line that is not valid UTF-8 is written in.
        max_record_bytes: limit of one record of several lines.

    Raises:
        UnknownCodePageError: there is no such code page.
    """

    def __init__(
        self,
        zones: Zones,
        code_page: str = "cp1252",
        *,
        max_record_bytes: int = 64 * 1024,
    ) -> None:
        self._max_record_bytes = max_record_bytes
        self._decoder = Decoder(code_page)
        # What the setting says about the bias is about envelopes.
        self._moments = Moments(replace(zones, bias_sign="ccm"))
        self._enveloped_moments = Moments(zones)
        self._seconds = self._moments.seconds
        self._threads: dict[str, int] = {}
        self._messages: dict[str, str] = {}

    def parse(
        self,
        chunk: Chunk,
        neighbour: Neighbour | None,
        read_ms: int,
        *,
        final: bool = True,
    ) -> Parsed:
        """Turn a chunk into records. Never raises, whatever the bytes are.

        A line without a time of its own has that of the nearest earlier timed record,
        or, if there is none, of the first one that begins within the first 64 KiB of
        the generation, which the lines before it wait for; with none at all, or a line
        in between that was cut, the time of reading.

        Args:
            chunk: whole lines.
            neighbour: as returned for the chunk before, ``None`` at the beginning.
            read_ms: time of reading, in milliseconds since 1970, UTC.
            final: nothing follows the chunk in its generation; otherwise a record that
                may go on is left for later, and so are lines that wait for a time.
        """
        lines = self._decoder.lines(chunk)
        near = (read_ms, "UTC", "read") if neighbour is None else neighbour.near
        if chunk.start:
            with suppress(_EnvelopeFound):
                bundles = Bundles(lines=lines, enveloped={}, end=chunk.end)
                return self._parse(chunk, bundles, near, neighbour, bundled=False)
        # A line that was cut is at the limit, so nothing goes on with it.
        ends = final or "truncated" in chunk.flags
        bundles = bundle(chunk, lines, self._max_record_bytes, ends=ends)
        if not chunk.start and neighbour is None:
            ahead = self._ahead(bundles)
            if ahead is None and not ends and bundles.end < LEADING:
                return Parsed(records=[], end=0, neighbour=None)
            near = ahead or near
        return self._parse(chunk, bundles, near, neighbour, bundled=True)

    def _parse(
        self,
        chunk: Chunk,
        bundles: Bundles,
        near: Near,
        neighbour: Neighbour | None,
        *,
        bundled: bool,
    ) -> Parsed:
        """Parse lines.

        Raises:
            _EnvelopeFound: they are not bundled, and should be.
        """
        lines, enveloped = bundles.lines, bundles.enveloped
        records: list[Record] = []
        timed: Record | None = None
        for line in lines:
            record = None if line[0] in enveloped else self._regular(line)
            if record is not None:
                records.append(record)
                timed = record
            elif line[3].strip(BLANKS):
                if not bundled and has_envelope(line[3]):
                    raise _EnvelopeFound
                if timed is not None:
                    near = timed.epoch_ms, timed.moment.timezone, "neighbour"
                for piece in self._pieces(line, near, enveloped.get(line[0])):
                    records.append(piece)
                    if piece.moment.source not in _BORROWED:
                        timed = piece
        if timed is not None:
            neighbour = Neighbour(
                epoch_ms=timed.epoch_ms, timezone=timed.moment.timezone
            )
        last = lines[-1][0] if lines and bundles.end == chunk.end else -1
        records = flagged(records, chunk, last)
        return Parsed(records=records, end=bundles.end, neighbour=neighbour)

    def _regular(self, line: Line) -> Record | None:
        """Parse a regular line; ``None`` if this one needs care."""
        start, end, raw, text = line
        found = _regular(text)
        if found is None:
            return None
        body, component, time, millis, rest, thread_text = found.groups()
        second = self._seconds.get(f"{time}.{rest}")
        second = second or self._moments.second(time, rest)
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

    def _thread(self, text: str) -> int | None:
        thread = read_thread(text) if text.endswith(")") else None
        return None if thread is None else keep(self._threads, text, thread)

    def _message(self, body: str) -> str | None:
        """Clean a message; ``None`` if it is several."""
        message = clean(body)
        if len(split(message)) > 1:
            return None
        return keep(self._messages, body, message) if len(body) < _SHORT else message

    def _careful(self, line: Line, near: Near) -> list[Record]:
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
            moment, millis = self._moments.borrowed(near)
        else:
            moment, known = self._moments.of(stamp)
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

    def _pieces(
        self, line: Line, near: Near, flags: tuple[str, ...] | None
    ) -> list[Record]:
        """Parse a line that is not regular; it has an envelope if there are flags."""
        if flags is None:
            return self._careful(line, near)
        pieces = apart(line[3])
        if len(pieces) == 1:
            return [self._enveloped(line, pieces[0], near, flags)]
        return [
            replace(self._enveloped(line, piece, near, ("glued", *flags)), sub=number)
            for number, piece in enumerate(pieces, start=1)
        ]

    def _enveloped(
        self, line: Line, piece: str, near: Near, flags: tuple[str, ...]
    ) -> Record:
        """Parse a record with an envelope, or what there is of it."""
        start, end, raw, text = line
        envelope = read_envelope(piece)
        time, bias = envelope.time, envelope.bias
        moments = self._enveloped_moments
        second = moments.seconds.get(f"{time}.{bias}") or moments.second(time, bias)
        quality = "exact" if envelope.exact else "repaired"
        if second is not None:
            moment, millis = second[0], int(envelope.millis)
            quality = quality if second[1] == "exact" else "repaired"
        else:
            quality, stamp = "repaired", envelope.stamp
            if stamp is None:
                moment, millis = moments.borrowed(near)
            else:
                moment, millis = moments.of(stamp)[0], stamp.millis
        return Record(
            start=start,
            end=end,
            raw=raw,
            original=text,
            message=envelope.message,
            component=envelope.component,
            thread=envelope.thread,
            level=envelope.level,
            user=envelope.user,
            origin=envelope.origin,
            moment=moment,
            millis=millis,
            dialect="ccm",
            quality=quality,
            flags=flags,
        )

    def _ahead(self, bundles: Bundles) -> Near | None:
        """Find the time for lines that stand before any timed record."""
        for start, _, _, text in bundles.lines:
            if start >= LEADING:
                break
            moments, stamp = self._moments, trailer_stamp(text)
            if start in bundles.enveloped:
                moments, stamp = self._enveloped_moments, read_envelope(text).stamp
            if stamp is not None:
                moment, _ = moments.of(stamp)
                epoch_ms = moment.epoch_s * 1000 + stamp.millis
                return epoch_ms, moment.timezone, "neighbour"
        return None
