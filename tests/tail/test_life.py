# SPDX-License-Identifier: Apache-2.0
"""The reading state of one generation, and what is saved of it."""

from __future__ import annotations

import pytest

from shipper.records import Checkpoint, Chunk, Generation, Observation, Progress
from shipper.tail import Life
from shipper.tail.identity import digest


@pytest.fixture
def life() -> Life:
    """Return a generation of which nothing has been read."""
    return Life(Generation(gen_id="g"), Progress(snapshot=b"0"), Observation(path="a"))


def test_the_anchor_is_made_of_the_bytes_before_the_position(life: Life) -> None:
    """At most 256 of them, and those before the data count too."""
    first, second = b"a" * 200 + b"\n", b"b" * 200 + b"\n"
    life.remember(first + second, 402)
    life.advance(Chunk(start=0, data=first, end=201), 201, b"1")
    before = life.progress
    life.advance(Chunk(start=201, data=second, end=402), 402, b"2")

    assert before.anchor == digest(first)
    assert life.progress == Progress(
        offset=402, anchor=digest((first + second)[-256:]), snapshot=b"2"
    )
    assert life.proven_by((first + second)[-256:])
    assert not life.proven_by(b"x" * 256)


def test_a_chunk_may_be_consumed_in_part(life: Life) -> None:
    """Then the position is not inside the overlong line at its end."""
    life.remember(b"one\ntwo\n", 8)
    chunk = Chunk(start=0, data=b"one\ntwo\n", end=8, skipping=True)

    assert life.advance(chunk, 4, b"1") == Progress(
        offset=4, anchor=digest(b"one\n"), snapshot=b"1"
    )


def test_little_is_kept_of_what_was_read(life: Life) -> None:
    """Thousands of quiet logs keep no more than the next anchor needs."""
    data = b"x" * 99_999 + b"\n"
    life.remember(data, len(data))
    life.advance(Chunk(start=0, data=data, end=len(data)), len(data), b"1")

    assert len(life._around) == 256


def test_the_head_covers_what_has_been_read(life: Life) -> None:
    """Up to 1,024 bytes; what follows may still change."""
    data = b"x" * 2000
    life.grow_head(data)
    unread = life.head.length
    life.remember(data, 2000)
    life.advance(Chunk(start=0, data=data[:500], end=500), 500, b"")
    life.grow_head(data)
    some = life.head.length
    life.advance(Chunk(start=500, data=data[500:], end=2000), 2000, b"")
    life.grow_head(data)

    assert (unread, some, life.head.length) == (0, 500, 1024)


def test_the_ledger_adds_up_when_a_rest_is_lost(life: Life) -> None:
    """Seen is acknowledged, pending, dead letters and lost together."""
    life.seen = 100
    life.remember(b"x" * 60, 60)
    life.advance(Chunk(start=0, data=b"x" * 60, end=60), 60, b"")
    life.end(life.position)
    saved = Checkpoint(
        generation=life.generation,
        progress=Progress(offset=50),
        observation=life.observe(),
        dead_lettered=20,
    )

    assert life.finished
    assert (life.lost, life.gap) == (40, True)
    assert (saved.acked, saved.pending, saved.seen) == (30, 10, 100)
    assert saved.seen == saved.acked + saved.pending + saved.dead_lettered + life.lost
    assert not saved.finished


def test_reopening_takes_the_loss_back(life: Life) -> None:
    """The file is there again, so nothing was lost."""
    life.seen = 100
    life.end(life.position)
    life.reopen("b")

    assert (life.finished, life.lost, life.gap, life.path) == (False, 0, False, "b")


def test_a_checkpoint_is_finished_when_all_is_acknowledged() -> None:
    """Reading to the end is not enough."""
    observation = Observation(path="a", final=10, seen=10)
    states = [
        Checkpoint(
            generation=Generation(gen_id="g"),
            progress=Progress(offset=offset),
            observation=observation,
        ).finished
        for offset in (9, 10)
    ]

    assert states == [False, True]
