# SPDX-License-Identifier: Apache-2.0
"""A file or stream to documents, without state."""

from __future__ import annotations

import io
import json
from typing import BinaryIO, cast

import pytest

from shipper.app import documents
from shipper.records import Event
from tests.enrich.story import (
    HOUR,
    OFFERS,
    READ_MS,
    SOURCE,
    StillClock,
    assembly,
    line,
    lines,
    triple,
)

CALM = line("Working set trimmed to 812 KB~", -60)
BLOCK = 256 * 1024
LIMIT = 4096


class Trickle:
    """A pipe that gives less than it is asked for."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, and none only at the end."""
        return self._data.read(min(size, self._most))


def ship(log: bytes, most: int = BLOCK) -> list[Event]:
    """Return the events of a log that is read through a pipe."""
    stream = cast("BinaryIO", Trickle(log, most))
    return list(documents(stream, SOURCE, assembly(), max_line_bytes=LIMIT))


def long_log(size: int) -> bytes:
    """Make a log of exactly ``size`` bytes, with a refusal every hundred lines."""
    rows = [CALM]
    left = size - len(CALM)
    number = 0
    while left > 1000:
        number += 1
        some = line(f"Read {number:05d} values~", number)
        if number % 100 == 0:
            some = lines(triple(OFFERS), number * HOUR)
        rows.append(some)
        left -= len(some)
    rows.append(b"x" * (left - 2) + b"\r\n")
    return b"".join(rows)


def covered(events: list[Event]) -> int:
    """Return how many bytes of the log the events answer for."""
    return sum(event.size for event in events)


@pytest.mark.parametrize("log", [b"", b"\r\n\r\n"], ids=["empty", "blank"])
def test_nothing(log: bytes) -> None:
    """A log without records has no documents."""
    assert ship(log) == []


@pytest.mark.parametrize(
    "size", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 7]
)
def test_blocks_leave_no_seam(size: int) -> None:
    """However the log divides into blocks, every line is taken once and whole."""
    log = long_log(size)
    events = ship(log)

    assert len(log) == covered(events) == size
    originals = [event for event in events if event.size]
    assert len(originals) == log.count(b"\n")
    assert not any(b'"flags"' in event.document for event in events)


@pytest.mark.parametrize("most", [1000, 65_537])
def test_pipe(most: int) -> None:
    """A pipe gives the same documents as a file."""
    log = long_log(BLOCK + 12_345)

    assert ship(log, most) == ship(log)


def test_unfinished_last_line() -> None:
    """A last line without its end is taken, and says so."""
    *_, last = ship(CALM + b"Working")

    assert b'"original":"Working"' in last.document
    assert b'"flags":["partial"]' in last.document


@pytest.mark.parametrize("length", [LIMIT + 1, 3 * BLOCK])
@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_overlong_line(length: int, end: bytes) -> None:
    """A line over the limit is cut, even over several blocks; what follows is whole."""
    after = line("Sleeping", 0) if end else b""
    events = ship(CALM + b"y" * length + end + after)

    assert len(events) == (3 if end else 2)
    assert b'"flags":["truncated"]' in events[1].document
    assert b'"original":"%s"' % (b"y" * LIMIT) in events[1].document
    assert not end or b'"message":"Sleeping"' in events[2].document


def test_order() -> None:
    """State documents come right behind the record that caused them."""
    ids = [event.id for event in ship(CALM + lines(triple(OFFERS), 0))]

    assert [ident for ident in ids if ".s" in ident] == [ids[1] + ".s1", ids[4] + ".s1"]


def test_gives_the_first_documents_early() -> None:
    """Documents come while the rest of a long log is still to be read."""
    stream = io.BytesIO(long_log(8 * BLOCK))
    next(documents(stream, SOURCE, assembly(), max_line_bytes=LIMIT))

    assert stream.tell() <= 2 * BLOCK


def test_time_of_reading_is_the_clocks() -> None:
    """Only a log without any time takes that of its reading."""
    (event,) = documents(
        io.BytesIO(b"Working\r\n"),
        SOURCE,
        assembly(StillClock(READ_MS)),
        max_line_bytes=LIMIT,
    )

    assert b'"@timestamp":"2004-11-09T11:33:20.000Z"' in event.document


def test_nul_bytes_are_flagged_as_when_they_are_tailed() -> None:
    """A document says the same of its bytes, whichever way they came."""
    hole = b"\0" * 16 + line("Working set trimmed to 1 KB~", 0)
    flags = [
        json.loads(event.document)["sms"]["log"].get("flags")
        for event in ship(CALM + hole + CALM)
    ]

    assert flags == [None, ["nul"], None]
