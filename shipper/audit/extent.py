# SPDX-License-Identifier: Apache-2.0
"""What one file holds, looked at by itself: which generation, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from shipper.errors import InputProblem
from shipper.parse import first_time
from shipper.records import Encoding, Source
from shipper.tail import LogFile, LookError, Opener, identify
from shipper.tail.identity import IDENTITY_BYTES, encoding_of, newline, rfind_unit

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
        end: end of the last complete line, in bytes.
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


def measure(file: LogFile, source: Source) -> Extent:
    """Tell what an open file holds; raises :class:`LookError`."""
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
    return Extent(
        gen_id=found.gen_id if found else "",
        settled=settled is not None,
        first_time=found.first_time if found else None,
        encoding=encoding,
        size=size,
        end=_last_line_end(file, size, newline(encoding)),
    )


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
