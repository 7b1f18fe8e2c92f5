# SPDX-License-Identifier: Apache-2.0
"""Rests of logs outlive their files while nothing can be delivered."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.records import Generation, Source
from shipper.store import Spool, spooled_in
from shipper.tail import LocalOpener, LookError, Pacing, Trouble
from tests.fakes.clock import ManualClock
from tests.fakes.files import MemoryFiles
from tests.tail.following import ACTIVE, ROTATED, Follower, Memory, line, lines

ROOMY = 1 << 20
GENERATION = Generation(gen_id="0123456789abcdefghij")


def source(host: str = "pc0417") -> Source:
    """Return a source."""
    return Source(
        host=host, log="clisvc", directory="/logs", path=f"/logs/{host}/{ACTIVE}"
    )


def spool_over(files: MemoryFiles, folder: Path, max_bytes: int = ROOMY) -> Spool:
    """Return a spool in ``folder`` for the logs in ``files``."""
    return Spool(folder / "spool", files, ManualClock(), max_bytes=max_bytes)


def following(folder: Path, max_bytes: int = ROOMY) -> tuple[Memory, Follower]:
    """Return a folder with logs and who follows them, with a spool."""
    world = Memory()
    spool = spool_over(world.files, folder, max_bytes)
    return world, Follower(world, spool=spool)


def rotate(world: Memory, content: bytes) -> None:
    """Rename the log over its predecessor, and begin a new one."""
    world.rename(ACTIVE, ROTATED)
    world.write(ACTIVE, content)


def kept(folder: Path) -> list[Path]:
    """Return the files in the spool."""
    return sorted((folder / "spool").glob("*"))


def test_two_rotations_in_an_outage(tmp_path: Path) -> None:
    """What two rotations took while nothing could be sent is read all the same."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1, 2))
    assert follower.look() == lines(1, 2)

    world.append(ACTIVE, lines(3))
    follower.suffer()
    rotate(world, lines(10, 11))
    follower.suffer()
    rotate(world, lines(20))
    follower.suffer()
    rotate(world, lines(30))
    follower.suffer()

    assert follower.follow() == lines(3, 10, 11, 20, 30)
    assert follower.lost == 0
    assert follower.gaps == [False, False, False, False]


def test_state_is_handed_on_in_reading_order(tmp_path: Path) -> None:
    """A generation begun in an outage inherits its predecessor's last state."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1))
    follower.suffer()
    rotate(world, lines(10, 11))
    follower.suffer()
    rotate(world, lines(20))
    follower.suffer()

    follower.follow()

    states = [life.origin.snapshot for life in follower.harvester.lives]
    first, second = len(lines(1)), len(lines(10, 11))
    assert states == [b"", b"state at %d" % first, b"state at %d" % second]


def test_restart_in_an_outage(tmp_path: Path) -> None:
    """Rests survive a restart: what was read but not saved is read again."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1, 2))
    follower.look()
    saved = follower.checkpoints()
    world.append(ACTIVE, lines(3, 4))
    assert follower.look() == lines(3, 4)
    generation = follower.harvester.lives[0].generation
    follower.unsaved = {generation: len(lines(1, 2))}
    rotate(world, lines(10))
    follower.suffer()
    rotate(world, lines(20))
    follower.suffer()

    follower.spool = spool_over(world.files, tmp_path)
    follower.restart(saved)

    assert follower.follow() == lines(3, 4, 10, 20)
    assert follower.lost == 0


def test_state_lost_in_an_outage(tmp_path: Path) -> None:
    """A rest nobody remembers is read from where it begins."""
    world, follower = following(tmp_path)
    long = b"".join(line(n, "x" * 200) for n in range(1, 40))
    world.write(ACTIVE, long)
    assert follower.look() == long
    world.append(ACTIVE, lines(51, 52))
    follower.suffer()
    rotate(world, lines(55))
    follower.suffer()
    world.remove(ROTATED)

    follower.spool = spool_over(world.files, tmp_path)
    follower.restart(())

    assert follower.follow() == lines(51, 52, 55)


def test_writer_goes_on_after_the_rotation(tmp_path: Path) -> None:
    """What is still written to a rotated file is kept too."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1))
    follower.suffer()
    rotate(world, lines(10))
    follower.suffer()
    world.append(ROTATED, lines(2))
    follower.suffer()
    rotate(world, lines(20))
    follower.suffer()

    assert len(kept(tmp_path)) == 2
    assert follower.follow() == lines(1, 2, 10, 20)


def test_nothing_needed_nothing_kept(tmp_path: Path) -> None:
    """What is saved as acknowledged needs no copy, nor does the active log."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1))
    follower.follow()
    rotate(world, lines(10))
    follower.follow()

    follower.suffer()

    assert kept(tmp_path) == []


def test_given_back(tmp_path: Path) -> None:
    """A rest is deleted once it is saved as acknowledged to its end, not before."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1, 2))
    follower.suffer()
    rotate(world, lines(10))
    follower.suffer()
    life = follower.harvester.lives[0]
    spool = follower.spool
    assert spool is not None
    before = spool.size

    spool.release(follower.source, life.generation, len(lines(1)))
    partly = spool.size
    assert spooled_in(tmp_path / "spool") == partly
    spool.release(follower.source, life.generation, len(lines(1, 2)))

    assert spooled_in(tmp_path / "spool") == spool.size
    assert (before, partly, spool.size) == (len(lines(1, 2)), len(lines(1, 2)), 0)
    assert kept(tmp_path) == []
    assert spool.paths(follower.source) == []


def test_given_back_as_soon_as_it_is_read(tmp_path: Path) -> None:
    """A rest that is read to its end is finished: nothing is missed when it goes."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1))
    follower.suffer()
    rotate(world, lines(10))
    follower.suffer()
    world.remove(ROTATED)

    assert follower.look() == lines(1)
    life = follower.harvester.lives[0]
    assert follower.spool is not None
    follower.spool.release(follower.source, life.generation, life.position)

    assert follower.follow() == lines(10)
    assert follower.gaps == [False, False]


def test_full(tmp_path: Path) -> None:
    """Without room the loss is the bytes seen and not read, and nothing else is."""
    world, follower = following(tmp_path, max_bytes=len(lines(1, 2)))
    world.write(ACTIVE, lines(1))
    assert follower.look() == lines(1)
    world.append(ACTIVE, lines(2, 3))
    follower.suffer()
    rotate(world, lines(10))
    follower.suffer()
    rotate(world, lines(20))
    follower.suffer()

    assert follower.follow(looks=10) == lines(10, 20)
    assert follower.lost == len(lines(2, 3))
    assert follower.gaps == [True, False, False]


def test_partial_last_line(tmp_path: Path) -> None:
    """An unterminated last line of a rotated file is kept with the rest."""
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1) + b"half")
    follower.suffer()
    rotate(world, lines(10))
    follower.suffer()
    rotate(world, lines(20))
    follower.suffer()

    assert follower.follow() == lines(1) + b"half" + lines(10, 20)


def test_cut_short(tmp_path: Path) -> None:
    """A copy that a crash cut short is thrown away; other files are left alone."""
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "0.1.tmp").write_bytes(b"half")
    (folder / "notes.txt").write_bytes(b"of somebody")

    spool = spool_over(MemoryFiles(), tmp_path)

    assert [path.name for path in kept(tmp_path)] == ["notes.txt"]
    assert spool.size == 0


def test_changed_while_copied(tmp_path: Path) -> None:
    """A file that changes while it is copied is not kept."""
    files = MemoryFiles()
    files.write("/logs/a", lines(1))
    spool = spool_over(files, tmp_path)

    with files.open("/logs/a") as file:
        assert not spool.keep(source(), GENERATION, file, 0, lambda: False)

    assert kept(tmp_path) == []
    assert spool.size == 0


@pytest.mark.parametrize(
    ("held", "wanted", "sharers", "expected"),
    [
        (0, 1000, 1, True),  # all of it for the only one
        (0, 1001, 1, False),
        (0, 500, 10, True),  # up to one half: first come, first served
        (0, 501, 10, False),
        (500, 100, 10, True),  # in the other half: one tenth each
        (500, 101, 10, False),
        (950, 60, 10, False),  # never more than there is
    ],
)
def test_shares(
    tmp_path: Path, held: int, wanted: int, sharers: int, *, expected: bool
) -> None:
    """A noisy log leaves room for the others; together they stay within the limit."""
    files = MemoryFiles()
    spool = spool_over(files, tmp_path, max_bytes=1000)
    for part in range(held // 50):
        files.write("/logs/other", b"x" * 50)
        with files.open("/logs/other") as file:
            other = source(f"pc{part}")
            assert spool.keep(other, GENERATION, file, 0, lambda: True)
    spool.sharers = sharers
    files.write("/logs/a", b"x" * wanted)

    with files.open("/logs/a") as file:
        assert spool.keep(source(), GENERATION, file, 0, lambda: True) == expected

    assert spool.size == held + expected * wanted


@given(data=st.binary(min_size=1, max_size=9000), share=st.floats(0, 1))
def test_same_bytes_at_the_same_places(
    data: bytes, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A rest has the log's beginning and end, each byte where the log has it."""
    folder = tmp_path_factory.mktemp("spooled")
    start = int(len(data) * share)
    log = folder / "log"
    log.write_bytes(data)
    spool = Spool(folder / "spool", LocalOpener(), ManualClock(), max_bytes=ROOMY)
    with spool.open(str(log)) as file:
        assert spool.keep(source(), GENERATION, file, start, lambda: True)
    (path,) = spool.paths(source())

    with spool.open(path) as rest:
        size, beginning = rest.size(), rest.pread(0, 4096)
        before = max(0, start - 256)
        tail = rest.pread(before, len(data))

    assert (size, beginning, tail) == (len(data), data[:4096], data[before:])


def test_once_keeps_nothing() -> None:
    """A backfill reads without a spool: it has no outage to outlive."""
    world = Memory()
    world.write(ACTIVE, lines(1))
    follower = Follower(world, pacing=Pacing(once=True))
    follower.harvester.rescue({})

    assert follower.follow(looks=1) == lines(1)


def test_a_rest_given_back_is_no_log(tmp_path: Path) -> None:
    """Whoever still has the path of a rest that was given back is told it is gone."""
    files = MemoryFiles()
    files.write("/logs/a", lines(1))
    spool = spool_over(files, tmp_path)
    with files.open("/logs/a") as file:
        spool.keep(source(), GENERATION, file, 0, lambda: True)
    (path,) = spool.paths(source())
    spool.release(source(), GENERATION, len(lines(1)))
    Path(path).write_bytes(b"what could not be deleted")

    with pytest.raises(LookError) as caught:
        spool.open(path)

    assert caught.value.trouble is Trouble.MISSING


@pytest.mark.parametrize("shorter", ["0-9000", "0-10500"])
def test_the_longer_of_two(tmp_path: Path, shorter: str) -> None:
    """Killed between two copies of a growing file, the one that has more is used."""
    folder = tmp_path / "spool"
    folder.mkdir()
    name = f"{'0' * 24}.{GENERATION.gen_id}.0."
    sizes = {"0-9000": 9_000, "0-10500": 10_500}
    for part, size in sizes.items():
        cut = 1 if part == shorter and shorter == "0-10500" else 0
        (folder / f"{name}{part}.spool").write_bytes(b"x" * (size - cut))

    spool = spool_over(MemoryFiles(), tmp_path)

    # A file that is shorter than its name says was cut by a crash of the machine.
    expected = "0-10500" if shorter == "0-9000" else "0-9000"
    assert [path.name for path in kept(tmp_path)] == [f"{name}{expected}.spool"]
    assert spool.size == sizes[expected]


def test_a_rest_that_begins_too_late(tmp_path: Path) -> None:
    """After the loss of the store, a rest of the end alone is no place to read on."""
    world, follower = following(tmp_path)
    long = b"".join(line(n, "x" * 200) for n in range(1, 40))
    world.write(ACTIVE, long)
    follower.look()
    world.append(ACTIVE, lines(51, 52))
    follower.suffer()
    rotate(world, lines(55))
    follower.suffer()

    follower.spool = spool_over(world.files, tmp_path)
    follower.restart(())
    follower.look(read=False)
    follower.suffer()
    rotate(world, lines(59))
    follower.suffer()

    assert follower.follow(looks=8) == long + lines(51, 52, 55, 59)
    assert follower.lost == 0


def test_growing_counts_once(tmp_path: Path) -> None:
    """A rest that grows needs room for what is new only."""
    files = MemoryFiles()
    spool = spool_over(files, tmp_path, max_bytes=1000)
    spool.sharers = 2
    files.write("/logs/a", b"x" * 480)
    for _ in range(2):
        with files.open("/logs/a") as file:
            assert spool.keep(source(), GENERATION, file, 0, lambda: True)
        files.append("/logs/a", b"x" * 10)

    assert spool.size == 490
    assert len(kept(tmp_path)) == 1


def test_a_rest_nobody_remembers_is_nobody_elses(tmp_path: Path) -> None:
    """After the loss of the store, another life of the same beginning has its number.

    What is acknowledged of that one gives nothing back. (Found by the state machine.)
    """
    world, follower = following(tmp_path)
    world.write(ACTIVE, lines(1, 2, 3))
    follower.suffer()
    rotate(world, lines(1, 7, 8, 9))
    follower.suffer()
    world.remove(ROTATED)

    follower.spool = spool = spool_over(world.files, tmp_path)
    spool.adopt(follower.source, [])
    follower.restart(())
    follower.look()
    for life in follower.harvester.lives:
        spool.release(follower.source, life.generation, life.position)
    rest = follower.follow(looks=20, every_s=61.0)

    assert lines(2, 3) in rest
    for life in follower.harvester.lives:
        spool.release(follower.source, life.generation, life.position)
    assert kept(tmp_path) == []


def test_a_rest_of_a_known_generation_keeps_its_number(tmp_path: Path) -> None:
    """A restart with its store changes nothing."""
    files = MemoryFiles()
    files.write("/logs/a", lines(1))
    spool = spool_over(files, tmp_path)
    with files.open("/logs/a") as file:
        spool.keep(source(), GENERATION, file, 0, lambda: True)
    before = kept(tmp_path)

    spool.adopt(source(), [GENERATION])
    known = kept(tmp_path)
    spool.adopt(source(), [])
    orphan = kept(tmp_path)
    spool.adopt(source(), [])

    assert known == before != orphan == kept(tmp_path)
