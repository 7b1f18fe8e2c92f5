# SPDX-License-Identifier: Apache-2.0
"""Rows of the checkpoint store to and from the types that travel."""

from __future__ import annotations

from typing import Any

import msgspec

from shipper.records import Checkpoint, Observation, Source
from shipper.store.ledger import Settled

COLUMNS = (
    "gen_id, life, ordinal, offset, skipping, anchor, snapshot, path, head_length,"
    " head, seen, final, lost, gap, first_time, encoding, dead_lettered, records,"
    " duplicates, since"
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
    """Return the generation in a row of :data:`COLUMNS`.

    Raises:
        ValueError: it is damaged: a value is none that was ever written there.
    """
    value = dict(zip(COLUMNS.split(", "), row, strict=True))
    value |= {"skipping": bool(value["skipping"]), "gap": bool(value["gap"])}
    parts = {"generation": value, "progress": value, "observation": value}
    found = msgspec.convert(value | parts, Checkpoint, builtin_types=(bytes,))
    if found.progress.offset < 0:
        raise ValueError(f"offset {found.progress.offset}")
    return found


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


def progress(settled: Settled, since: int, now_ms: int) -> Row:
    """Return the values that move a generation's checkpoint.

    Behind a chunk that an earlier run may have sent more such chunks may come: only one
    that nobody can have sent tells that they are all acknowledged.
    """
    ticket = settled.ticket
    return (
        ticket.progress.offset,
        ticket.progress.skipping,
        ticket.progress.anchor,
        ticket.progress.snapshot,
        settled.records,
        settled.duplicates,
        settled.dead_lettered,
        since if ticket.since is None else None,
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
