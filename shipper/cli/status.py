# SPDX-License-Identifier: Apache-2.0
"""``clisvc status``: what has been read, sent, refused and lost, source by source."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from shipper.audit import Evidence, evidence
from shipper.cli.evidence import show_evidence
from shipper.cli.options import (
    config_options,
    existing_state,
    has_state,
    json_option,
    settings_from,
    state_dir,
    state_option,
)
from shipper.cli.render import counted, echo_json, prose, table
from shipper.clock import SystemClock
from shipper.config import Settings
from shipper.store import DeadLetters, Reader, SourceStatus, StateFolder, spooled_in
from shipper.tail import LocalOpener

_BYTES = ("seen", "acked", "pending", "dead_lettered", "lost")
_SHORT = ("host", "state", *_BYTES)
_LONG = ("host", "state", "path", "generation", "offset", *_BYTES)


@click.command()
@click.argument("path", required=False, metavar="[PATH]")
@state_option
@click.option(
    "--host", metavar="NAME", help="Whose log PATH is, if the state has none of it."
)
@json_option
@config_options
def status(*, path: str | None, as_json: bool, **options: Any) -> None:
    """Show each log's state and its bytes: seen = acked + pending + dead + lost.

    With PATH, a log file: which generation it is taken for, by what evidence, and what
    `clisvc run` would do with it next. Works while it is running, and after it.
    """
    settings = settings_from(options).settings
    if path:
        show_evidence(_evidence(path, settings), as_json=as_json)
        return
    folder = existing_state(settings)
    sources = [_source(source) for source in _known(folder)]
    letters = DeadLetters(StateFolder.letters_in(folder), SystemClock()).count()
    spooled = spooled_in(StateFolder.spool_in(folder))
    if as_json:
        echo_json({"sources": sources, "dead_letters": letters, "spooled": spooled})
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
    if spooled:
        prose(f"{spooled:,} bytes of rotated logs in {StateFolder.spool_in(folder)}")
    if letters:
        prose(f"{letters:,} dead letters in {StateFolder.letters_in(folder)}")


def _known(folder: Path) -> list[SourceStatus]:
    database = Reader(folder / "state.db")
    try:
        return list(database.sources())
    finally:
        database.close()


def _evidence(path: str, settings: Settings) -> Evidence:
    folder = state_dir(settings)
    known = _known(folder) if has_state(folder) else []
    return evidence(
        os.path.abspath(path),  # noqa: PTH100 - links stay
        known,
        host=settings.input.host or socket.gethostname(),
        opener=LocalOpener(),
    )


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
