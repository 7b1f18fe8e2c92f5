# SPDX-License-Identifier: Apache-2.0
"""The checkpoint store, with real SQLite files."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from shipper.errors import StateError
from shipper.records import Checkpoint, Encoding, Observation, Progress
from shipper.store import Database, Settled
from tests.fakes.clock_deliver import StillClock
from tests.store.made import generation, sighting, source, ticket

_DAY_MS = 24 * 60 * 60 * 1000
Opener = Callable[[], Database]


@pytest.fixture
def clock() -> StillClock:
    """Return a clock that stands at a thousand seconds since 1970."""
    return StillClock(now_ms=1_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state.db"


@pytest.fixture
def reopened(path: Path, clock: StillClock) -> Iterator[Opener]:
    """Yield a function that opens the store, closing what was open before."""
    databases: list[Database] = []

    def reopen() -> Database:
        if databases:
            databases.pop().close()
        databases.append(Database(path, clock))
        return databases[-1]

    yield reopen
    for database in databases:
        database.close()


def _settled(offset: int, **figures: int) -> Settled:
    sums = {"records": 0, "duplicates": 0, "dead_lettered": 0, **figures}
    return Settled(ticket=ticket(offset), **sums)


def test_round_trip(reopened: Opener) -> None:
    """What is saved is there after a restart, every field of it."""
    observation = Observation(
        path="/logs/Clisvc.lo_",
        head_length=1024,
        head=b"\x00\xff",
        seen=900,
        final=800,
        lost=50,
        gap=True,
        first_time=-5,
        encoding=Encoding.UTF_16_LE,
    )
    life = generation("g0", ordinal=3, life=2)
    chunk = msgspec.structs.replace(
        ticket(700, life=life),
        progress=Progress(
            offset=700, skipping=True, anchor=b"\x01", snapshot=b"\x00state"
        ),
    )
    settled = Settled(ticket=chunk, records=7, duplicates=2, dead_lettered=11)

    reopened().save([sighting(life=life, observation=observation)], [settled], [])

    assert reopened().checkpoints(source().key) == (
        Checkpoint(
            generation=life,
            progress=chunk.progress,
            observation=observation,
            records=7,
            duplicates=2,
            dead_lettered=11,
        ),
    )


def test_new_generation_begins_at_its_origin(reopened: Opener) -> None:
    """A generation that was only seen has the state it inherited, and offset 0."""
    origin = Progress(snapshot=b"inherited")
    seen = msgspec.structs.replace(sighting(), origin=origin)

    reopened().save([seen], [], [])

    (checkpoint,) = reopened().checkpoints(source().key)
    assert checkpoint.progress == origin


def test_sighting_leaves_progress_alone(reopened: Opener) -> None:
    """What is seen later does not move the checkpoint back."""
    database = reopened()
    database.save([sighting()], [_settled(40)], [])

    grown = Observation(path="/logs/Clisvc.log", seen=99)
    database.save([sighting(observation=grown)], [], [])

    (checkpoint,) = reopened().checkpoints(source().key)
    assert checkpoint.progress.offset == 40
    assert checkpoint.observation == grown


def test_figures_add_up(reopened: Opener) -> None:
    """Figures of several saves are summed, across a restart too."""
    reopened().save([sighting()], [_settled(10, records=3, duplicates=1)], [])
    reopened().save([], [_settled(20, records=4, dead_lettered=9)], [])

    (checkpoint,) = reopened().checkpoints(source().key)
    found = checkpoint.records, checkpoint.duplicates, checkpoint.dead_lettered
    assert found == (7, 1, 9)


def test_reading_order(reopened: Opener) -> None:
    """Generations of a source come in the order they were read, and no others."""
    database = reopened()
    database.save(
        [
            sighting(life=generation("zz", ordinal=0)),
            sighting(life=generation("aa", ordinal=2)),
            sighting(life=generation("mm", ordinal=1)),
            sighting(of=source("other"), life=generation("xx")),
        ],
        [],
        [],
    )

    found = [c.generation.gen_id for c in database.checkpoints(source().key)]
    assert found == ["zz", "mm", "aa"]


def test_sources(reopened: Opener, clock: StillClock) -> None:
    """A source's status is the last one; when it was well is remembered."""
    reopened().save([sighting()], [], [(source(), "ok", "")])
    clock.now_ms += 5_000
    database = reopened()
    database.save([], [], [(source(), "unreachable", "network path not found")])

    (found,) = database.sources()
    assert (found.key, found.host, found.log) == (source().key, "pc0417", "clisvc")
    assert found.path == "/logs/pc0417/Clisvc.log"
    assert (found.status, found.detail) == ("unreachable", "network path not found")
    assert found.last_ok_ms == 1_000_000
    assert [c.generation.gen_id for c in found.checkpoints] == ["g0"]


def test_names_that_are_no_text(reopened: Opener) -> None:
    """A folder whose name is not valid text keeps its checkpoints as any other."""
    odd = msgspec.structs.replace(source(), directory="/logs/\udcff", path="/\udcff")
    observation = Observation(path="/logs/\udcff/Clisvc.log")
    settled = Settled(
        ticket=ticket(40, of=odd), records=1, duplicates=0, dead_lettered=0
    )

    reopened().save(
        [sighting(of=odd, observation=observation)], [settled], [(odd, "ok", "\udcff")]
    )

    (checkpoint,) = reopened().checkpoints(odd.key)
    assert checkpoint.progress.offset == 40


def test_one_transaction(reopened: Opener) -> None:
    """A save that fails halfway leaves nothing behind."""
    database = reopened()
    database.save([sighting()], [_settled(10)], [])
    too_big = 2**63  # more than a column holds

    with pytest.raises(OverflowError):
        database.save(
            [sighting(life=generation("new", ordinal=1))],
            [_settled(20), _settled(too_big)],
            [(source(), "ok", "")],
        )

    (checkpoint,) = database.checkpoints(source().key)
    assert checkpoint.progress.offset == 10
    assert list(database.sources()) == []


def test_save_after_failure(reopened: Opener) -> None:
    """A save that failed does not stand in the way of the next one."""
    database = reopened()
    with pytest.raises(OverflowError):
        database.save([sighting()], [_settled(2**63)], [])

    database.save([sighting()], [_settled(20)], [])

    (checkpoint,) = database.checkpoints(source().key)
    assert checkpoint.progress.offset == 20


@pytest.mark.parametrize("damage", ["no database", "torn page"])
def test_damaged_store_is_set_aside(
    reopened: Opener, path: Path, clock: StillClock, damage: str
) -> None:
    """A damaged store is kept under another name, with its log; service goes on."""
    database = reopened()
    database.save([sighting(life=generation(f"g{n}")) for n in range(200)], [], [])
    database.close()
    intact = path.read_bytes()
    content = b"not SQLite" * 99 if damage == "no database" else _torn(intact)
    path.write_bytes(content)
    path.with_name("state.db-wal").write_bytes(b"log")
    path.with_name("state.db-shm").write_bytes(b"index")

    with capture_logs() as logs:
        database = reopened()

    assert database.checkpoints(source().key) == ()
    aside = path.with_name("state.db.corrupt-1000")
    assert aside.read_bytes() == content
    assert not path.with_name("state.db-wal").read_bytes().startswith(b"log")
    (entry,) = logs
    assert entry["log_level"] == "error"
    assert entry["set_aside"] == str(aside)
    database.save([sighting()], [], [])
    assert len(database.checkpoints(source().key)) == 1
    assert clock.now_ms // 1000 == 1000


def _torn(content: bytes) -> bytes:
    """Overwrite all but the first page."""
    page = 4096
    assert len(content) > 3 * page
    return content[:page] + b"\xee" * (len(content) - page)


def test_newer_version(reopened: Opener, path: Path) -> None:
    """A newer program's store is refused, by name and version, and left alone."""
    reopened().close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()

    with pytest.raises(StateError) as caught:
        reopened()

    assert caught.value.exit_code == 65
    assert caught.value.message == (
        f"{path} is of version 2, newer than this program's 1."
    )
    assert list(path.parent.glob("*corrupt*")) == []


def test_unusable_place(tmp_path: Path, clock: StillClock) -> None:
    """A store that cannot be opened is an error of the state, not set aside."""
    (tmp_path / "state.db").mkdir()

    with pytest.raises(StateError) as caught:
        Database(tmp_path / "state.db", clock)

    assert str(tmp_path / "state.db") in caught.value.message
    assert "unable to open database file" in caught.value.message


_FILL = """
import resource, sys
from pathlib import Path
from shipper.clock import SystemClock
from shipper.errors import StateError
from shipper.records import Observation
from shipper.store import Database
from tests.store.made import generation, sighting, source

database = Database(Path(sys.argv[1]), SystemClock())
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
saved = 0
try:
    while saved < 10_000:
        big = Observation(path="x" * 20_000)
        database.save(
            [sighting(life=generation(f"g{saved}"), observation=big)], [], []
        )
        saved += 1
except StateError as error:
    print(saved, len(database.checkpoints(source().key)))
    print(error.exit_code, error.message)
database.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_full_disk(path: Path, clock: StillClock) -> None:
    """A disk without room is an error of the state; what was saved stays."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _FILL, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    figures, message = done.stdout.splitlines()
    saved, seen = map(int, figures.split())

    assert 0 < saved < 10_000
    assert seen == saved
    assert message.startswith(f"65 {path}: the state cannot be saved: ")
    assert "rollback" not in message
    database = Database(path, clock)
    assert len(database.checkpoints(source().key)) == saved
    database.close()


def test_forget(reopened: Opener, clock: StillClock) -> None:
    """Old finished generations go; unfinished ones and each source's newest stay."""
    database = reopened()
    finished = Observation(path="p", final=0)
    growing = Observation(path="p")
    database.save(
        [
            sighting(life=generation("done"), observation=finished),
            sighting(life=generation("open", ordinal=1), observation=growing),
            sighting(life=generation("newest", ordinal=2), observation=finished),
            sighting(of=source("b"), life=generation("only"), observation=finished),
        ],
        [],
        [],
    )
    clock.now_ms += 30 * _DAY_MS
    assert database.forget(30) == 0

    clock.now_ms += 1
    assert database.forget(30) == 1

    left = [c.generation.gen_id for c in database.checkpoints(source().key)]
    assert left == ["open", "newest"]
    assert len(database.checkpoints(source("b").key)) == 1


def test_forget_counts_from_last_sight(reopened: Opener, clock: StillClock) -> None:
    """A generation seen again is young again."""
    database = reopened()
    finished = Observation(path="p", final=0)
    old = sighting(observation=finished)
    database.save([old, sighting(life=generation("new", ordinal=1))], [], [])
    clock.now_ms += 29 * _DAY_MS
    database.save([old], [], [])
    clock.now_ms += 29 * _DAY_MS

    assert database.forget(30) == 0
