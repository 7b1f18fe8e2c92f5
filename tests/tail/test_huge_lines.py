# SPDX-License-Identifier: Apache-2.0
"""A line of a gigabyte: bounded memory, and what follows is read."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from shipper.tail import Pacing
from shipper.tail.opener import Kept
from tests.fakes.files import MemoryFile, MemoryFiles
from tests.tail.following import ACTIVE, Disk, Follower, Memory, line, lines

GIB = 1024**3
MOST_BYTES = 8 * 1024 * 1024


class EndlessFile(MemoryFile):
    """A record, then a gigabyte of one letter, then whatever the real file has."""

    kept: Kept | None = None

    def size(self) -> int:
        """Return the size with the gigabyte in it."""
        return super().size() + GIB

    def pread(self, offset: int, length: int) -> bytes:
        """Return the letters where they are, and the file's own bytes around them."""
        end = offset + length
        first = len(line(1))
        before = super().pread(offset, max(0, min(end, first) - offset))
        letters = min(end, first + GIB) - max(offset, first)
        at = max(offset - GIB, first)
        after = super().pread(at, max(0, end - GIB - at))
        return before + b"x" * max(0, letters) + after


class EndlessFiles(MemoryFiles):
    """All files have a gigabyte in them."""

    def open(self, path: str) -> EndlessFile:
        """Open ``path``."""
        super().open(path)
        return EndlessFile(self, path, self._files[path])


def peak(follower: Follower, looks: int) -> int:
    """Return the most bytes in use while following."""
    tracemalloc.start()
    try:
        for _ in range(looks):
            follower.look()
            follower.handed[:] = [h for h in follower.handed if len(h.data) < 10_000]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(240)
def test_a_line_of_a_gigabyte() -> None:
    """It is cut at the limit, skipped in bounded memory, and what follows is read."""
    memory = Memory()
    memory.opener = memory.files = EndlessFiles()
    memory.append(ACTIVE, line(1) + b"\r\n" + lines(2))
    follower = Follower(memory, pacing=Pacing(read_bytes=4 * 1024 * 1024 - 1))

    assert peak(follower, GIB // (4 * 1024 * 1024) + 8) < 4 * MOST_BYTES
    assert [h.data for h in follower.handed] == [line(1), lines(2)]
    assert follower.handed[1].start == len(line(1)) + GIB + 2


@pytest.mark.timeout(240)
def test_a_hole_of_a_gigabyte(tmp_path: Path) -> None:
    """A sparse file, as a writer leaves it that kept its position after truncation."""
    world = Disk(tmp_path)
    world.append(ACTIVE, line(1))
    with (tmp_path / ACTIVE).open("r+b") as file:
        file.seek(len(line(1)) + GIB)
        file.write(b"\r\n" + lines(2))
    follower = Follower(world, pacing=Pacing(nul_wait_s=2.0))

    assert peak(follower, GIB // (256 * 1024) + 20) < MOST_BYTES
    assert [h.data for h in follower.handed] == [line(1), lines(2)]
