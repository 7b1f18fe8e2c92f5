# SPDX-License-Identifier: Apache-2.0
"""Laws that hold for whatever is found in place of the checkpoint store."""

from __future__ import annotations

import random
from pathlib import Path

from shipper.clock import SystemClock
from shipper.enrich import Trail
from shipper.errors import StateError
from shipper.records import Generation, Observation, Progress, Ticket
from shipper.store import Database, Settled, Sighting
from tools.fuzz.inputs import log_bytes, torn
from tools.fuzz.laws import SNAPSHOT, SOURCE, law


def _sighting(number: int) -> Sighting:
    return Sighting(
        source=SOURCE,
        generation=Generation(gen_id=f"{number:020}", ordinal=number, life=0),
        origin=Progress(snapshot=SNAPSHOT),
        observation=Observation(
            path=SOURCE.path, head_length=99, head=b"h" * 16, seen=500
        ),
    )


def _settled(number: int) -> Settled:
    ticket = Ticket(
        source=SOURCE,
        generation=_sighting(number).generation,
        progress=Progress(offset=400, anchor=b"a" * 16, snapshot=SNAPSHOT),
        events=1,
        records=1,
    )
    return Settled(ticket=ticket, records=1, duplicates=0, dead_lettered=0)


def make_store(folder: Path) -> dict[str, bytes]:
    """Return the files of a store in use: database and write-ahead log."""
    database = Database(folder / "seed.db", SystemClock())
    for number in range(3):
        database.save(
            [_sighting(number)], [_settled(number)], [(SOURCE, "ok", "detail")]
        )
    files = {
        suffix: (folder / f"seed.db{suffix}").read_bytes() for suffix in ("", "-wal")
    }
    database.close()
    files["closed"] = (folder / "seed.db").read_bytes()
    return files


def fuzz_store(data: bytes, folder: Path, wal: bytes) -> None:
    """Whatever is found in place of the store, the service starts and saves."""
    path = folder / "state.db"
    path.write_bytes(data)
    if wal:
        path.with_name("state.db-wal").write_bytes(wal)
    try:
        database = Database(path, SystemClock(), check=Trail.decode)
    except StateError as error:
        # A newer program's, by our version or by SQLite's own (read, do not write).
        refused = any(word in error.message for word in ("newer", "readonly"))
        law(refused, f"only a newer store is refused: {error}")
        return
    try:
        for checkpoint in database.checkpoints(SOURCE.key):
            law(checkpoint.progress.offset >= 0, "an offset is one")
            Trail.decode(checkpoint.progress.snapshot)
        list(database.sources())
        database.save([_sighting(7)], [_settled(7)], [(SOURCE, "ok", "")])
        offsets = {
            c.generation.gen_id: c.progress.offset
            for c in database.checkpoints(SOURCE.key)
        }
        law(offsets[f"{7:020}"] == 400, "what is saved is there")
        database.forget(30)
    finally:
        database.close()


def store_input(rng: random.Random, files: dict[str, bytes]) -> tuple[bytes, bytes]:
    """Draw a damaged database and its write-ahead log."""
    draw = rng.random()
    if draw < 0.1:
        return log_bytes(rng), b""
    if draw < 0.5:
        return torn(rng, files["closed"]), b""
    return (
        torn(rng, files[""]) if rng.random() < 0.3 else files[""],
        torn(rng, files["-wal"]),
    )
