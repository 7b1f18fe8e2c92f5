# SPDX-License-Identifier: Apache-2.0
"""One long log, written fast: for benchmarks and soak tests."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from random import Random

from shipper.demo.fleet import wording
from shipper.demo.fleet.dice import dice
from shipper.demo.fleet.stamp import Dial, to_ms
from shipper.demo.fleet.wording import (
    APPLICATIONS,
    COMPONENT,
    OFFERS,
    PRIVILEGE_NOT_HELD,
    SOFTWARE,
)

#: Where the records begin unless told otherwise.
BEGINNING = datetime(2003, 2, 24, 18, 0, tzinfo=UTC)
#: Every record is later than the one before, by up to this many milliseconds.
MAX_GAP_MS = 400

_DIAL = Dial(timezone="America/Los_Angeles", named=True)
_BLOCK = 20_000  # records a write: about 3 MB
_THREADS = 12
_PHRASES = 2_000
_TRIPLES = 14  # of the phrases; with three records each, 2 % of all records


def write_big(
    path: Path, records: int, seed: int, *, start: datetime = BEGINNING
) -> None:
    """Write one regular ``Clisvc.log``, about 170 bytes a record.

    One record in fifty belongs to the three of a refused launch. No two records have
    the same time, so the file never repeats itself.

    Args:
        path: the file; one that exists is written over.
        records: exactly so many lines, each ended by a line feed.
        seed: decides the bytes, together with ``start``.
        start: time before the first record, aware.
    """
    chance = dice(seed, "big")
    phrases = _phrases(chance)
    ms = to_ms(start)
    with path.open("wb") as log:
        for done in range(0, records, _BLOCK):
            count = min(_BLOCK, records - done)
            drawn = chain.from_iterable(chance.choices(phrases, k=count))
            gaps = chance.choices(range(1, MAX_GAP_MS + 1), k=count)
            block = []
            for (text, thread), gap in zip(islice(drawn, count), gaps, strict=True):
                ms += gap
                block.append(f"{text}{_DIAL.show(ms)}{thread}")
            log.write("".join(block).encode("ascii"))


def _phrases(chance: Random) -> list[list[tuple[str, str]]]:
    """Return what may follow each other: records without their time."""
    threads = [4 * chance.randrange(12, 1000) for _ in range(_THREADS)]
    triples = [
        wording.refusal(chance.choice((OFFERS, SOFTWARE)), PRIVILEGE_NOT_HELD)
        for _ in range(_TRIPLES)
    ]
    singles = [[_single(chance)] for _ in range(_PHRASES - _TRIPLES)]
    return [
        [(f"{text}  $$<{COMPONENT}><", f">{group}\r\n") for text in texts]
        for texts in (*triples, *singles)
        for group in (wording.thread_group(chance.choice(threads)),)
    ]


def _single(chance: Random) -> str:
    if chance.choice((True, False)):
        return wording.routine(chance)
    return chance.choice(wording.attempt(chance.choice(APPLICATIONS)))
