# SPDX-License-Identifier: Apache-2.0
"""One look at one file: open, compare, read, compare again, close."""

from __future__ import annotations

from msgspec import Struct

from shipper.records import Progress, Source
from shipper.tail.framing import NUL_RUN
from shipper.tail.identity import (
    ANCHOR_BYTES,
    HEAD_BYTES,
    IDENTITY_BYTES,
    FirstTime,
    Head,
    Identity,
    digest,
    identify,
    newline,
    rfind_unit,
)
from shipper.tail.life import Life
from shipper.tail.opener import Kept, LogFile, LookError, Opener, Trouble

#: How far back the end of the last complete line is looked for.
_LAST_LINE_WINDOW = 64 * 1024
_BLOCK = 64 * 1024


class Found(Struct, frozen=True, kw_only=True):
    """A file proven to hold the generation.

    Attributes:
        path: its path.
        size: bytes, by the handle.
        beginning: its first bytes, at most 1,024.
        start: offset of ``data[0]``.
        data: from 256 bytes before the read position on.
        last_line_end: end of its last complete line.
        kept: it lies in the spool, and nobody writes to it.
    """

    path: str
    size: int
    beginning: bytes
    start: int
    data: bytes
    last_line_end: int
    kept: bool


class NotFound(Struct, frozen=True, kw_only=True):
    """A file that does not hold the generation, or holds it no longer.

    Attributes:
        differs: it holds other bytes before the read position; if not, it is too short
            to tell.
        nul: some of those bytes are runs of NUL, which may be text tomorrow.
    """

    differs: bool
    nul: bool = False


class Candidate(Struct, frozen=True, kw_only=True):
    """A file that may hold a generation not known yet.

    Attributes:
        path: its path.
        size: bytes, by the handle.
        beginning: its first bytes, at most 4 KiB.
        identity: the generation, or ``None`` while it is too short to tell.
        origin: where reading of it can begin: not at 0 if it is a rest.
        kept: what it is a copy of, if it lies in the spool.
    """

    path: str
    size: int
    beginning: bytes
    identity: Identity | None
    origin: Progress
    kept: Kept | None

    def head(self, identity: Identity) -> Head:
        """Return the proof to begin with: all there is, but no NUL bytes after a name.

        They may be text tomorrow.
        """
        nul = self.beginning.find(NUL_RUN, identity.length)
        return Head.of(self.beginning[: None if nul < 0 else nul])


def probe(
    opener: Opener, path: str, life: Life, *, read_bytes: int
) -> Found | NotFound:
    """Read on in ``path`` if it is proven to hold ``life``.

    Raises:
        LookError: the file cannot be looked at, or changed meanwhile.
    """
    with opener.open(path) as file:
        return look(file, path, life, read_bytes=read_bytes)


def look(file: LogFile, path: str, life: Life, *, read_bytes: int) -> Found | NotFound:
    """Read on in an open file if it is proven to hold ``life``.

    Raises:
        LookError: the file cannot be read, or changed meanwhile.
    """
    if file.kept is not None and file.kept.start > max(0, life.position):
        return NotFound(differs=False)  # it lacks what comes next
    size = file.size()
    beginning = file.pread(0, HEAD_BYTES)
    if not life.head.matches(beginning):
        compared = beginning[: life.head.length]
        whole = len(compared) == life.head.length
        return NotFound(differs=whole, nul=NUL_RUN in compared)
    start = max(0, life.position - ANCHOR_BYTES)
    before = life.position - start
    data = file.pread(start, before + read_bytes)
    if len(data) < before:
        return NotFound(differs=False)
    if not life.proven_by(data[:before]):
        return NotFound(differs=True, nul=NUL_RUN in data[:before])
    # What was read counts only if the file was still the same one afterwards.
    again = file.pread(0, HEAD_BYTES)
    if again[: len(beginning)] != beginning:
        raise LookError(Trouble.UNDECIDED, "the file changed while it was read")
    return Found(
        path=path,
        size=max(size, start + len(data)),
        beginning=again,
        start=start,
        data=data,
        last_line_end=_last_line_end(file, size, start, data, life),
        kept=file.kept is not None,
    )


def examine(
    opener: Opener,
    path: str,
    source: Source,
    first_time: FirstTime,
    *,
    at_end: bool,
) -> Candidate:
    """Identify the generation that ``path`` holds.

    Raises:
        LookError: the file cannot be looked at.
    """
    with opener.open(path) as file:
        size = file.size()
        beginning = file.pread(0, IDENTITY_BYTES)
        kept, origin = file.kept, Progress()
        if kept is not None and kept.start:
            before = file.pread(kept.start, ANCHOR_BYTES)
            origin = Progress(offset=kept.start + len(before), anchor=digest(before))
    identity = identify(
        beginning,
        host=source.host,
        log=source.log,
        first_time=first_time,
        at_end=at_end,
    )
    return Candidate(
        path=path,
        size=size,
        beginning=beginning,
        identity=identity,
        origin=origin,
        kept=kept,
    )


def is_copy(opener: Opener, path: str, of: str, start: int = 0) -> bool:
    """Tell whether the file ``of`` holds all that ``path`` does, from ``start`` on.

    Raises:
        LookError: one of them cannot be looked at.
    """
    with opener.open(path) as copy, opener.open(of) as file:
        position, size = start, copy.size()
        while position < size:
            block = copy.pread(position, _BLOCK)
            if not block or file.pread(position, len(block)) != block:
                return False
            position += len(block)
    return True


def _last_line_end(
    file: LogFile, size: int, start: int, data: bytes, life: Life
) -> int:
    """Return where the last complete line ends, looking at the file's end if needed."""
    if start + len(data) < size:
        start = max(life.position, size - _LAST_LINE_WINDOW) & ~1
        data = file.pread(start, size - start)
    end = newline(life.encoding)
    found = rfind_unit(data, end, 0, len(data))
    return life.position if found < 0 else max(life.position, start + found + len(end))
