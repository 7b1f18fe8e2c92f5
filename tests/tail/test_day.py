# SPDX-License-Identifier: Apache-2.0
"""A generation is remembered for as long as a file of it is on the disk."""

from __future__ import annotations

from tests.tail.following import ACTIVE, ROTATED, Follower, Memory, lines

DAY_S = 86_400.0


def test_finished_generation_is_noted_on_each_day_it_is_found() -> None:
    """What is found on the disk again today is not forgotten for its age."""
    world = Memory()
    world.write(ROTATED, lines(1, 2))
    world.write(ACTIVE, lines(30))
    follower = Follower(world)
    follower.follow()
    rotated = follower.harvester.lives[0]
    first = rotated.observe().day

    follower.look(after_s=DAY_S)

    assert rotated.finished
    assert rotated.observe().day == first + 1


def test_finished_generation_is_let_go_in_the_end() -> None:
    """Memory does not grow with every rotation for ever; the newest one stays."""
    world = Memory()
    world.write(ROTATED, lines(1, 2))
    world.write(ACTIVE, lines(30))
    follower = Follower(world)
    follower.follow()
    assert len(follower.harvester.lives) == 2
    world.remove(ROTATED)

    follower.look(after_s=31 * DAY_S)

    (kept,) = follower.harvester.lives
    assert kept.path.endswith(ACTIVE)


def test_generation_whose_file_is_gone_ages() -> None:
    """The day stays that of the last sight once no file holds the generation."""
    world = Memory()
    world.write(ROTATED, lines(1, 2))
    world.write(ACTIVE, lines(30))
    follower = Follower(world)
    follower.follow()
    rotated = follower.harvester.lives[0]
    last = rotated.observe().day
    world.remove(ROTATED)

    follower.look(after_s=DAY_S)

    assert rotated.observe().day == last
