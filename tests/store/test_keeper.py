# SPDX-License-Identifier: Apache-2.0
"""When progress is saved, and what happens if it cannot be."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipper.clock import SystemClock
from shipper.errors import StateError
from shipper.records import Observation
from shipper.store import Database, Keeper, Ledger
from shipper.tail import Status
from tests.fakes.clock import START_MS, ManualClock
from tests.store.made import sighting, source, ticket


class CountingDatabase(Database):
    """A store that counts the times it is saved to."""

    saves = 0

    def save(self, *what: object, **more: object) -> None:
        """Save, and count it once it is done."""
        super().save(*what, **more)  # type: ignore[arg-type]  # as it came
        self.saves += 1


@pytest.fixture
def database(tmp_path: Path) -> Iterator[CountingDatabase]:
    """Yield a store."""
    made = CountingDatabase(tmp_path / "state.db", SystemClock())
    yield made
    made.close()


def _until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.005)


def _offset(database: Database) -> int:
    """Return the saved position, 0 before there is any."""
    saved = database.checkpoints(source().key)
    return sum(checkpoint.progress.offset for checkpoint in saved)


def test_nothing_new_nothing_written(database: CountingDatabase) -> None:
    """Without news there is no write, however often one looks."""
    keeper = Keeper(database, Ledger(), SystemClock())
    keeper.save()
    for _ in range(3):
        keeper.sighted(sighting())
        keeper.visited(source(), "ok", "")
        keeper.save()

    assert database.saves == 1


def test_changes_are_written(database: CountingDatabase) -> None:
    """A new status or observation is news, and the last one counts."""
    keeper = Keeper(database, Ledger(), SystemClock())
    keeper.visited(source(), "ok", "")
    keeper.save()
    keeper.sighted(sighting(observation=Observation(path="p", seen=1)))
    keeper.sighted(sighting(observation=Observation(path="p", seen=2)))
    keeper.visited(source(), "locked", "in use")
    keeper.save()

    (found,) = database.sources()
    assert database.saves == 2
    assert (found.status, found.detail) == ("locked", "in use")
    assert found.checkpoints[0].observation.seen == 2


def test_a_look_that_finds_nothing_new_is_dated(tmp_path: Path) -> None:
    """A log that stays quiet counts as looked at, to the minute."""
    clock = ManualClock()
    database = CountingDatabase(tmp_path / "state.db", clock)
    keeper = Keeper(database, Ledger(), clock)
    for seconds in (0, 59, 1, 59):
        clock.advance(seconds)
        keeper.visited(source(), "ok", "")
        keeper.save()
    (found,) = database.sources()
    database.close()

    assert database.saves == 2
    assert found.last_ok_ms == START_MS + 60_000


@pytest.mark.parametrize("status", Status)
def test_looks_that_succeed(database: CountingDatabase, status: Status) -> None:
    """A file that was read, to its end or before its first record, was reached."""
    keeper = Keeper(database, Ledger(), SystemClock())
    keeper.visited(source(), status, "")
    keeper.save()
    (found,) = database.sources()

    reached = {Status.OK, Status.FINISHED, Status.WAITING}
    assert (found.last_ok_ms is not None) == (status in reached)


def test_every_second(database: CountingDatabase) -> None:
    """What is acknowledged is saved within about a second."""
    ledger, chunk = Ledger(), ticket(10)
    keeper = Keeper(database, ledger, SystemClock())
    keeper.start()
    keeper.sighted(sighting())
    ledger.open(chunk)
    ledger.settle(chunk, 1)

    try:
        _until(lambda: _offset(database) == 10)
    finally:
        keeper.stop()

    assert keeper.trouble is None


def test_eight_batches(database: CountingDatabase) -> None:
    """Eight batches are saved at once, seven wait for the interval to pass."""
    keeper = Keeper(database, Ledger(), SystemClock(), every_s=3_600)
    keeper.sighted(sighting())
    keeper.start()
    for _ in range(7):
        keeper.batch_done()
    threading.Event().wait(0.1)
    before = database.saves

    keeper.batch_done()

    try:
        _until(lambda: database.saves == 1)
    finally:
        keeper.stop()
    assert before == 0


def test_stop_saves(database: CountingDatabase) -> None:
    """What was acknowledged last is saved at the end."""
    ledger, chunk = Ledger(), ticket(10)
    keeper = Keeper(database, ledger, SystemClock())
    keeper.start()
    keeper.sighted(sighting())
    ledger.open(chunk)
    ledger.settle(chunk, 1)

    keeper.stop()

    assert _offset(database) == 10


def test_trouble_is_kept(database: CountingDatabase) -> None:
    """A store that fails ends the thread, and the reason can be asked for."""
    keeper = Keeper(database, Ledger(), SystemClock())
    keeper.sighted(sighting())
    database.close()
    keeper.start()

    _until(lambda: keeper.trouble is not None)

    assert isinstance(keeper.trouble, StateError)
    assert "the state cannot be saved" in keeper.trouble.message
    assert isinstance(keeper.trouble.__cause__, sqlite3.Error)
    keeper.stop()


def test_any_failure_is_kept(database: CountingDatabase) -> None:
    """A fault of the program ends the thread too, but never in silence."""
    keeper = Keeper(database, Ledger(), SystemClock())
    keeper.sighted(sighting(observation=Observation(path="p", seen=2**63)))
    keeper.start()

    _until(lambda: keeper.trouble is not None)

    assert keeper.trouble is not None
    assert keeper.trouble.message.startswith("Progress cannot be saved: OverflowError")
    keeper.stop()


def test_failure_at_the_end(database: CountingDatabase) -> None:
    """If the last save fails, stopping says so."""
    keeper = Keeper(database, Ledger(), SystemClock())
    keeper.sighted(sighting())
    database.close()

    with pytest.raises(StateError):
        keeper.stop()
