# SPDX-License-Identifier: Apache-2.0
"""``clisvc status``: what has been read, sent, refused and lost, source by source."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from shipper.cli.options import (
    config_options,
    json_option,
    settings_from,
    state_dir,
    state_option,
)
from shipper.cli.render import table
from shipper.clock import SystemClock
from shipper.errors import UsageProblem
from shipper.store import DeadLetters, Reader, SourceStatus, StateFolder


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
        raise UsageProblem(
            f"{folder}: there is no state in it.",
            remedy="Name the folder `clisvc run` uses with --state.",
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
    columns = (
        *("host", "state", "generation", "offset", "seen", "acked", "pending"),
        *("dead_lettered", "lost", "path"),
    )
    table(
        [name.replace("_", " ") for name in columns],
        [[source[name] for name in columns] for source in sources],
        numbers=["offset", "seen", "acked", "pending", "dead lettered", "lost"],
    )
    if letters:
        click.echo(f"{letters:,} dead letters in {StateFolder.letters_in(folder)}")


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
