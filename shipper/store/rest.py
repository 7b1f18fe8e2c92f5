# SPDX-License-Identifier: Apache-2.0
"""A rest of a log in the outage spool: its name, its format, reading it.

The file holds the beginning of the log and its bytes from shortly before the first one
that is not acknowledged, so that head and anchor prove it like the log itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from shipper.records import Generation, Source
from shipper.tail import IDENTITY_BYTES, Kept, LocalOpener, LogFile

_BLOCK = 256 * 1024
_NAME = re.compile(
    r"(?P<source>[0-9a-f]{24})\.(?P<gen_id>[0-9a-v]{20})\.(?P<life>\d+)"
    r"\.(?P<start>\d+)-(?P<end>\d+)\.spool"
)

#: Digest of the source's key, id of the generation, number of its life.
RestName = tuple[str, str, int]


def rest_name(source: Source, generation: Generation) -> RestName:
    """Return under which name a generation is kept."""
    return source_digest(source), generation.gen_id, generation.life


def source_digest(source: Source) -> str:
    """Return what stands for a source in names of files (24 characters)."""
    named = source.key.encode("utf-8", "surrogateescape")
    return blake2b(named, digest_size=12).hexdigest()


class Rest(Struct, frozen=True, kw_only=True):
    """A rest, as the name of its file says.

    Attributes:
        folder: the spool.
        source: digest of the source's key.
        gen_id: whose rest it is.
        life: of the same.
        start: first byte beside the beginning; 0 if the beginning is part of it.
        end: offset after the last byte.
    """

    folder: Path
    source: str
    gen_id: str
    life: int
    start: int
    end: int

    @classmethod
    def of(
        cls, folder: Path, source: Source, generation: Generation, start: int, end: int
    ) -> Rest:
        """Return the rest of a generation that a folder is to hold."""
        digest, gen_id, life = rest_name(source, generation)
        return cls(
            folder=folder,
            source=digest,
            gen_id=gen_id,
            life=life,
            start=start,
            end=end,
        )

    @classmethod
    def named(cls, path: Path) -> Rest | None:
        """Return what a file's name says; ``None`` if it is no rest."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            return None
        return cls(
            folder=path.parent,
            source=match["source"],
            gen_id=match["gen_id"],
            life=int(match["life"]),
            start=int(match["start"]),
            end=int(match["end"]),
        )

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self.end - self.start + (IDENTITY_BYTES if self.start else 0)

    @property
    def path(self) -> str:
        """Its file, whose name says all of this."""
        name = f"{self.source}.{self.gen_id}.{self.life}.{self.start}-{self.end}.spool"
        return str(self.folder / name)

    @property
    def name(self) -> RestName:
        """Under which name it is kept."""
        return self.source, self.gen_id, self.life

    @property
    def whole(self) -> bool:
        """The file is as long as its name says."""
        try:
            return os.stat(self.path).st_size == self.size  # noqa: PTH116 - text
        except OSError:
            return False

    def open(self) -> LogFile:
        """Open it like the log; raises :class:`shipper.tail.LookError`."""
        return _RestFile(self)

    def blocks(self, file: LogFile) -> Iterator[bytes]:
        """Yield what goes into it from the log itself; less if that was truncated."""
        if self.start:
            yield file.pread(0, IDENTITY_BYTES)
        position = self.start
        while position < self.end:
            block = file.pread(position, min(_BLOCK, self.end - position))
            if not block:
                return
            yield block
            position += len(block)


class _RestFile:
    """A rest, with all positions as in the log."""

    def __init__(self, rest: Rest) -> None:
        self._file = LocalOpener().open(rest.path)
        self._rest = rest
        self.kept: Kept | None = Kept(life=rest.life, start=rest.start)

    def size(self) -> int:
        """Return the size of the log when it was copied."""
        return self._rest.end

    def pread(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``; none of what it lacks."""
        start = self._rest.start
        if start and offset < IDENTITY_BYTES:
            length = min(length, IDENTITY_BYTES - offset)
        elif start:
            offset += IDENTITY_BYTES - start
            if offset < IDENTITY_BYTES:
                return b""
        return self._file.pread(offset, length)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)
