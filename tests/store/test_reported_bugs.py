# SPDX-License-Identifier: Apache-2.0
"""How other shippers lost their registries, or progress that was none: not here.

Each test names the report it comes from; see docs/reliability.md.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from shipper.enrich import Trail
from shipper.records import Progress
from shipper.store import Database, Ledger, Settled
from tests.fakes.clock_deliver import StillClock
from tests.store.made import generation, sighting, source, ticket


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state.db"


def opened(path: Path) -> Database:
    """Open the store as the shipper does."""
    return Database(path, StillClock(now_ms=1_000_000), check=Trail.decode)


def settled(offset: int, snapshot: bytes = b"") -> Settled:
    """Return progress to save."""
    progress = Progress(offset=offset, anchor=b"a", snapshot=snapshot)
    entry = msgspec.structs.replace(ticket(offset), progress=progress)
    return Settled(ticket=entry, records=1, duplicates=0, dead_lettered=0)


def made(path: Path) -> bytes:
    """Make a store of several pages and return its bytes."""
    database = opened(path)
    lives = [sighting(life=generation(f"g{n}", ordinal=n)) for n in range(200)]
    database.save(lives, [settled(40)], [(source(), "ok", "")])
    database.close()
    return path.read_bytes()


def starts_and_saves(path: Path) -> None:
    """Check that a shipper with this store starts, and finds its progress again."""
    database = opened(path)
    database.save([sighting()], [settled(70)], [])
    database.close()
    database = opened(path)
    offsets = [c.progress.offset for c in database.checkpoints(source().key)]
    database.close()
    assert 70 in offsets


# --- damaged stores -------------------------------------------------------------


def test_a_store_of_nul_bytes_does_not_stop_the_service(path: Path) -> None:
    """elastic/beats#3537, #4733: a power cut left a registry of NUL bytes."""
    path.write_bytes(bytes(len(made(path))))

    starts_and_saves(path)


@pytest.mark.parametrize("content", [b"{", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_store_that_is_none_does_not_stop_the_service(
    path: Path, content: bytes
) -> None:
    """elastic/beats#25135: a "corrupted data file" kept the service from starting."""
    path.write_bytes(content)

    starts_and_saves(path)


@pytest.mark.parametrize("page", [1, 2, 5])
@pytest.mark.parametrize("cut", [False, True])
def test_torn_pages_do_not_stop_the_service(
    path: Path, page: int, *, cut: bool
) -> None:
    """opentelemetry#35899, #36840, #49735: bbolt panics over torn pages."""
    intact = made(path)
    begin, end = page * 4096, page * 4096 + 4096
    path.write_bytes(intact[:begin] + (b"" if cut else b"\xee" * 4096 + intact[end:]))

    starts_and_saves(path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("encoding", "klingon"),
        ("offset", "forty"),
        ("offset", -1),
        ("head", 7),
        ("snapshot", b"\xc1"),
        ("path", b"\xff\xfe"),
    ],
)
def test_a_damaged_value_is_a_damaged_store(
    path: Path, column: str, value: object
) -> None:
    """elastic/beats#25135 once more: sound pages may hold what nobody wrote there."""
    made(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"UPDATE generation SET {column} = ?", (value,))  # noqa: S608 - ours
    connection.close()

    database = opened(path)
    found = database.checkpoints(source().key)
    database.close()

    assert found == ()
    assert len(list(path.parent.glob("state.db.corrupt-*"))) == 1
    starts_and_saves(path)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (b"touched_ms", b"touChed_ns"),
        (b"status TEXT NOT NULL", b"status,TEXT NOT NULL"),
        (b"key TEXT PRIMARY KEY, host", b"kez TEXT PRIMARY KEY, host"),
    ],
)
def test_a_table_of_somebody_else_is_a_damaged_store(
    path: Path, ours: bytes, theirs: bytes
) -> None:
    """A column changed by a flipped bit would make each save fail for ever."""
    intact = made(path)
    assert ours in intact
    path.write_bytes(intact.replace(ours, theirs, 1))

    starts_and_saves(path)


def test_recovery_is_done_once(path: Path) -> None:
    """elastic/beats#35893: one damaged entry cost a whole checkpoint at every save."""
    path.write_bytes(b"not a database" * 500)
    for _ in range(3):
        starts_and_saves(path)

    assert len(list(path.parent.glob("state.db.corrupt-*"))) == 1


# --- saving ---------------------------------------------------------------------

_SAVE_FOR_EVER = """
import sys
from pathlib import Path
from shipper.clock import SystemClock
from shipper.store import Database
from tests.store.made import sighting
from tests.store.test_reported_bugs import settled

database = Database(Path(sys.argv[1]), SystemClock())
database.save([sighting()], [], [])
offset = 0
while True:
    offset += 1
    database.save([], [settled(offset)], [])
    print(offset, flush=True)
"""


@pytest.mark.parametrize("after", [1, 50])
def test_no_instant_is_without_a_store(path: Path, after: int) -> None:
    """elastic/beats#19634: killed amid a save, the registry was gone."""
    with subprocess.Popen(
        [sys.executable, "-c", _SAVE_FOR_EVER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        process.kill()
        told = max(
            after, *(int(row) for row in process.stdout if row.endswith("\n")), 0
        )
    database = opened(path)
    (found,) = database.checkpoints(source().key)
    database.close()

    assert found.progress.offset >= told
    assert list(path.parent.glob("state.db.corrupt-*")) == []


def test_a_shorter_state_after_a_longer_one(path: Path) -> None:
    """rsyslog/rsyslog#2662: the end of the longer one stood behind the shorter."""
    long, short = Trail(neighbour_zone="x" * 5000).encode(), Trail().encode()
    database = opened(path)
    database.save([sighting()], [settled(40, long)], [])
    database.save([], [settled(50, short)], [])
    database.close()
    database = opened(path)
    (found,) = database.checkpoints(source().key)
    database.close()

    assert (found.progress.offset, found.progress.snapshot) == (50, short)


def test_position_and_state_are_saved_together(path: Path) -> None:
    """scalyr/scalyr-agent-2#638, PR#607: parts of two checkpoints were put together."""
    database = opened(path)
    database.save([sighting()], [settled(40, Trail().encode())], [])
    with pytest.raises(OverflowError):
        database.save([], [settled(50), settled(2**63)], [])
    (found,) = database.checkpoints(source().key)
    database.close()

    assert found.progress == settled(40, Trail().encode()).ticket.progress


# --- progress is what is acknowledged -------------------------------------------


def test_reading_is_not_progress() -> None:
    """fluent/fluent-bit#2051, #1797, #4225, #11265: what was read is not yet sent.

    There offsets were saved as data was read, and a stop lost what was buffered.
    """
    ledger = Ledger()
    chunks = [ticket(offset, events=2) for offset in (10, 20, 30)]
    for chunk in chunks:
        ledger.open(chunk)
    ledger.settle(chunks[0], 1)
    ledger.settle(chunks[2], 2)

    assert ledger.take() == []


def test_only_what_is_acknowledged_without_a_hole_is_progress() -> None:
    """fluent/fluent-bit#6995, #10952: an offset moved on past a chunk that was lost."""
    ledger = Ledger()
    chunks = [ticket(offset, events=1) for offset in (10, 20, 30)]
    for chunk in chunks:
        ledger.open(chunk)
    ledger.settle(chunks[2], 1)
    ledger.settle(chunks[0], 1)

    (found,) = ledger.take()
    assert found.ticket.progress.offset == 10
