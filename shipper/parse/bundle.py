# SPDX-License-Identifier: Apache-2.0
"""Lines that make one record: those between the markers of an envelope.

Which lines belong together depends on nothing but the log's bytes: where chunks end
does not matter, because a record that may go on is left for the next chunk. A record
ends with the line that has its end marker. One that is never closed ends before the
next start marker, before a line with a legacy trailer, at the size limit, or with the
log.

A log may begin in the middle of a record, after a rotation. Its first lines are one
record if the line that ends it stands within the first 64 KiB, and none before it
begins or is another one.
"""

from __future__ import annotations

from itertools import takewhile

from msgspec import Struct

from shipper.parse.envelope import END, opens
from shipper.parse.text import BLANKS, Line
from shipper.parse.timed import has_envelope, trailer_stamp
from shipper.records import Chunk, Encoding

#: Bytes of a generation in which lines may wait for what tells their record or time.
LEADING = 64 * 1024


class Bundles(Struct, frozen=True, kw_only=True):
    """The lines of a chunk, those of one record put together.

    Attributes:
        lines: as ``Decoder.lines`` gives them; some of them are several.
        enveloped: by start, the flags of those with an envelope, or a part of one.
        end: offset behind the last of them, in bytes; what follows is left for later.
    """

    lines: list[Line]
    enveloped: dict[int, tuple[str, ...]]
    end: int


def bundle(chunk: Chunk, lines: list[Line], limit: int, *, ends: bool) -> Bundles:
    """Put the lines of each record together.

    Args:
        chunk: where they come from.
        lines: all of its lines.
        limit: most bytes of one record of several lines.
        ends: nothing follows that could go on with its last record.
    """
    begin = 0
    if chunk.start == 0:
        begin = _leading(lines, min(limit, LEADING))
        if begin < 0 and not ends:
            return Bundles(lines=[], enveloped={}, end=0)
    bundling = _Bundling(chunk, lines, limit)
    if begin > 0:
        blank = (not text.strip(BLANKS) for _, _, _, text in lines)
        bundling.join(sum(takewhile(bool, blank)), begin)
    for index in range(max(0, begin), len(lines)):
        bundling.take(index)
    return Bundles(
        lines=bundling.lines, enveloped=bundling.enveloped, end=bundling.end(ends=ends)
    )


class _Bundling:
    """Takes one line after the other, and joins those of one record."""

    def __init__(self, chunk: Chunk, lines: list[Line], limit: int) -> None:
        self.lines: list[Line] = []
        self.enveloped: dict[int, tuple[str, ...]] = {}
        self._chunk = chunk
        self._all = lines
        self._limit = limit
        self._open: int | None = None  # index of the line that began a record

    def take(self, index: int) -> None:
        """Take the next line."""
        text = self._all[index][3]
        if self._open is not None and not self._goes_on(self._open, index):
            self._open = None
        if self._open is not None:
            if END in text:
                self.join(self._open, index + 1)
                self._open = None
        elif END not in text and opens(text) and has_envelope(text):
            self._open = index
        else:
            line = self._all[index]
            if has_envelope(text):
                self.enveloped[line[0]] = ()
            self.lines.append(line)

    def end(self, *, ends: bool) -> int:
        """Return up to which offset the lines are dealt with.

        Args:
            ends: none follows that could go on with the record that is open.
        """
        if self._open is None:
            return self._chunk.end
        if not ends:
            return self._all[self._open][0]
        cut = "truncated" in self._chunk.flags
        self.join(self._open, len(self._all), *(() if cut else ("partial",)))
        return self._chunk.end

    def join(self, first: int, behind: int, *flags: str) -> None:
        """Make one of the lines from ``first`` up to the one before ``behind``."""
        start, end, raw, text = self._all[first]
        if behind - first > 1:
            last, end, last_raw, last_text = self._all[behind - 1]
            offset = self._chunk.start
            raw = self._chunk.data[start - offset : last + len(last_raw) - offset]
            texts = [self._whole(index) for index in range(first, behind - 1)]
            text = "".join((*texts, last_text))
        self.enveloped[start] = flags
        self.lines.append((start, end, raw, text))

    def _goes_on(self, first: int, index: int) -> bool:
        """Tell whether a line belongs to the open record; if not, end that one."""
        start, _, raw, text = self._all[index]
        over = start + len(raw) - self._all[first][0] > self._limit
        if over or opens(text) or trailer_stamp(text) is not None:
            self.join(first, index, *(("truncated",) if over else ()))
            return False
        return True

    def _whole(self, index: int) -> str:
        """Return a line's text with its line end."""
        start, end, raw, text = self._all[index]
        unit = 1 if self._chunk.encoding is Encoding.ANSI else 2
        return text + ("\n" if end - start - len(raw) == unit else "\r\n")


def _leading(lines: list[Line], limit: int) -> int:
    """Return how many lines at the beginning of a log end a record begun before it.

    Args:
        lines: the first ones.
        limit: most bytes of that record.

    Returns:
        That number, mostly 0; -1 if what comes next may decide.
    """
    for index, (start, _, raw, text) in enumerate(lines):
        over = start + len(raw) > limit
        if over or opens(text) or trailer_stamp(text) is not None:
            return 0
        if END in text:
            return index + 1
    return -1
