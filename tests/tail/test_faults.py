# SPDX-License-Identifier: Apache-2.0
"""What cannot be decided changes nothing: faults, shares, NUL bytes, special files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shipper.tail import Pacing, Status
from shipper.tail.opener import Trouble
from tests.tail.following import ACTIVE, ROTATED, Disk, Follower, Memory, line, lines

NULS = b"\0" * 200
STATUS = {
    Trouble.DENIED: Status.DENIED,
    Trouble.LOCKED: Status.LOCKED,
    Trouble.UNREACHABLE: Status.UNREACHABLE,
}


@pytest.fixture
def memory() -> Memory:
    """Return an empty folder in memory."""
    return Memory()


@pytest.fixture
def share() -> Memory:
    """Return an empty folder on a network share."""
    return Memory(share=True)


# --- trouble --------------------------------------------------------------------


@pytest.mark.parametrize("trouble", STATUS)
@pytest.mark.parametrize("whole_folder", [False, True])
def test_trouble_changes_nothing(
    memory: Memory, trouble: Trouble, *, whole_folder: bool
) -> None:
    """A log that cannot be looked at for a day is read on where it was left."""
    memory.append(ACTIVE, lines(1))
    follower = Follower(memory)
    follower.look()
    memory.append(ACTIVE, lines(2))
    memory.files.faults[memory.path(ACTIVE)] = trouble
    if whole_folder:
        memory.files.faults[memory.folder] = trouble
    in_trouble = follower.follow(looks=24, every_s=3600.0)
    status = follower.harvester.status
    memory.files.faults.clear()

    assert (in_trouble, status) == (b"", STATUS[trouble])
    assert follower.follow() == lines(2)
    assert (follower.lost, follower.gaps) == (0, [False])


@pytest.mark.parametrize("trouble", STATUS)
def test_a_rotated_file_in_trouble_is_waited_for(
    memory: Memory, trouble: Trouble
) -> None:
    """While a virus scanner holds the rotated file, its rest is not given up."""
    memory.append(ACTIVE, lines(1))
    follower = Follower(memory)
    follower.look()
    memory.append(ACTIVE, lines(2))
    memory.rename(ACTIVE, ROTATED)
    memory.write(ACTIVE, lines(3))
    memory.files.faults[memory.path(ROTATED)] = trouble
    in_trouble = follower.follow(looks=100)
    memory.files.faults.clear()

    assert in_trouble == b""
    assert follower.follow() == lines(2, 3)


@pytest.mark.parametrize("trouble", [Trouble.DENIED, Trouble.LOCKED])
def test_an_old_file_nobody_may_read_does_not_hold_up_the_log(
    memory: Memory, trouble: Trouble
) -> None:
    """A log is begun although an old file stays in trouble, which is read later."""
    memory.write(ROTATED, lines(1))
    memory.write(ACTIVE, lines(2))
    memory.files.faults[memory.path(ROTATED)] = trouble
    follower = Follower(memory)

    assert follower.look() == b""
    assert follower.follow(looks=15) == lines(2)
    memory.files.faults.clear()
    assert follower.follow(looks=15) == lines(1)


def test_trouble_with_one_old_file_does_not_stop_another(memory: Memory) -> None:
    """The rest of a rotated log is read though a file beside it is locked."""
    memory.append(ACTIVE, lines(1))
    memory.write("Clisvc-20030101-000000.log", lines(0))
    follower = Follower(memory)
    follower.follow()
    memory.files.faults[memory.path("Clisvc-20030101-000000.log")] = Trouble.LOCKED
    memory.append(ACTIVE, lines(2))
    memory.rename(ACTIVE, ROTATED)

    assert follower.look() == lines(2)


def test_no_handle_is_held_between_looks(memory: Memory) -> None:
    """Open, read, close: also when nothing is found, and when it fails."""
    follower = Follower(memory)
    handles = []
    for step in range(4):
        if step == 1:
            memory.append(ACTIVE, lines(1))
        if step == 2:
            memory.files.before_read = _refuse
        follower.look()
        handles.append(memory.files.open_now)
        memory.files.before_read = lambda _path: None

    assert handles == [0, 0, 0, 0]
    assert memory.files.opened > 0


def _refuse(path: str) -> None:
    from shipper.tail.opener import LookError  # noqa: PLC0415 - beside its only use

    raise LookError(Trouble.UNREACHABLE, path)


def test_a_log_rewritten_during_a_look_is_not_taken(memory: Memory) -> None:
    """What was read counts only if the file was the same one afterwards."""
    memory.append(ACTIVE, lines(1))
    follower = Follower(memory)
    follower.look()
    memory.append(ACTIVE, lines(2))
    reads = []

    def replace(path: str) -> None:
        reads.append(path)
        if len(reads) == 3:  # head, data, and then the head again
            memory.rewrite(ACTIVE, lines(5, 6, 7))

    memory.files.before_read = replace
    torn = follower.look()
    status = follower.harvester.status

    assert (torn, status) == (b"", Status.UNDECIDED)
    assert follower.follow() == lines(5, 6, 7)


# --- shares ---------------------------------------------------------------------


def test_a_stale_size_on_a_share_is_not_truncation(share: Memory) -> None:
    """Cached metadata may show the log shorter than it was read, for ten seconds."""
    share.append(ACTIVE, lines(1, 2))
    follower = Follower(share)
    follower.look()
    share.append(ACTIVE, lines(3))
    share.files.stale[share.path(ACTIVE)] = lines(1)
    stale = follower.follow(looks=2, every_s=5.0)
    status = follower.harvester.status
    share.files.stale.clear()

    assert (stale, status) == (b"", Status.UNDECIDED)
    assert follower.look() == lines(3)
    assert [life.generation.life for life in follower.harvester.lives] == [0]


def test_a_share_that_stays_shorter_was_rewritten(share: Memory) -> None:
    """Two looks, twelve seconds apart, decide."""
    share.append(ACTIVE, lines(1, 2))
    follower = Follower(share)
    follower.look()
    share.rewrite(ACTIVE, lines(1))

    assert follower.look(0.0) == b""
    assert follower.look(11.9) == b""
    assert follower.look(0.2) == lines(1)
    assert follower.handed[-1].life == 1


def test_doubts_about_a_share_do_not_add_up(share: Memory) -> None:
    """A stale size now and another an hour later are no truncation either."""
    share.append(ACTIVE, lines(1, 2))
    follower = Follower(share)
    follower.look()
    for _ in range(4):
        share.files.stale[share.path(ACTIVE)] = lines(1)
        follower.look(5.0)
        share.files.stale.clear()
        follower.look(3600.0)

    assert [life.generation.life for life in follower.harvester.lives] == [0]


def test_a_rotated_file_on_a_share_rests_longer(share: Memory) -> None:
    """Its size may be ten seconds old, so it is not finished after five."""
    share.write(ROTATED, lines(1) + b"cut off")
    follower = Follower(share)
    follower.look()

    assert follower.look(11.9) == b""
    assert follower.look(0.2) == b"cut off"


# --- NUL bytes ------------------------------------------------------------------


def test_nul_bytes_are_waited_out(memory: Memory) -> None:
    """NUL bytes that a share shows instead of data are never handed on."""
    memory.append(ACTIVE, lines(1))
    follower = Follower(memory)
    follower.look()
    memory.append(ACTIVE, line(2) + NULS)
    before = follower.follow(looks=5)
    status = follower.harvester.status
    memory.rewrite(ACTIVE, lines(1, 2, 3, 4))

    assert (before, status) == (line(2), Status.UNDECIDED)
    assert follower.follow() == lines(3, 4)
    assert len(follower.harvester.lives) == 1


def test_nul_bytes_that_stay_are_content(memory: Memory) -> None:
    """After a minute and three looks they are handed on, flagged, as one line."""
    memory.append(ACTIVE, lines(1) + NULS + b"\r\n" + lines(2))
    follower = Follower(memory)

    assert follower.look() == lines(1)
    assert follower.look(1.0) == b""
    assert follower.look(59.9) == b""
    assert follower.look(0.2) == NULS + b"\r\n"
    assert follower.handed[-1].flags == ("nul",)
    assert follower.look() == lines(2)


def test_nul_bytes_need_three_looks(memory: Memory) -> None:
    """A long time alone does not make them content."""
    memory.append(ACTIVE, lines(1) + NULS + b"\r\n")
    follower = Follower(memory)
    follower.look()

    assert follower.look(600.0) == b""
    assert follower.look(600.0) == b""
    assert follower.look(600.0) == NULS + b"\r\n"


def test_a_log_that_begins_with_nul_bytes_is_not_begun_at_once(memory: Memory) -> None:
    """A beginning of NUL bytes names no generation before it has stayed."""
    memory.append(ACTIVE, b"\0" * 5000 + b"\n" + lines(1))
    follower = Follower(memory)
    before = follower.follow(looks=5)
    status = follower.harvester.status
    memory.rewrite(ACTIVE, lines(*range(70)))

    assert (before, status) == (b"", Status.UNDECIDED)
    assert follower.follow() == lines(*range(70))
    assert len(follower.harvester.lives) == 1


def test_a_log_that_goes_on_beginning_with_nul_bytes_is_read(memory: Memory) -> None:
    """A writer that kept its position when the log was truncated leaves a hole."""
    memory.append(ACTIVE, b"\0" * 5000 + b"\r\n" + lines(1))
    follower = Follower(memory)

    assert follower.follow(looks=40) == b"\0" * 5000 + b"\r\n" + lines(1)
    assert follower.handed[0].flags == ("nul",)


def test_the_followed_log_is_not_given_up_for_nul_bytes(share: Memory) -> None:
    """A share that shows NUL bytes for the whole file has not replaced the log."""
    share.append(ACTIVE, lines(*range(70)))
    follower = Follower(share)
    follower.look()
    share.files.stale[share.path(ACTIVE)] = b"\0" * len(lines(*range(70)))
    during = follower.follow(looks=8)
    share.files.stale.clear()
    share.append(ACTIVE, lines(80))

    assert during == b""
    assert follower.follow() == lines(80)
    assert follower.gaps == [False]


def test_once_takes_nul_bytes_as_content(memory: Memory) -> None:
    """There is no later look to wait for."""
    memory.append(ACTIVE, lines(1) + NULS + b"\r\n" + lines(2))
    follower = Follower(memory, pacing=Pacing(once=True))

    assert follower.follow(looks=1) == lines(1) + NULS + b"\r\n" + lines(2)


def test_once_tells_of_a_rotated_log_it_cannot_read(memory: Memory) -> None:
    """The rest is read, and nobody is led to believe that it was all."""
    memory.append(ROTATED, lines(1))
    memory.append(ACTIVE, lines(2))
    memory.files.faults[memory.path(ROTATED)] = Trouble.DENIED
    follower = Follower(memory, pacing=Pacing(once=True))
    path = memory.path(ROTATED)

    assert follower.follow() == lines(2)
    assert follower.harvester.status is Status.DENIED
    assert follower.harvester.detail == f"{path}: {path}"


# --- other hosts, special files -------------------------------------------------


def test_identical_logs_of_two_hosts_are_two(memory: Memory) -> None:
    """Cloned machines write the same lines; they are different records."""
    memory.append(ACTIVE, lines(1))
    ids = set()
    for host in ("pc0417", "pc0418"):
        follower = Follower(memory, host=host)
        follower.look()
        ids |= {handed.gen_id for handed in follower.handed}

    assert len(ids) == 2


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "device"])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, kind: str) -> None:
    """A pipe, a folder, a link or a device under the log's name is said to be one."""
    path = tmp_path / ACTIVE
    target = tmp_path / "target.txt"
    target.write_bytes(lines(1))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(target)
    else:
        path.symlink_to("/dev/zero")
    follower = Follower(Disk(tmp_path))

    assert follower.look() == b""
    assert follower.harvester.status is Status.IRREGULAR


def test_a_pipe_beside_the_log_does_not_matter(tmp_path: Path) -> None:
    """Only under the log's own name is it worth a word."""
    os.mkfifo(tmp_path / ROTATED)
    world = Disk(tmp_path)
    world.append(ACTIVE, lines(1))
    follower = Follower(world)

    assert follower.follow() == lines(1)
    assert follower.harvester.status is Status.OK
