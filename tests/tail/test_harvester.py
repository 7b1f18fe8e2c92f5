# SPDX-License-Identifier: Apache-2.0
"""Following one log, in memory and on a real file system alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.tail import Pacing, Status
from tests.tail.following import (
    ACTIVE,
    ROTATED,
    Disk,
    Follower,
    Memory,
    World,
    line,
    lines,
)


@pytest.fixture(params=["memory", "disk"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return an empty folder."""
    return Memory() if request.param == "memory" else Disk(tmp_path)


# --- growing --------------------------------------------------------------------


def test_a_log_is_read_from_its_first_byte(world: World) -> None:
    """What was written before the shipper came is handed on too."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)

    assert follower.look() == lines(1, 2)


def test_an_idle_log_brings_nothing(world: World) -> None:
    """Size equal to the offset is idle, however often it is looked at."""
    world.append(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()

    assert follower.follow(looks=20) == b""
    assert follower.harvester.status is Status.OK


def test_appended_lines_are_read_once(world: World) -> None:
    """Each look brings what came since the one before."""
    follower = Follower(world)
    brought = []
    for number in range(5):
        world.append(ACTIVE, line(number))
        brought.append(follower.look())

    assert brought == [line(number) for number in range(5)]


def test_half_a_line_waits(world: World) -> None:
    """A line of the active log is never taken before its line feed, for hours."""
    half, rest = line(2)[:30], line(2)[30:]
    world.append(ACTIVE, line(1) + half)
    follower = Follower(world)

    assert follower.follow(looks=10, every_s=3600.0) == line(1)
    world.append(ACTIVE, rest)
    assert follower.look() == line(2)


def test_a_log_without_a_first_record_waits(world: World) -> None:
    """Too short to be told from other generations, it is not begun."""
    world.append(ACTIVE, line(1)[:-1])
    follower = Follower(world)

    assert follower.follow() == b""
    assert follower.harvester.status is Status.WAITING
    world.append(ACTIVE, b"\n")
    assert follower.look() == line(1)


def test_a_long_backlog_comes_in_pieces(world: World) -> None:
    """One visit reads no more than the limit; the pieces join without a seam."""
    content = lines(*range(100))
    world.append(ACTIVE, content)
    follower = Follower(world, pacing=Pacing(read_bytes=700, max_line_bytes=256))
    first = follower.look()

    assert len(first) <= 700
    assert first + follower.follow(looks=1) == content


def test_a_line_longer_than_a_read_does_not_stop_the_log(world: World) -> None:
    """The line limit may be above the usual size of a read."""
    long = line(2, "x" * 3000)
    world.append(ACTIVE, line(1) + long + line(3))
    follower = Follower(world, pacing=Pacing(read_bytes=512, max_line_bytes=4096))

    assert follower.follow(looks=1) == line(1) + long + line(3)


def test_an_overlong_line_is_cut_and_skipped(world: World) -> None:
    """Its beginning is handed on with a flag; reading goes on behind it."""
    world.append(ACTIVE, line(1) + b"x" * 5000 + b"\n" + line(2))
    follower = Follower(world, pacing=Pacing(read_bytes=512, max_line_bytes=256))

    assert follower.follow(looks=1) == line(1) + b"x" * 256 + line(2)
    assert [h.flags for h in follower.handed] == [(), ("truncated",), ()]
    assert follower.handed[-1].start == len(line(1)) + 5001


def test_a_stop_inside_an_overlong_line_is_remembered(world: World) -> None:
    """After a restart the rest of the line is still skipped."""
    world.append(ACTIVE, line(1) + b"x" * 2000)
    follower = Follower(world, pacing=Pacing(read_bytes=512, max_line_bytes=256))
    follower.follow(looks=1)
    follower.restart()
    world.append(ACTIVE, b"xxx\r\n" + line(2))

    assert follower.follow(looks=1) == line(2)


# --- rotation -------------------------------------------------------------------


@pytest.mark.parametrize("stopped", [False, True])
def test_rename_keeps_the_unread_tail(world: World, *, stopped: bool) -> None:
    """What was written just before a rename is read from the renamed file."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, line(3) + b"cut off")
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(4, 5))
    if stopped:
        follower.restart()

    assert follower.follow() == line(3) + b"cut off" + lines(4, 5)
    assert follower.handed[-2].flags == ("partial",)
    assert [h.ordinal for h in follower.handed] == [0, 0, 0, 1]
    assert (follower.lost, follower.gaps) == (0, [False, False])


@pytest.mark.parametrize("stopped", [False, True])
def test_copy_and_truncate_keeps_the_unread_tail(
    world: World, *, stopped: bool
) -> None:
    """The copy is told by its content to go on where the log was read to."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, line(3))
    world.copy(ACTIVE, "Clisvc-20030212-101100.log")
    world.rewrite(ACTIVE, lines(4))
    if stopped:
        follower.restart()

    assert follower.follow() == lines(3, 4)
    assert (follower.lost, follower.gaps) == (0, [False, False])


def test_a_copy_in_progress_is_not_read(world: World) -> None:
    """While a copy grows, the log itself goes on being read, and only once."""
    world.append(ACTIVE, lines(*range(10)))
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, lines(10, 11))
    for part in (100, 400, 900):
        world.write("Clisvc.log.1", world.read(ACTIVE)[:part])
        follower.look()
    world.copy(ACTIVE, "Clisvc.log.1")
    world.rewrite(ACTIVE, lines(20))

    follower.follow()
    assert b"".join(h.data for h in follower.handed) == lines(*range(12), 20)


def test_an_older_copy_does_not_end_the_log_early(world: World) -> None:
    """Of two files that prove to hold the generation, the longer one is read."""
    world.append(ACTIVE, line(1))
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, line(2) + line(3)[:20])
    world.copy(ACTIVE, "Clisvc-20030212-101000.log")
    world.append(ACTIVE, line(3)[20:] + line(4))
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, line(5))

    assert follower.follow() == lines(2, 3, 4, 5)
    assert all(not handed.flags for handed in follower.handed)


def test_an_older_copy_is_not_another_life(world: World) -> None:
    """A shorter copy beside the log is no news, before and after its rotation."""
    world.append(ACTIVE, lines(*range(20)))
    world.write("Clisvc-20030212-101000.log", lines(*range(14)))
    follower = Follower(world, pacing=Pacing(survey_s=10.0))
    follower.follow()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, line(30))

    assert follower.follow() == line(30)
    assert len(follower.harvester.lives) == 2


def test_an_empty_log_after_rotation_waits(world: World) -> None:
    """The rotated file is finished, and the empty one is begun by its first record."""
    world.append(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, b"")

    assert follower.follow() == b""
    assert follower.harvester.status is Status.WAITING
    world.append(ACTIVE, lines(2))
    assert follower.look() == lines(2)


def test_a_rotated_log_that_is_not_followed_by_another_is_finished(
    world: World,
) -> None:
    """Its unterminated last line is taken after it has rested."""
    world.write(ROTATED, lines(1) + b"cut off")
    follower = Follower(world)

    assert follower.look() == lines(1)
    assert follower.look(2.0) == b""
    assert follower.look(4.0) == b"cut off"
    assert follower.look() == b""
    assert follower.harvester.status is Status.FINISHED


def test_two_rotations_in_a_row_are_counted(world: World) -> None:
    """What was seen and overwritten before it was read is lost, and said to be."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world, pacing=Pacing(read_bytes=100, max_line_bytes=80))
    first = follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(3))
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(4))

    assert first + follower.follow() == lines(1, 3, 4)
    assert follower.lost == len(line(2))
    assert follower.gaps == [True, False, False]


def test_several_unknown_generations_are_read_in_order_of_time(world: World) -> None:
    """The first timed record decides, not the name and not the date in it."""
    world.write("Clisvc.log.1", lines(20))
    world.write("Clisvc-20991231-000000.log", lines(10))
    world.write(ACTIVE, lines(40))
    world.write(ROTATED, lines(30))
    follower = Follower(world)

    assert follower.follow(looks=12) == lines(10, 20, 30, 40)
    assert [h.ordinal for h in follower.handed] == [0, 1, 2, 3]


def test_the_active_log_is_read_last_though_its_clock_went_back(world: World) -> None:
    """It never ends, so what was rotated would wait for it for ever."""
    world.write(ROTATED, lines(3600))
    world.write(ACTIVE, lines(1))
    follower = Follower(world)

    assert follower.follow() == lines(3600, 1)


def test_an_old_file_that_comes_late_is_read(world: World) -> None:
    """A survey finds it; the next generation still inherits from the newest one."""
    world.write(ACTIVE, lines(10))
    follower = Follower(world)
    follower.look()
    world.write("Clisvc.log.1", lines(1))
    late = follower.follow(looks=20)
    follower.restart()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(20, 21))
    follower.follow()

    assert late == lines(1)
    assert [h.data for h in follower.handed] == [lines(10), lines(1), lines(20, 21)]
    newest = follower.harvester.lives[-1]
    assert newest.origin.snapshot == b"state at %d" % len(lines(10))


def test_a_generation_inherits_the_state_of_the_one_before(world: World) -> None:
    """Its origin has the snapshot as of the end of its predecessor."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(3))
    follower.follow()
    _, second = follower.harvester.lives

    assert second.origin.snapshot == b"state at %d" % len(lines(1, 2))
    assert second.origin.offset == 0


def test_a_finished_log_that_grows_is_read_on(world: World) -> None:
    """A late write to a rotated file is found by a survey and read before the rest."""
    world.append(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(3))
    follower.follow()
    world.append(ROTATED, lines(2))
    world.append(ACTIVE, lines(4))

    assert follower.follow(looks=12) == lines(4, 2)
    assert [h.ordinal for h in follower.handed] == [0, 1, 1, 0]


def test_a_busy_log_is_surveyed_too(world: World) -> None:
    """A late write to a rotated file is found though the active log never rests."""
    world.append(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(3))
    follower.follow()
    world.append(ROTATED, lines(2))
    brought = b""
    for number in range(4, 30):
        world.append(ACTIVE, line(number))
        brought += follower.look(5.0)

    assert lines(2) in brought


def test_a_log_whose_name_differs_in_case_is_the_active_one(world: World) -> None:
    """Windows ignores case, so what the user typed need not be what is there."""
    world.append("CLISVC.LOG", lines(1) + b"half")
    follower = Follower(world)

    assert follower.follow() == lines(1)
    assert follower.harvester.status is Status.OK


# --- truncation and rewriting ---------------------------------------------------


def test_truncated_and_grown_past_the_old_offset_is_another_log(world: World) -> None:
    """Size says nothing: new content from the first byte on is read from there."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.look()
    world.rewrite(ACTIVE, lines(3, 4, 5, 6))

    assert follower.follow() == lines(3, 4, 5, 6)
    assert follower.gaps == [True, False]


@pytest.mark.parametrize("count", [2, 12, 60])
def test_rewritten_with_the_same_first_record_is_another_life(
    world: World, count: int
) -> None:
    """The same beginning that goes on differently is read again from its first byte.

    Also if it differs within the head, and if it is longer or shorter than before.
    """
    world.append(ACTIVE, lines(*range(30)))
    follower = Follower(world)
    follower.look()
    new = lines(0, *range(100, 100 + count))
    world.rewrite(ACTIVE, new)

    assert follower.follow() == new
    assert [(h.life, h.ordinal) for h in follower.handed] == [(0, 0), (1, 1)]
    assert len({h.gen_id for h in follower.handed}) == 1
    assert follower.gaps == [True, False]


def test_rewritten_behind_the_head_is_another_life(world: World) -> None:
    """The anchor tells what the head cannot."""
    world.append(ACTIVE, lines(*range(30)))
    follower = Follower(world)
    follower.look()
    world.rewrite(ACTIVE, lines(*range(25), 41, 42, 43, 44, 45, 46))

    assert follower.look() == lines(*range(25), 41, 42, 43, 44, 45, 46)


def test_rewritten_within_the_head_is_another_life(world: World) -> None:
    """The head tells what the anchor cannot."""
    world.append(ACTIVE, lines(*range(30)))
    follower = Follower(world)
    follower.look()
    follower.look()
    new = lines(*range(5), 50, *range(6, 30))
    world.rewrite(ACTIVE, new)

    assert follower.look() == new


def test_an_old_file_with_the_same_header_is_read(world: World) -> None:
    """Shorter than what was read of the log, it is told from a copy by its head."""
    header = b"Service starting\r\n" * 16
    world.append(ACTIVE, header + b"new\r\n" * 400)
    follower = Follower(world)
    follower.look()
    follower.look()
    world.write(ROTATED, header + b"old\r\n" * 200)

    assert follower.follow(looks=12) == header + b"old\r\n" * 200


@pytest.mark.parametrize("stopped", [False, True])
def test_a_log_created_anew_with_the_same_header_is_read(
    world: World, *, stopped: bool
) -> None:
    """Deleted and begun again with the same first lines, it is another life."""
    header = b"Service starting\r\n" * 16
    world.append(ACTIVE, header + lines(1, 2, 3))
    follower = Follower(world)
    follower.look()
    world.remove(ACTIVE)
    if stopped:
        follower.restart()
    world.write(ACTIVE, header + lines(4))

    assert follower.follow() == header + lines(4)
    assert follower.handed[-1].life == 1


@pytest.mark.parametrize("stopped", [False, True])
def test_a_successor_with_the_same_header_is_read(
    world: World, *, stopped: bool
) -> None:
    """A log that carries no times begins alike each time; all of it is handed on."""
    header = b"Service starting\r\n" * 16
    world.append(ACTIVE, header + b"one\r\n" * 40)
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, b"two\r\n")
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, header + b"three\r\n")
    if stopped:
        follower.restart()

    assert follower.follow() == b"two\r\n" + header + b"three\r\n"
    world.append(ACTIVE, b"four\r\n")
    assert follower.follow() == b"four\r\n"
    assert follower.lost == 0


def test_a_short_log_without_times_is_read(world: World) -> None:
    """Rotated, it is named by all it holds, once at rest; the next one waits."""
    world.write(ROTATED, b"Starting\r\nStopping")
    world.write(ACTIVE, lines(1))
    follower = Follower(world)

    assert follower.look() == b""
    assert follower.follow() == b"Starting\r\nStopping" + lines(1)
    assert follower.handed[1].flags == ("partial",)


# --- looking without a result ---------------------------------------------------


def test_no_log_at_all(world: World) -> None:
    """A folder without the log says so, and its first record is read when it comes."""
    follower = Follower(world)

    assert follower.follow() == b""
    assert follower.harvester.status is Status.NO_LOG
    world.append(ACTIVE, lines(1))
    assert follower.look() == lines(1)


def test_a_log_missing_for_a_while_is_read_on(world: World) -> None:
    """Moved away and back, nothing is lost and nothing is read twice."""
    world.append(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    world.rename(ACTIVE, "elsewhere.tmp")
    missing = follower.follow()
    status = follower.harvester.status
    world.rename("elsewhere.tmp", ACTIVE)
    world.append(ACTIVE, lines(2))

    assert (missing, status) == (b"", Status.NO_LOG)
    assert follower.follow() == lines(2)
    assert (follower.lost, follower.gaps) == (0, [False])


def test_a_log_given_up_that_comes_back_is_read_on(world: World) -> None:
    """What was counted as lost is lost no longer once it is there again."""
    world.append(ACTIVE, lines(1))
    follower = Follower(world)
    follower.look()
    world.append(ACTIVE, lines(2))
    follower.look(read=False)
    world.rename(ACTIVE, "elsewhere.tmp")
    follower.follow()
    lost = follower.lost
    world.rename("elsewhere.tmp", ACTIVE)

    assert lost == len(line(2))
    assert follower.follow() == lines(2)
    assert (follower.lost, follower.gaps) == (0, [False])


def test_looks_that_only_count(world: World) -> None:
    """While nothing can be sent, what is there is noted but not handed on."""
    world.append(ACTIVE, lines(1, 2) + b"half")
    follower = Follower(world)
    follower.look(read=False)
    (life,) = follower.harvester.lives

    assert follower.handed == []
    assert (life.seen, life.position) == (len(lines(1, 2)), 0)
    world.rewrite(ACTIVE, lines(3))
    for _ in range(3):
        follower.look(6.0, read=False)
    assert follower.lost == len(lines(1, 2))
    assert follower.follow() == lines(3)


def test_what_is_seen_is_told_beyond_what_is_read(world: World) -> None:
    """The end of the last complete line counts, though a visit reads less."""
    world.append(ACTIVE, lines(*range(50)) + b"half")
    follower = Follower(world, pacing=Pacing(read_bytes=300, max_line_bytes=256))
    follower.look()

    assert follower.harvester.lives[0].seen == len(lines(*range(50)))


def test_a_sibling_of_another_log_is_left_alone(world: World) -> None:
    """Only files of this log's name are looked at."""
    world.append("Clisvcl.log", lines(1))
    world.append("Clisvc.bak", lines(2))
    world.append("Ccim32.log", lines(3))
    follower = Follower(world)

    assert follower.follow() == b""


# --- once -----------------------------------------------------------------------


def test_once_takes_files_as_they_are(world: World) -> None:
    """All generations to their ends, half lines too, and then there is an end."""
    world.write(ROTATED, lines(1) + b"cut off")
    world.write(ACTIVE, lines(2) + b"half")
    follower = Follower(world, pacing=Pacing(once=True))

    assert follower.follow(looks=1) == lines(1) + b"cut off" + lines(2) + b"half"
    assert follower.harvester.status is Status.FINISHED


def test_once_ends_though_the_log_grows(world: World) -> None:
    """What comes after a file was read to its end is for the next time."""
    world.write(ACTIVE, lines(1))
    follower = Follower(world, pacing=Pacing(once=True))
    follower.follow(looks=1)
    world.append(ACTIVE, lines(2))

    assert follower.follow(looks=1) == b""
    follower.restart()
    assert follower.follow(looks=1) == lines(2)


def test_once_reads_a_log_without_times(world: World) -> None:
    """A beginning without a timed record counts as it stands."""
    world.write(ACTIVE, b"Starting\r\n")
    follower = Follower(world, pacing=Pacing(once=True))

    assert follower.follow(looks=1) == b"Starting\r\n"


def test_run_goes_on_behind_once(world: World) -> None:
    """A log that was shipped is not read again by the running shipper."""
    world.write(ACTIVE, lines(1))
    follower = Follower(world, pacing=Pacing(once=True))
    follower.follow(looks=1)
    follower.pacing = Pacing()
    follower.restart()
    world.append(ACTIVE, lines(2))

    assert follower.follow() == lines(2)
    world.append(ACTIVE, line(3)[:10])
    assert follower.follow() == b""
