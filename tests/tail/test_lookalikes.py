# SPDX-License-Identifier: Apache-2.0
"""Files of one log that begin alike: copies, earlier versions, and what replaced them.

Each case was found by the state machine of the whole pipeline (``tests/machine``).
"""

from __future__ import annotations

from msgspec.structs import replace

from shipper.tail import Pacing
from tests.tail.following import ACTIVE, ROTATED, Follower, Memory, line, lines

BACKUP = "Clisvc-20030212-101000.log"
#: More than the head of a generation covers.
COMMON = b"".join(line(number, "x" * 200) for number in range(6))


def brought(world: Memory) -> bytes:
    """Follow the log from scratch and return all it brings."""
    return Follower(world).follow(looks=20, every_s=7.0)


def test_an_earlier_version_is_no_copy() -> None:
    """A short rotated file that goes on differently is read, though it begins alike."""
    world = Memory()
    world.write(ROTATED, lines(1, 2))
    world.write(ACTIVE, lines(1, 5, 6))

    assert sorted(brought(world).splitlines(True)) == lines(1, 1, 2, 5, 6).splitlines(
        True
    )


def test_versions_that_differ_late() -> None:
    """Two rotated files with the same first kilobyte are read each for itself."""
    world = Memory()
    world.write(BACKUP, COMMON + lines(11))
    world.write(ROTATED, COMMON + lines(21, 22))
    world.write(ACTIVE, lines(31))

    found = brought(world)

    assert [found.count(line(number)) for number in (11, 21, 22, 31)] == [1] * 4


def test_a_rotated_file_that_is_replaced_by_a_shorter_one() -> None:
    """What took the place of a rotated file under its name is read."""
    world = Memory()
    world.write(ROTATED, lines(1, 2, 3))
    world.write(ACTIVE, lines(30))
    follower = Follower(world)
    follower.follow(looks=5)
    world.write(ROTATED, lines(1, 4))

    # Its first record is read once more: it has the id it had.
    assert follower.follow(looks=20, every_s=7.0) == lines(1, 4)


def test_a_copy_that_outlives_its_log() -> None:
    """A copy of a log that went before it was read is read in its place."""
    world = Memory()
    world.write(ACTIVE, lines(1, 2, 3, 4))
    follower = Follower(world)
    follower.look(read=False)
    world.write(BACKUP, lines(1, 2))
    world.write(ACTIVE, lines(30))

    assert follower.follow(looks=20, every_s=7.0) == lines(1, 2, 30)


def test_nul_bytes_behind_an_overlong_line() -> None:
    """NUL bytes that hide the end of an overlong line are waited out."""
    world = Memory()
    long, after = line(1, "x" * 500), lines(2, 3)
    content = lines(0) + long + after
    world.write(ACTIVE, content)
    hidden = len(lines(0)) + 480
    path = world.path(ACTIVE)
    world.files.stale[path] = content[:hidden] + b"\0" * (len(content) - hidden)
    pacing = Pacing(read_bytes=400, max_line_bytes=200)
    follower = Follower(world, pacing=pacing)
    follower.follow(looks=3, every_s=1.0)
    world.files.stale.clear()

    assert follower.follow(looks=5, every_s=1.0).endswith(after)


def test_the_end_is_known_once_it_is_reached() -> None:
    """A restart before the end was acknowledged does not know the end any more."""
    world = Memory()
    world.write(ROTATED, lines(1, 2))
    world.write(ACTIVE, lines(30))
    follower = Follower(world)
    follower.follow(looks=5)
    first, second = follower.checkpoints()
    world.append(ROTATED, lines(3))

    follower.restart((replace(first, progress=first.progress.__class__()), second))

    assert follower.follow(looks=5) == lines(1, 2, 3)
