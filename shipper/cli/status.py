# SPDX-License-Identifier: Apache-2.0
"""``clisvc status``: what has been read, sent, refused and lost, source by source."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.console import Console

from shipper.cli.options import (
    BACKFILLS,
    config_options,
    json_option,
    settings_from,
    state_dir,
    state_option,
)
from shipper.cli.render import counted, prose, table
from shipper.clock import SystemClock
from shipper.errors import StateError
from shipper.store import DeadLetters, Reader, SourceStatus, StateFolder

_BYTES = ("seen", "acked", "pending", "dead_lettered", "lost")
_SHORT = ("host", "state", *_BYTES)
_LONG = ("host", "state", "path", "generation", "offset", *_BYTES)


@click.command()
@state_option
@json_option
@config_options
def status(*, as_json: bool, **options: Any) -> None:
    """Show each log's state and its bytes: seen = acked + pending + dead + lost.

    Works while `clisvc run` is running, and after it.
    """
    settings = settings_from(options).settings
    folder = state_dir(settings)
    path = folder / "state.db"
    if not path.exists():
        backfills = "" if settings.state.dir else f" (`clisvc ship`: below {BACKFILLS})"
        raise StateError(
            f"{folder}: there is no state in it.",
            remedy=f"Name the folder in use with --state{backfills}.",
        )
    clock = SystemClock()
    database = Reader(path)
    try:
        sources = [_source(source) for source in database.sources()]
    finally:
        database.close()
    letters = DeadLetters(StateFolder.letters_in(folder), clock).count()
    if as_json:
        found = {"sources": sources, "dead_letters": letters}
        click.echo(msgspec.json.encode(found).decode())
        return
    terminal = Console().is_terminal
    columns = _SHORT if terminal else _LONG
    rows = [[source[name] for name in columns] for source in sources]
    if len(rows) > 1:
        total = [sum(source[name] for source in sources) for name in _BYTES]
        rows.append(["all", *[""] * (columns.index(_BYTES[0]) - 1), *total])
    headings = [name.replace("_", " ") for name in columns]
    table(
        headings,
        rows,
        title=f"{counted(len(sources), 'log')} in {folder}" if terminal else "",
        numbers=["offset", *(name.replace("_", " ") for name in _BYTES)],
        whole=["host", "generation"],
    )
    for source in sources:
        if source["detail"]:
            prose(f"{source['host']}: {source['detail']}")
    if letters:
        prose(f"{letters:,} dead letters in {StateFolder.letters_in(folder)}")


def _source(source: SourceStatus) -> dict[str, Any]:
    latest = source.checkpoints[-1] if source.checkpoints else None
    observation = latest.observation if latest else None
    return {
        "host": source.host,
        "log": source.log,
        "path": source.path,
        "state": source.status,
        "detail": source.detail,
        "last_ok_ms": source.last_ok_ms,
        "generation": latest.generation.gen_id if latest else "",
        "generations": len(source.checkpoints),
        "offset": latest.progress.offset if latest else 0,
        "size": observation.seen if observation else 0,
        "seen": sum(c.seen for c in source.checkpoints),
        "acked": sum(c.acked for c in source.checkpoints),
        "pending": sum(c.pending for c in source.checkpoints),
        "dead_lettered": sum(c.dead_lettered for c in source.checkpoints),
        "lost": sum(c.observation.lost for c in source.checkpoints),
        "gap": any(c.observation.gap for c in source.checkpoints),
        "records": sum(c.records for c in source.checkpoints),
        "duplicates": sum(c.duplicates for c in source.checkpoints),
    }
