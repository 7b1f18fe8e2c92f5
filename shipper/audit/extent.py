# SPDX-License-Identifier: Apache-2.0
"""What one file holds, looked at by itself: which generation, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from shipper.errors import InputProblem
from shipper.parse import Parser, Zones, first_time
from shipper.records import Chunk, Encoding, Source
from shipper.tail import LogFile, LookError, Opener, identify
from shipper.tail.identity import (
    IDENTITY_BYTES,
    encoding_of,
    find_unit,
    newline,
    rfind_unit,
)

_BLOCK = 64 * 1024


class Extent(Struct, frozen=True, kw_only=True):
    """What a file holds at the moment.

    Attributes:
        gen_id: the generation, by the file's beginning; empty if the file is.
        settled: what follows cannot change that any more.
        first_time: local wall clock of its first timed record, in milliseconds since
            1970, or ``None``.
        encoding: by byte order mark.
        size: bytes.
        end: end of the last complete line, in bytes; without those of a record that
            may go on.
    """

    gen_id: str
    settled: bool
    first_time: int | None
    encoding: Encoding
    size: int
    end: int


class Bounded:
    """The first bytes of a log as a stream, while the log may grow.

    Args:
        file: the open log.
        size: bytes to read.

    Attributes:
        position: bytes read.
    """

    def __init__(self, file: LogFile, size: int) -> None:
        self._file = file
        self._size = size
        self.position = 0

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, and none only at the end."""
        data = self._file.pread(self.position, min(size, self._size - self.position))
        self.position += len(data)
        return data


@contextmanager
def opened(opener: Opener, path: str) -> Iterator[LogFile]:
    """Open a log for as long as the block lasts.

    Raises:
        InputProblem: it cannot be read.
    """
    try:
        with opener.open(path) as file:
            yield file
    except LookError as error:
        raise InputProblem(
            f"{path} cannot be read: {error}.",
            remedy="Check path and permissions.",
        ) from error


def measure(file: LogFile, source: Source, max_line_bytes: int = 64 * 1024) -> Extent:
    """Tell what an open file holds.

    Args:
        file: the open file.
        source: whose log it is.
        max_line_bytes: limit of one line, and of one record of several.

    Raises:
        LookError: it cannot be read.
    """
    size = file.size()
    beginning = file.pread(0, IDENTITY_BYTES)

    settled, found = (
        identify(
            beginning,
            host=source.host,
            log=source.log,
            first_time=first_time,
            at_end=at_end,
        )
        for at_end in (False, True)
    )
    encoding = encoding_of(beginning)
    last = _last_line_end(file, size, newline(encoding))
    return Extent(
        gen_id=found.gen_id if found else "",
        settled=settled is not None,
        first_time=found.first_time if found else None,
        encoding=encoding,
        size=size,
        end=_taken(file, last, encoding, max_line_bytes),
    )


def has_envelopes(file: LogFile, size: int) -> bool:
    """Tell whether there may be records of the dialect ``ccm`` in a file."""
    before = b""
    for position in range(0, size, _BLOCK):
        data = file.pread(position, min(_BLOCK, size - position)).replace(b"\0", b"")
        if any(mark in before + data for mark in (b"![LOG[", b"]LOG]!")):
            return True
        before = data[-8:]
    return False


def _taken(file: LogFile, end: int, encoding: Encoding, limit: int) -> int:
    """Return up to where lines that end at ``end`` are taken while more may come.

    Whether the last record goes on is told by what is behind its first line, which is
    no further away than a record may be long.
    """
    unit = newline(encoding)
    start = max(0, end - limit - _BLOCK) & ~1
    data = file.pread(start, end - start)
    if start:
        first = find_unit(data, unit, 0, len(data)) + len(unit)
        start, data = start + first, data[first:]
    chunk = Chunk(start=start, data=data, end=end, encoding=encoding)
    parser = Parser(Zones(), max_record_bytes=limit)
    return parser.parse(chunk, None, 0, final=False).end


def _last_line_end(file: LogFile, size: int, end: bytes) -> int:
    """Look for the last line end from behind, however long the last line is."""
    stop = size - size % len(end)
    while stop > 0:
        start = max(0, stop - _BLOCK)
        found = rfind_unit(file.pread(start, stop - start), end, 0, stop - start)
        if found >= 0:
            return start + found + len(end)
        stop = start
    return 0
