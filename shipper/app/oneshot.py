# SPDX-License-Identifier: Apache-2.0
"""One file or stream to documents, without state, network or other files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from shipper.app.assembly import Assembly
from shipper.parse import first_time
from shipper.records import Event, Generation, Observation, Progress, Source
from shipper.tail import Life, Reading, frame, identify

_BLOCK = 256 * 1024


class Readable(Protocol):
    """Bytes, one after the other."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, and none only at the end."""
        ...


def documents(
    stream: Readable, source: Source, assembly: Assembly, *, max_line_bytes: int
) -> Iterator[Event]:
    """Yield the events of a log as if history began with it.

    Args:
        stream: the log's bytes, from the first on.
        source: whose log it is.
        assembly: parser and enricher.
        max_line_bytes: longer lines are cut.
    """
    rest = _read(stream)
    identity = identify(
        rest, host=source.host, log=source.log, first_time=first_time, at_end=True
    )
    if identity is None:
        return
    life = Life(
        Generation(gen_id=identity.gen_id),
        Progress(),
        Observation(path=source.path, encoding=identity.encoding),
    )
    block = rest
    while rest:
        final = len(block) < _BLOCK
        chunks = tuple(
            frame(
                rest,
                life.position,
                max_line_bytes=max_line_bytes,
                encoding=life.encoding,
                skipping=life.progress.skipping,
                final=final,
            )
        )
        begin = life.position
        life.remember(rest, begin + len(rest))
        reading = Reading(life=life, chunks=chunks, more=not final, final=final)
        for _, events in assembly.make(source, reading):
            yield from events
        rest = rest[life.position - begin :]
        if final:
            return
        block = _read(stream)
        rest += block


def _read(stream: Readable) -> bytes:
    """Read a whole block, even from a pipe that gives less at a time."""
    parts: list[bytes] = []
    missing = _BLOCK
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
