# SPDX-License-Identifier: Apache-2.0
"""How other shippers lost or doubled lines when a log was replaced: not here.

Each test names the report it comes from. What they have in common is written down in
docs/reliability.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.tail import Pacing, Status
from shipper.tail.opener import Trouble, trouble_of
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

#: The same first 1,080 bytes, which is more than a head covers.
HEADER = b"Service starting\r\n" * 60


@pytest.fixture(params=["memory", "disk"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return an empty folder."""
    return Memory() if request.param == "memory" else Disk(tmp_path)


@pytest.fixture
def read_once(world: World) -> Follower:
    """Return a follower that has read two lines of a log."""
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.follow()
    return follower


def places(follower: Follower) -> list[tuple[str, int]]:
    """Return generation and offset of each line that was handed on."""
    return [
        (handed.gen_id, handed.start + at)
        for handed in follower.handed
        for at in _starts(handed.data)
    ]


def _starts(data: bytes) -> list[int]:
    return [0, *(at + 1 for at in range(len(data) - 1) if data[at : at + 1] == b"\n")]


# --- identity -------------------------------------------------------------------


def test_a_reused_inode_is_another_log(tmp_path: Path) -> None:
    """elastic/beats#1341: the same inode with other content begins at 0."""
    world = Disk(tmp_path)
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.follow()
    inode = (tmp_path / ACTIVE).stat().st_ino
    world.rewrite(ACTIVE, lines(3, 4, 5))

    assert (tmp_path / ACTIVE).stat().st_ino == inode
    assert follower.follow() == lines(3, 4, 5)


def test_an_offset_beyond_the_end_is_not_kept(
    world: World, read_once: Follower
) -> None:
    """vectordotdev/vector#23076, PR#26334: a stale offset must not skip anything."""
    world.remove(ACTIVE)
    world.write(ACTIVE, line(3))
    read_once.restart()

    assert read_once.follow() == line(3)


@pytest.mark.parametrize("in_place", [False, True])
def test_neither_beginning_nor_inode_alone_is_identity(
    world: World, *, in_place: bool
) -> None:
    """vectordotdev/vector#25079, logstash-input-file#114: either of them deceives."""
    world.append(ACTIVE, HEADER + lines(1, 2, 3))
    follower = Follower(world)
    follower.follow()
    new = HEADER + lines(4, 5, 6, 7)
    if in_place:
        world.rewrite(ACTIVE, new)
    else:
        world.write(ACTIVE, new)

    assert follower.follow() == new


def test_files_that_begin_alike_are_both_read(world: World) -> None:
    """elastic/beats#38003: an equal first KiB is no reason to skip a file.

    Neither on two hosts that were installed from one image, nor for two files of a log.
    """
    world.write(ROTATED, HEADER + lines(1))
    world.write(ACTIVE, HEADER + lines(2))
    one, other = Follower(world), Follower(world, host="pc0418")

    one.follow(looks=40)
    other.follow(looks=40)

    for follower in (one, other):
        handed = {handed.data for handed in follower.handed}
        assert handed == {HEADER + lines(1), HEADER + lines(2)}
    assert {h.gen_id for h in one.handed}.isdisjoint({h.gen_id for h in other.handed})


def test_empty_files_are_nobody(world: World) -> None:
    """elastic/beats#51559: an empty file has no identity to share with another."""
    world.write(ACTIVE, b"")
    world.write(ROTATED, b"")
    follower = Follower(world)
    nothing = follower.follow()
    status = follower.harvester.status
    world.append(ROTATED, lines(1))
    world.append(ACTIVE, lines(2))

    assert (nothing, status) == (b"", Status.WAITING)
    assert follower.follow() == lines(1, 2)


def test_one_short_line_is_enough(world: World) -> None:
    """elastic/beats#44780, vectordotdev/vector#445, #643, #2701: no least size."""
    world.append(ACTIVE, line(1, ""))
    follower = Follower(world)

    assert len(line(1, "")) < 100
    assert follower.look() == line(1, "")


# --- rotation -------------------------------------------------------------------


@pytest.mark.parametrize("stopped", [False, True])
def test_the_first_lines_behind_a_known_header_are_read(
    world: World, *, stopped: bool
) -> None:
    """opentelemetry#19765: a known header does not mean a known offset."""
    world.append(ACTIVE, HEADER + lines(1))
    follower = Follower(world)
    follower.follow()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, HEADER + lines(2, 3))
    if stopped:
        follower.restart()

    assert follower.follow(looks=40) == HEADER + lines(2, 3)


def test_copied_and_truncated_with_the_same_header_goes_on(world: World) -> None:
    """opentelemetry#43693, PR#43758: a smaller file with the same header is read."""
    world.append(ACTIVE, HEADER + lines(*range(20)))
    follower = Follower(world)
    follower.follow()
    world.copy(ACTIVE, ROTATED)
    world.rewrite(ACTIVE, HEADER + lines(30))

    assert follower.follow(looks=40) == HEADER + lines(30)


@pytest.mark.parametrize("stopped", [False, True])
def test_copy_and_truncate_loses_and_doubles_nothing(
    world: World, *, stopped: bool
) -> None:
    """elastic/beats#45300 lost 115 of 150 lines, elastic/beats#39731 doubled them all.

    Fifty lines each time, copied and truncated before the last ten were read.
    """
    follower = Follower(world)
    for first in (0, 50, 100):
        world.append(ACTIVE, lines(*range(first, first + 40)))
        follower.follow()
        world.append(ACTIVE, lines(*range(first + 40, first + 50)))
        if first < 100:
            world.copy(ACTIVE, ROTATED)
            world.rewrite(ACTIVE, b"")
        if stopped:
            follower.restart()
        follower.follow()

    handed = b"".join(handed.data for handed in follower.handed)
    assert handed == lines(*range(150))
    assert (follower.lost, len(set(places(follower)))) == (0, 150)


def test_truncated_while_stopped_is_read_once(
    world: World, read_once: Follower
) -> None:
    """elastic/beats#36541, #38070: nothing is sent again at each start."""
    world.rewrite(ACTIVE, lines(3))
    read_once.restart()
    first = read_once.follow()
    brought = []
    for _ in range(3):
        read_once.restart()
        brought.append(read_once.follow())

    assert (first, brought) == (line(3), [b"", b"", b""])


def test_checkpoints_of_another_log_skip_nothing() -> None:
    """vectordotdev/vector#17240: swapped checkpoints are found out by content."""
    one, other = Memory(), Memory()
    one.append(ACTIVE, lines(1, 2, 3))
    other.append(ACTIVE, lines(4, 5, 6, 7))
    first, second = Follower(one), Follower(other)
    first.follow()
    second.follow()
    first.restart(second.checkpoints())

    assert first.follow() == lines(1, 2, 3)


def test_a_rotated_log_is_read_to_its_end_however_long_it_takes(world: World) -> None:
    """fluent/fluent-bit#10414, #2110, #1108: no time limit ends a rotated file."""
    world.append(ACTIVE, lines(*range(100)))
    follower = Follower(world, pacing=Pacing(read_bytes=900, max_line_bytes=256))
    follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(200))
    for _ in range(40):
        follower.look(600.0)

    handed = b"".join(handed.data for handed in follower.handed)
    assert handed == lines(*range(100), 200)
    assert follower.lost == 0


def test_what_a_rotated_log_took_along_is_counted(world: World) -> None:
    """fluent/fluent-bit#10414: "no warning is produced"; here its bytes are told."""
    world.append(ACTIVE, lines(*range(100)))
    follower = Follower(world, pacing=Pacing(read_bytes=900, max_line_bytes=256))
    read = follower.look()
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, lines(200))
    follower.look(read=False)
    world.remove(ROTATED)

    assert follower.follow(looks=10) == lines(200)
    assert follower.lost == len(lines(*range(100))) - len(read)


def test_a_log_replaced_amid_a_backlog_is_noticed(world: World) -> None:
    """rsyslog/rsyslog#4797, #2659: identity is checked at each read, not at the end."""
    world.append(ACTIVE, lines(*range(100)))
    follower = Follower(world, pacing=Pacing(read_bytes=900, max_line_bytes=256))
    read = follower.look()
    new = lines(*range(200, 340))
    world.rewrite(ACTIVE, new)

    assert len(read) < len(new)
    assert follower.follow() == new


def test_a_copy_is_told_by_content_not_by_name(world: World) -> None:
    """scalyr/scalyr-agent-2 PR#687: a similar name does not make a file the copy."""
    world.write("Clisvc-20030212-101500.log", lines(90, 91))
    follower = Follower(world)
    follower.follow()
    world.append(ACTIVE, lines(1, 2))
    follower.follow()
    world.append(ACTIVE, lines(3))
    world.copy(ACTIVE, "Clisvc-20030101-000000.log")
    world.rewrite(ACTIVE, lines(4))

    assert follower.follow() == lines(3, 4)


@pytest.mark.parametrize("size", [1, 90, 91, 256, 257, 1023, 1024, 1025])
def test_size_equal_to_the_offset_is_idle(world: World, size: int) -> None:
    """elastic/logstash-forwarder#146: off by one, and all is read again."""
    content = lines(1) + b"x" * size + b"\n"
    world.append(ACTIVE, content)
    follower = Follower(world)
    follower.follow()
    follower.restart()
    idle = follower.follow()
    world.append(ACTIVE, b"\n")

    assert idle == b""
    assert follower.follow() == b"\n"


def test_a_forgotten_log_is_read_under_the_same_names(read_once: Follower) -> None:
    """elastic/beats#45945: forgetting too early costs work and doubles nothing."""
    before = places(read_once)
    read_once.handed.clear()
    read_once.restart(())
    read_once.follow()

    assert places(read_once) == before


# --- shares ---------------------------------------------------------------------


def test_sizes_that_flicker_cause_no_reading_anew() -> None:
    """fluent/fluent-bit#10276, PR#10405, logstash-input-file#285: stale sizes on SMB.

    There each one made the whole file be read again.
    """
    share = Memory(share=True)
    follower = Follower(share)
    expected = b""
    for number in range(20):
        share.append(ACTIVE, line(number))
        share.files.stale[share.path(ACTIVE)] = expected[:-40]
        follower.look(5.0)
        share.files.stale.clear()
        follower.look(5.0)
        expected += line(number)

    assert b"".join(handed.data for handed in follower.handed) == expected
    assert len(follower.harvester.lives) == 1


def test_device_and_inode_are_no_part_of_identity(tmp_path: Path) -> None:
    """elastic/beats#13492, #19736, #515, #5876: a share mounted anew."""
    world = Disk(tmp_path)
    world.append(ACTIVE, lines(1, 2))
    follower = Follower(world)
    follower.follow()
    before = (tmp_path / ACTIVE).stat().st_ino
    world.copy(ACTIVE, "copy.tmp")
    world.rename("copy.tmp", ACTIVE)
    world.append(ACTIVE, lines(3))
    follower.restart()

    assert (tmp_path / ACTIVE).stat().st_ino != before
    assert follower.follow() == lines(3)


def test_nul_bytes_for_data_are_not_taken() -> None:
    """logstash-input-file#189, elastic/beats#9210, #6915: a share answers with NULs."""
    share = Memory(share=True)
    share.append(ACTIVE, lines(1))
    follower = Follower(share)
    follower.follow()
    share.append(ACTIVE, lines(2, 3))
    holed = lines(1) + b"\0" * len(lines(2, 3))
    share.files.stale[share.path(ACTIVE)] = holed
    during = follower.follow(looks=5)
    share.files.stale.clear()

    assert during == b""
    assert follower.follow() == lines(2, 3)


def test_a_share_is_never_held_open() -> None:
    """fluent/fluent-bit#7591, #11147: a handle held over SMB leaves a ghost file."""
    share = Memory(share=True)
    share.append(ACTIVE, lines(*range(50)))
    follower = Follower(share, pacing=Pacing(read_bytes=900, max_line_bytes=256))
    held = []
    for _ in range(10):
        follower.look()
        held.append(share.files.open_now)

    assert held == [0] * 10


def test_a_rotation_on_a_share_reads_what_is_new() -> None:
    """fluent/fluent-bit#3600: after a rotation the old file was read once more."""
    share = Memory(share=True)
    share.append(ACTIVE, lines(1, 2))
    follower = Follower(share)
    follower.follow()
    share.rename(ACTIVE, ROTATED)
    share.write(ACTIVE, lines(3))

    assert follower.follow(looks=10) == lines(3)


def test_a_folder_that_cannot_be_listed_forgets_nothing() -> None:
    """Filebeat's ``clean_removed``: an unreachable share is not a deleted file."""
    share = Memory(share=True)
    share.append(ACTIVE, lines(1, 2))
    follower = Follower(share)
    follower.follow()
    share.files.faults[share.folder] = Trouble.UNREACHABLE
    share.files.faults[share.path(ACTIVE)] = Trouble.UNREACHABLE
    follower.follow(looks=48, every_s=3600.0)
    follower.restart()
    follower.follow(looks=2)
    share.files.faults.clear()
    share.append(ACTIVE, lines(3))

    assert follower.follow() == lines(3)


# --- handles and locks ----------------------------------------------------------


def test_no_handle_outlives_a_look(tmp_path: Path) -> None:
    """elastic/beats#29113, elastic/filebeat#93, #34814: a held log cannot be renamed.

    On Windows a deleted one keeps its name besides, and its writer cannot begin anew
    (driskell/log-courier#119, golang/go#32088).
    """
    world = Disk(tmp_path)
    world.append(ACTIVE, lines(*range(100)))
    follower = Follower(world, pacing=Pacing(read_bytes=900, max_line_bytes=256))
    files = []
    for _ in range(5):
        assert follower.look()
        links = Path("/proc/self/fd").glob("*")
        files.append([link for link in links if _target(link).endswith(ACTIVE)])

    assert files == [[]] * 5


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # the listing's own
        return ""


def test_no_handle_is_held_while_nothing_can_be_sent() -> None:
    """DataDog/datadog-agent#4664, PR#5408: held for hours while the output was away."""
    memory = Memory()
    memory.append(ACTIVE, lines(1, 2))
    follower = Follower(memory)
    held = []
    for _ in range(5):
        follower.look(600.0, read=False)
        held.append(memory.files.open_now)

    assert held == [0] * 5
    assert follower.look() == lines(1, 2)


@pytest.mark.parametrize("winerror", [32, 33])
def test_a_lock_is_not_absence(winerror: int) -> None:
    """elastic/filebeat#157, DataDog/datadog-agent#11488: "does not exist", it said.

    A writer that shares its log with nobody is waited for, and counted as such.
    """
    error = PermissionError(13, "in use")
    error.winerror = winerror  # type: ignore[attr-defined]  # only Windows has it
    memory = Memory()
    memory.append(ACTIVE, lines(1))
    follower = Follower(memory)
    follower.look()
    memory.append(ACTIVE, lines(2))
    memory.files.faults[memory.path(ACTIVE)] = trouble_of(error).trouble
    follower.follow(looks=20, every_s=600.0)
    status = follower.harvester.status
    memory.files.faults.clear()

    assert status is Status.LOCKED
    assert follower.follow() == lines(2)
    assert follower.lost == 0


# --- lines ----------------------------------------------------------------------


def test_no_timer_cuts_a_line(world: World) -> None:
    """opentelemetry#32170, #35042, #31512: a line is whole when its line feed is there.

    There half a second without news ended it.
    """
    follower = Follower(world)
    world.append(ACTIVE, lines(1))
    follower.follow()
    for byte in line(2):
        world.append(ACTIVE, bytes([byte]))
        follower.look(60.0)

    assert [handed.data for handed in follower.handed] == [line(1), line(2)]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_in_whole_characters(world: World, codec: str) -> None:
    """opentelemetry#39011, #14615, wazuh/wazuh#2584, logstash-input-file#226.

    There lines were cut at the byte of a line feed, which other characters hold too.
    """
    odd = "\u0a41\u0100\u0a41 \u010a ok\r\n"
    text = ("\ufeff" + lines(1).decode() + odd).encode(codec)
    follower = Follower(world)
    for at in range(0, len(text), 7):
        world.append(ACTIVE, text[at : at + 7])
        follower.look()

    handed = follower.handed
    assert b"".join(piece.data for piece in handed) == text
    assert all(piece.data.endswith("\n".encode(codec)) for piece in handed)
    assert all(piece.start % 2 == 0 for piece in handed)


def test_a_long_line_does_not_silence_a_log(world: World) -> None:
    """fluent/fluent-bit#370, #10435: it is cut and flagged, and reading goes on."""
    world.append(ACTIVE, lines(1) + b"x" * 200_000 + b"\r\n" + lines(2))
    follower = Follower(world)

    assert follower.follow() == lines(1) + b"x" * 65_536 + lines(2)
    assert [h.flags for h in follower.handed] == [(), ("truncated",), ()]
