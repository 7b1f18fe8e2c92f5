# SPDX-License-Identifier: Apache-2.0
"""What the tailer hands on: whole lines of one generation."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class Encoding(StrEnum):
    """How a generation's bytes become text; UTF-16 only by its byte order mark."""

    ANSI = "ansi"  # per line: UTF-8 if valid, otherwise the configured code page
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"


class Chunk(Struct, frozen=True, kw_only=True):
    r"""Whole lines of one generation, as read.

    Attributes:
        start: offset of ``data[0]`` in the generation, in bytes.
        data: the lines, each with its line end. The last one lacks it only when
            ``flags`` says why.
        end: offset after the last byte this chunk answers for, in bytes. It is beyond
            ``start + len(data)`` when the rest of an overlong line was skipped.
        encoding: of the whole generation.
        flags: of the *last* line: ``partial`` (no line end, the file is final),
            ``truncated`` (cut at the line limit), ``nul`` (runs of NUL bytes that
            stayed). The tailer makes such a line a chunk of its own.
        skipping: the chunk ends inside an overlong line, whose rest is to be skipped.
    """

    start: int
    data: bytes
    end: int
    encoding: Encoding = Encoding.ANSI
    flags: tuple[str, ...] = ()
    skipping: bool = False

    @property
    def gapless(self) -> bool:
        """It has all the bytes it answers for."""
        return self.end == self.start + len(self.data)

    def behind(self, chunks: Sequence[Chunk]) -> Chunk:
        """Return chunks and itself, which follow each other without a gap, as one."""
        if not chunks:
            return self
        data = b"".join((*(chunk.data for chunk in chunks), self.data))
        return replace(self, start=chunks[0].start, data=data)
