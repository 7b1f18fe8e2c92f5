# SPDX-License-Identifier: Apache-2.0
"""Frames and parses a log that comes in pieces, as a reader does."""

from __future__ import annotations

from msgspec.structs import replace

from shipper.parse import Neighbour, Parser
from shipper.records import Chunk, Encoding, Record
from shipper.tail import frame


def read(
    parser: Parser,
    pieces: list[bytes],
    *,
    max_line_bytes: int,
    read_ms: int,
    encoding: Encoding = Encoding.ANSI,
    neighbour: Neighbour | None = None,
) -> list[Record]:
    """Return the records of the whole log; each piece is looked at once more has come.

    What the parser leaves for later is given again, with what follows.
    """
    records: list[Record] = []
    rest, at, skipping = b"", 0, False
    for number, piece in enumerate(pieces, start=1):
        rest += piece
        begin = at
        final = number == len(pieces)
        chunks = list(
            frame(
                rest,
                begin,
                max_line_bytes=max_line_bytes,
                encoding=encoding,
                skipping=skipping,
                final=final,
            )
        )
        left: Chunk | None = None
        for following in chunks:
            chunk = following.behind([] if left is None else [left])
            parsed = parser.parse(
                chunk,
                neighbour,
                read_ms,
                final=final and following is chunks[-1],
            )
            records += parsed.records
            neighbour, at = parsed.neighbour, parsed.end
            skipping = chunk.skipping
            left = None
            if at < chunk.end:
                left = replace(chunk, start=at, data=chunk.data[at - chunk.start :])
        rest = rest[at - begin :]
    return records
