# SPDX-License-Identifier: Apache-2.0
"""Which bytes an earlier run may have sent: those that were there before this one."""

from __future__ import annotations

from msgspec.structs import replace

from shipper.tail import Life
from tests.tail.following import ACTIVE, ROTATED, Follower, Memory, lines


def _life(follower: Follower, number: int = -1) -> Life:
    return follower.harvester.lives[number]


def test_what_was_there_before() -> None:
    """Bytes there at the first look may have been sent; later ones cannot have been."""
    world = Memory()
    before = lines(1, 2, 3)
    world.write(ACTIVE, before)
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, lines(4))
    follower.look()

    life = _life(follower)
    assert life.position == len(before) + len(lines(4))
    since = [life.sent_since(at) for at in (0, len(before) - 1, len(before))]
    assert since == [0, 0, None]


def test_epoch_of_the_checkpoint() -> None:
    """After a restart it is the epoch saved with the checkpoint."""
    world = Memory()
    world.write(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    (saved,) = follower.checkpoints()
    world.append(ACTIVE, lines(2))
    follower.restart((replace(saved, since=7),))
    follower.look()
    world.append(ACTIVE, lines(3))
    follower.look()

    life = _life(follower)
    first, second = len(lines(1)), len(lines(1, 2))
    assert life.position == len(lines(1, 2, 3))
    assert (life.sent_since(first), life.sent_since(second)) == (7, None)


def test_rotated_meanwhile() -> None:
    """It goes with the generation, whatever its file is called."""
    world = Memory()
    world.write(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    (saved,) = follower.checkpoints()
    world.append(ACTIVE, lines(2))
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(3))
    follower.restart((replace(saved, since=7),))
    follower.follow()

    old, new = _life(follower, 0), _life(follower, 1)
    assert old.sent_since(len(lines(1))) == 7
    assert new.sent_since(0) == 0


def test_never_looked_at() -> None:
    """Before a file was found there is nothing to send, and nothing to say."""
    world = Memory()
    world.write(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    follower.restart()

    assert _life(follower).sent_since(0) is None


def test_shares_may_show_the_past_at_first() -> None:
    """What a share shows only some seconds later was there before, all the same."""
    world = Memory(share=True)
    early, late = lines(1), lines(1, 2)
    world.write(ACTIVE, late)
    path = world.path(ACTIVE)
    world.files.stale[path] = early
    follower = Follower(world)
    follower.look()
    world.files.stale.clear()
    follower.look(after_s=20)
    follower.look(after_s=60)
    world.append(ACTIVE, lines(3))
    follower.look()

    life = _life(follower)
    assert life.position == len(lines(1, 2, 3))
    assert life.sent_since(len(early)) == 0
    assert life.sent_since(len(late)) is None


def test_a_copy_that_is_still_being_made() -> None:
    """What a rotated file shows only later was in the log before, all the same.

    The chaos run doubled a batch so: the first look of a new process fell into the
    copying of a log that was about to be truncated.
    """
    world = Memory()
    world.write(ACTIVE, lines(1, 2, 3, 4))
    follower = Follower(world)
    saved = follower.checkpoints()
    follower.look()
    world.write(ROTATED, lines(1, 2))
    world.rewrite(ACTIVE, b"")
    follower.restart(saved)
    follower.look()
    world.append(ROTATED, lines(3, 4))
    follower.look()

    life = _life(follower, 0)
    assert life.position == len(lines(1, 2, 3, 4))
    assert life.sent_since(len(lines(1, 2, 3))) == 0
