# SPDX-License-Identifier: Apache-2.0
"""From which epoch on what is not acknowledged may have been sent: it is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from shipper.clock import SystemClock
from shipper.store import Database, Keeper, Ledger, Reader, Settled
from tests.store.made import generation, sighting, source, ticket

_EPOCHS = {4: {"logs-a": "a1"}, 5: {"logs-a": "a2", "logs-b": "b1"}}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Yield a way to open the store, also again."""
    made: list[Database] = []

    def open_() -> Database:
        made.append(Database(tmp_path / "state.db", SystemClock()))
        return made[-1]

    yield open_
    for database in made:
        database.close()


def _settled(offset: int, *, since: int | None = None) -> Settled:
    chunk = ticket(offset)
    progress = replace(chunk.progress, snapshot=b"")
    chunk = replace(chunk, since=since, progress=progress)
    return Settled(ticket=chunk, records=1, duplicates=0, dead_lettered=0)


def _since(database: Reader) -> int:
    (checkpoint,) = database.checkpoints(source().key)
    return checkpoint.since


def test_round_trip(opened: Callable[[], Database]) -> None:
    """Epochs come back as they were saved, also those of runs before."""
    opened().save([], [], [], epochs=_EPOCHS)
    opened().save([], [], [], since=6, epochs={**_EPOCHS, 6: {"logs-a": "a3"}})

    assert opened().epochs() == {**_EPOCHS, 6: {"logs-a": "a3"}}


def test_new_generation(opened: Callable[[], Database]) -> None:
    """Of a generation of which nothing is acknowledged nothing is known.

    An earlier run whose state was lost may have sent all of it.
    """
    opened().save([sighting()], [], [], since=5, epochs=_EPOCHS)

    assert _since(opened()) == 0


def test_moves_with_the_checkpoint(opened: Callable[[], Database]) -> None:
    """What nobody can have sent before moves the epoch on, and only that.

    Behind a chunk that an earlier run may have sent more such chunks may come.
    """
    database = opened()
    database.save([sighting()], [_settled(10)], [], since=4, epochs=_EPOCHS)
    epochs = [_since(database)]
    database.save([], [_settled(20, since=4)], [], since=5, epochs=_EPOCHS)
    epochs.append(_since(database))
    database.save([], [_settled(30)], [], since=5, epochs=_EPOCHS)
    epochs.append(_since(database))

    assert epochs == [4, 4, 5]


def test_store_from_before(tmp_path: Path, opened: Callable[[], Database]) -> None:
    """A store made before there were epochs is read, and brought up to date."""
    opened().save([sighting()], [_settled(10)], [], since=5, epochs=_EPOCHS)
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE generation DROP COLUMN since")
    connection.execute("DROP TABLE epoch")
    connection.commit()
    connection.close()

    reader = Reader(path)
    before = (_since(reader), reader.checkpoints(source().key)[0].progress.offset)
    reader.close()
    database = opened()

    assert before == (0, 10)
    assert (_since(database), database.epochs()) == (0, {})
    database.save([], [_settled(20)], [], since=5, epochs=_EPOCHS)
    assert _since(opened()) == 5


def test_asked_before_the_ledger(opened: Callable[[], Database]) -> None:
    """The epoch is asked for before what is acknowledged is taken.

    A batch acknowledged in between would have taken its older epoch with it.
    """
    database, ledger = opened(), Ledger()
    chunk = _settled(10).ticket
    ledger.open(chunk)

    def since() -> int:
        ledger.settle(chunk, 1)
        return 4

    keeper = Keeper(
        database, ledger, SystemClock(), since=since, epochs=lambda: _EPOCHS
    )
    keeper.sighted(sighting(life=generation()))
    keeper.save()

    (checkpoint,) = database.checkpoints(source().key)
    assert (checkpoint.progress.offset, checkpoint.since) == (10, 4)
    assert database.epochs() == _EPOCHS
