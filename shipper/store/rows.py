# SPDX-License-Identifier: Apache-2.0
"""Rows of the checkpoint store to and from the types that travel."""

from __future__ import annotations

from typing import Any

from shipper.records import (
    Checkpoint,
    Encoding,
    Generation,
    Observation,
    Progress,
    Source,
)
from shipper.store.ledger import Settled

COLUMNS = (
    "gen_id, life, ordinal, offset, skipping, anchor, snapshot, path, head_length,"
    " head, seen, final, lost, gap, first_time, encoding, dead_lettered, records,"
    " duplicates"
)
OBSERVED = (
    "path = ?, head_length = ?, head = ?, seen = ?, final = ?, lost = ?, gap = ?,"
    " first_time = ?, encoding = ?, touched_ms = ?"
)

#: Statuses of a look that succeeded, as ``tail`` words them.
_READ = frozenset({"ok", "finished", "waiting for a first record"})

Row = tuple[Any, ...]


def text(value: str) -> str:
    """Return a name as SQLite takes it: file names need not be valid text."""
    return value.encode("utf-8", "backslashreplace").decode()


def checkpoint(row: Row) -> Checkpoint:
    """Return the generation in a row of :data:`COLUMNS`."""
    value = dict(zip(COLUMNS.split(", "), row, strict=True))
    return Checkpoint(
        generation=Generation(
            gen_id=value["gen_id"], ordinal=value["ordinal"], life=value["life"]
        ),
        progress=Progress(
            offset=value["offset"],
            skipping=bool(value["skipping"]),
            anchor=value["anchor"],
            snapshot=value["snapshot"],
        ),
        observation=Observation(
            path=value["path"],
            head_length=value["head_length"],
            head=value["head"],
            seen=value["seen"],
            final=value["final"],
            lost=value["lost"],
            gap=bool(value["gap"]),
            first_time=value["first_time"],
            encoding=Encoding(value["encoding"]),
        ),
        dead_lettered=value["dead_lettered"],
        records=value["records"],
        duplicates=value["duplicates"],
    )


def observed(observation: Observation, now_ms: int) -> Row:
    """Return the values for :data:`OBSERVED`."""
    return (
        text(observation.path),
        observation.head_length,
        observation.head,
        observation.seen,
        observation.final,
        observation.lost,
        observation.gap,
        observation.first_time,
        observation.encoding.value,
        now_ms,
    )


def progress(settled: Settled, now_ms: int) -> Row:
    """Return the values that move a generation's checkpoint."""
    ticket = settled.ticket
    return (
        ticket.progress.offset,
        ticket.progress.skipping,
        ticket.progress.anchor,
        ticket.progress.snapshot,
        settled.records,
        settled.duplicates,
        settled.dead_lettered,
        now_ms,
        text(ticket.source.key),
        ticket.generation.gen_id,
        ticket.generation.life,
    )


def source(source: Source, status: str, detail: str, now_ms: int) -> Row:
    """Return the row of a source."""
    ok = now_ms if status in _READ else None
    return (
        text(source.key),
        text(source.host),
        text(source.log),
        text(source.path),
        status,
        text(detail),
        now_ms,
        ok,
    )
