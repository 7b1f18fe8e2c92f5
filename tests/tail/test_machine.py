# SPDX-License-Identifier: Apache-2.0
"""Whatever a writer and a crash do in whatever order: each line once, and right."""

from __future__ import annotations

import base64
from hashlib import blake2b

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from shipper.records import Checkpoint
from shipper.tail import Pacing
from tests.tail.following import ACTIVE, ROTATED, Follower, Memory, line

BACKUP = "Clisvc-20030212-101000.log"
LIMIT = 200
PACING = Pacing(read_bytes=300, max_line_bytes=LIMIT)

#: Name of a generation, its life, offset of a line.
Place = tuple[str, int, int]


def name_of(content: bytes) -> str:
    """Name a generation of this machine: its first line is a timed record."""
    first = content.partition(b"\n")
    raw = b"pc0417\0clisvc\0" + first[0] + first[1]
    named = blake2b(raw, digest_size=12).digest()
    return base64.b32hexencode(named).decode().rstrip("=").lower()


def expected_of(content: bytes, *, final: bool) -> dict[Place, bytes]:
    """Return what a generation with ``content`` must bring."""
    found: dict[Place, bytes] = {}
    position = 0
    for body in content.splitlines(keepends=True):
        bare = body.removesuffix(b"\n")
        if body != bare or final:
            kept = body if len(bare) <= LIMIT else bare[:LIMIT]
            found[name_of(content), 0, position] = kept
        position += len(body)
    return found


class Following(RuleBasedStateMachine):
    """A writer, a shipper that stops and starts, and a clock."""

    @initialize(share=st.booleans())
    def begin(self, *, share: bool) -> None:
        """Start with an empty folder and an empty store."""
        self.world = Memory(share=share)
        self.follower = Follower(self.world, pacing=PACING)
        self.count = 0
        self.unwritten = b""  # rest of a line of which half is on disk
        self.ended: list[bytes] = []  # content of rotated generations
        self.delivered: dict[Place, bytes] = {}
        self.fresh: set[Place] = set()  # handed on since the last save
        self.repeatable: set[Place] = set()  # handed on before a crash, but not saved
        self.saved: tuple[Checkpoint, ...] = ()
        self.taken = 0

    def _next_line(self, size: int) -> bytes:
        self.count += 1
        return line(self.count, f"{self.count:05} " + "x" * size)

    @rule(sizes=st.lists(st.integers(0, 300), min_size=1, max_size=3))
    def write_lines(self, sizes: list[int]) -> None:
        """Append whole lines, some of them overlong."""
        new = self.unwritten + b"".join(self._next_line(size) for size in sizes)
        self.unwritten = b""
        self.world.append(ACTIVE, new)

    @rule(cut=st.integers(5, 60))
    def write_half_a_line(self, cut: int) -> None:
        """Append a part of a line, at least its number, or some more of it."""
        whole = self.unwritten or self._next_line(0)
        cut = min(cut, len(whole) - 1)
        self.world.append(ACTIVE, whole[:cut])
        self.unwritten = whole[cut:]

    @precondition(lambda self: self._may_rotate())
    @rule()
    def rename(self) -> None:
        """Rotate by renaming; the next write creates the log anew."""
        self._rotate()
        self.world.rename(ACTIVE, ROTATED)

    @precondition(lambda self: self._may_rotate())
    @rule()
    def copy_and_truncate(self) -> None:
        """Rotate by copying and truncating in place."""
        self._rotate()
        self.world.copy(ACTIVE, ROTATED)
        self.world.rewrite(ACTIVE, b"")

    @precondition(lambda self: self._has_content() and not self.unwritten)
    @rule()
    def back_up(self) -> None:
        """Leave a copy of the log beside it."""
        self.world.copy(ACTIVE, BACKUP)

    def _has_content(self) -> bool:
        exists = self.world.files.exists(self.world.path(ACTIVE))
        return exists and bool(self.world.read(ACTIVE))

    def _may_rotate(self) -> bool:
        """The log has content, and nothing unread is overwritten."""
        older = expected_of(self.ended[-1], final=True) if self.ended else {}
        return self._has_content() and older.keys() <= self.delivered.keys()

    def _rotate(self) -> None:
        self.ended.append(self.world.read(ACTIVE))
        self.unwritten = b""

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 4.0, 6.0, 70.0]))
    def poll(self, seconds: float) -> None:
        """Look once."""
        self.follower.look(seconds)
        self._check()

    @rule()
    def save(self) -> None:
        """All that was handed on is acknowledged and saved."""
        self.saved = self.follower.checkpoints()
        self.fresh.clear()

    @rule()
    def crash(self) -> None:
        """Start again from what was saved; what came after it may be repeated."""
        self.follower.restart(self.saved)
        self.repeatable |= self.fresh
        self.fresh.clear()

    def _check(self) -> None:
        handed, self.taken = (
            self.follower.handed[self.taken :],
            len(self.follower.handed),
        )
        for chunk in handed:
            pieces = [chunk.data] if chunk.flags else chunk.data.splitlines(True)
            position = chunk.start
            for piece in pieces:
                place = (chunk.gen_id, chunk.life, position)
                again = self.delivered.get(place)
                assert again in {None, piece}, "other bytes at the same place"
                assert again is None or place in self.repeatable, "handed on twice"
                self.delivered[place] = piece
                self.repeatable.discard(place)
                self.fresh.add(place)
                position += len(piece)

    @invariant()
    def no_handle_is_held(self) -> None:
        """Between looks the writer is on its own."""
        assert self.world.files.open_now == 0

    def teardown(self) -> None:
        """In the end each line that was on disk has been handed on, and no other."""
        self.follower.follow(looks=20, every_s=7.0)
        self._check()
        expected: dict[Place, bytes] = {}
        for content in self.ended:
            expected |= expected_of(content, final=True)
        if self.world.files.exists(self.world.path(ACTIVE)):
            expected |= expected_of(self.world.read(ACTIVE), final=False)

        # A short copy that outlives its log may be read as a life of its own: the ids
        # of its lines are those of the log's.
        found = {(name, 0, at): line for (name, _, at), line in self.delivered.items()}
        assert found == expected


TestFollowing = Following.TestCase
TestFollowing.settings = settings(stateful_step_count=40)
