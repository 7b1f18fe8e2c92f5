# SPDX-License-Identifier: Apache-2.0
"""Laws that hold for the bytes of any log, and for any saved state."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from shipper.enrich import Enricher, Senses, Trail
from shipper.enrich.trail import AgentState, Attempt, Incident, LauncherState
from shipper.parse import Neighbour, Parser, Zones, first_time
from shipper.records import Chunk, Encoding, Generation, Record, Source
from shipper.tail import frame
from shipper.tail.identity import encoding_of, identify
from tools.fuzz.inputs import cuts

SOURCE = Source(host="pc0417", log="clisvc", directory="/logs", path="/logs/Clisvc.log")
_READ_MS = 1_100_000_000_000

SNAPSHOT = Trail(
    neighbour_ms=1_045_000_000_000,
    neighbour_zone="America/Chicago",
    incidents={"52": Incident(id="a", seq=2, roles=["launch"], cause="")},
    attempts={"52": Attempt(app="Hardware Inventory", launched=True)},
    agents={
        "hinv": AgentState(
            state="install-pending",
            launchers={"hinv": LauncherState(state="install-pending")},
            episode=2,
        )
    },
).encode()


class BrokenError(Exception):
    """A law does not hold."""


def law(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Insist on a law."""
    if not holds:
        raise BrokenError(what)


_Line = tuple[int, bytes, tuple[str, ...]]


def framed(data: bytes, ends: list[int], limit: int, encoding: Encoding) -> list[Chunk]:
    """Frame as the harvester does: what is left over is read again."""
    chunks: list[Chunk] = []
    position, skipping = 0, False
    for number, end in enumerate(ends, start=1):
        found = frame(
            data[position:end],
            position,
            max_line_bytes=limit,
            encoding=encoding,
            skipping=skipping,
            final=number == len(ends),
        )
        for chunk in found:
            law(chunk.start == position, "chunks lie end to end")
            law(chunk.end > chunk.start, "each chunk gets on")
            law(len(chunk.data) <= chunk.end - chunk.start, "no byte is made up")
            law(
                data.startswith(chunk.data, chunk.start),
                "a chunk holds the bytes of its place",
            )
            position, skipping = chunk.end, chunk.skipping
            chunks.append(chunk)
    law(position == len(data), "a final log is taken to its end")
    return chunks


def joined(chunks: list[Chunk]) -> list[_Line]:
    """Return what chunks say, without where reads happened to end."""
    out: list[_Line] = []
    for chunk in chunks:
        if not chunk.data:
            continue
        if out and not chunk.flags and not out[-1][2]:
            start, data, flags = out[-1]
            if start + len(data) == chunk.start:
                out[-1] = (start, data + chunk.data, flags)
                continue
        out.append((chunk.start, chunk.data, chunk.flags))
    return out


def fuzz_frame(data: bytes, rng: random.Random) -> None:
    """Every byte is answered for once, and pieces decide nothing."""
    encoding = encoding_of(data) if rng.random() < 0.8 else rng.choice(list(Encoding))
    limit = rng.choice((8, 64, 200, 4096))
    ends = cuts(rng, len(data))
    whole = framed(data, [len(data)], limit, encoding)
    law(
        joined(framed(data, ends, limit, encoding)) == joined(whole),
        f"reads that end at {ends} frame alike (limit {limit}, {encoding})",
    )
    identify(data, host="h", log="l", first_time=first_time, at_end=True)


_ZONES = Zones(default_zone="America/Chicago")
_PARSERS = {page: Parser(_ZONES, page) for page in ("cp1252", "cp932", "cp1251")}
_SENSES = Senses()


def fuzz_parse(data: bytes, rng: random.Random) -> None:
    """Parsing is total, goes forward, and gives text that can be written."""
    parser = _PARSERS[rng.choice(tuple(_PARSERS))]
    for parsed in _parsed(parser, data, rng):
        for record in parsed:
            record.original.encode()
            record.message.encode()
            law(record.raw in data, "the raw bytes are the log's own")


def fuzz_document(data: bytes, rng: random.Random) -> None:
    """Documents are one line of JSON each, and ids differ."""
    generation = Generation(gen_id="g" * 20, ordinal=0, life=0)
    enricher = Enricher(SOURCE, generation, "default", Trail(), _SENSES)
    seen: set[str] = set()
    for records in _parsed(_PARSERS["cp1252"], data, rng):
        for event in enricher.enrich(records):
            law(b"\n" not in event.document, "a document is one line")
            msgspec.json.decode(event.document)
            law(event.id not in seen, "no two documents have one id")
            seen.add(event.id)
        again = Trail.decode(enricher.trail.encode())
        law(again == enricher.trail, "the state comes back as it was")


def _parsed(parser: Parser, data: bytes, rng: random.Random) -> Iterator[list[Record]]:
    neighbour: Neighbour | None = None
    at = 0
    chunks = framed(data, cuts(rng, len(data)), 4096, encoding_of(data))
    for chunk in chunks:
        parsed = parser.parse(chunk, neighbour, _READ_MS)
        law(parsed.end == chunk.end, "whole chunks are consumed")
        for record in parsed.records:
            law(
                record.start >= at or record.sub > 1,
                "records come in the order of the log",
            )
            law(at <= record.end <= chunk.end, "records stay within their chunk")
            at = record.end
        neighbour = parsed.neighbour
        yield parsed.records


def fuzz_trail(data: bytes, _rng: random.Random) -> None:
    """Any bytes are a state that can be saved again, or are said to be none."""
    try:
        trail = Trail.decode(data)
    except ValueError:
        return
    law(Trail.decode(trail.encode()) == trail, "a state taken can be saved")
    trail.inherit()
