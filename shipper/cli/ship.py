# SPDX-License-Identifier: Apache-2.0
"""``clisvc ship``: backfill once, with progress, and a summary that adds up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from shipper.app import Backfill, Engine, Progress
from shipper.cli.garbage import collect_seldom
from shipper.cli.options import (
    config_options,
    discovery_from,
    input_options,
    json_option,
    server_options,
    settings_from,
    sink_from,
    state_dir,
    state_option,
)
from shipper.cli.render import counted
from shipper.cli.signals import say_stopping, stopping
from shipper.cli.templates import ensure_templates
from shipper.clock import SystemClock
from shipper.errors import EXIT_FOUND, EXIT_INTERRUPTED, InputProblem
from shipper.store import StateFolder
from shipper.tail import Discovery, LocalOpener, LookError
from shipper.telemetry import printable


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH|TEMPLATE...")
@server_options
@state_option
@input_options
@click.option(
    "--again", is_flag=True, help="Send everything anew; what is there is not doubled."
)
@json_option
@config_options
def ship(**options: Any) -> None:
    """Index what is in logs now, once, and end when all of it is acknowledged.

    A file named by itself is shipped alone; patterns and {host} templates bring the
    rotated files beside each log too. Progress is remembered: run it again, and only
    what is new is sent. Nothing is ever doubled.
    """
    settings = settings_from(options).settings
    discovery = discovery_from(settings, siblings_of_files=False)
    discovery.check()
    collect_seldom()
    folder = state_dir(settings, backfill=True)
    with StateFolder(folder) as state, ExitStack() as stack:
        tick = None
        if not options["as_json"] and Console(stderr=True).is_terminal:
            tick = stack.enter_context(_Display(_total_bytes(discovery)))
        sink = sink_from(settings, folder)
        engine = Engine(
            settings,
            sink,
            state,
            once=True,
            again=options["again"],
            opener=LocalOpener(discovery.roots),
            tick=tick,
        )
        begun = engine.clock.monotonic()
        with stopping() as asked, engine:
            ensure_templates(settings)
            backfill = Backfill(engine, discovery, asked)
            complete = backfill.run()
            say_stopping(asked)
        seconds = engine.clock.monotonic() - begun
    result = _result(engine, backfill)
    click.echo(
        msgspec.json.encode(result).decode()
        if options["as_json"]
        else _summary(result, engine, backfill, seconds, complete=complete)
    )
    if asked.is_set() and not complete:
        raise SystemExit(EXIT_INTERRUPTED)
    if backfill.unread:
        raise InputProblem(
            "; ".join(backfill.unread) + ".",
            remedy="Check path and permissions, then run it again: what could be read"
            " is shipped, and is not sent twice.",
        )
    if not complete or result["dead_lettered"] or result["lost"]:
        raise SystemExit(EXIT_FOUND)


class _Display(AbstractContextManager[Callable[[Progress], None]]):
    """The progress bar: files, bytes, events a second, time left."""

    def __init__(self, total: int) -> None:
        self._bar = Bar(
            TextColumn("{task.fields[files]}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="yellow", markup=False),
            console=Console(stderr=True),
            refresh_per_second=5,
        )
        self._task = self._bar.add_task("ship", total=total, files="", rate="", note="")
        self._clock = SystemClock()
        self._begun = self._clock.monotonic()

    def __enter__(self) -> Callable[[Progress], None]:
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self, progress: Progress) -> None:
        seconds = max(self._clock.monotonic() - self._begun, 0.001)
        rate = progress.counts.records / seconds
        self._bar.update(
            self._task,
            completed=progress.bytes_read,
            files=f"{progress.finished}/{progress.sources} logs",
            rate=f"{rate:,.0f} events/s",
            note=printable(progress.waiting_for)[:60],
        )


def _total_bytes(discovery: Discovery) -> int:
    opener = LocalOpener(discovery.roots)
    total = 0
    for source, siblings in discovery.scan().values():
        with suppress(LookError):
            names = opener.names(source.directory, siblings.log)
            for path in siblings.select(names):
                with opener.open(path) as file:
                    total += file.size()
    return total


def _result(engine: Engine, backfill: Backfill) -> dict[str, int]:
    progress = engine.progress()
    counts = progress.counts
    return {
        "records": progress.records,
        "indexed": counts.indexed,
        "duplicates": counts.duplicates,
        "dead_lettered": counts.dead_lettered + counts.dead_states,
        "lost": progress.lost,
        "states": counts.states,
        "already_shipped": backfill.already_shipped,
        "unchecked": counts.unchecked,
    }


def _summary(
    result: dict[str, int],
    engine: Engine,
    backfill: Backfill,
    seconds: float,
    *,
    complete: bool,
) -> str:
    progress = engine.progress()
    rate = progress.records / seconds if seconds else 0
    logs = counted(progress.sources, "log")
    read = f"{result['records']:,} records read from {logs}"
    became = (
        f"{result['indexed']:,} indexed, {result['duplicates']:,} there already,"
        f" {result['dead_lettered']:,} dead-lettered, {result['lost']:,} bytes lost;"
        f" {result['states']:,} state documents"
    )
    speed = f" ({rate:,.0f} events/s)" if result["records"] else ""
    lines = [f"{read} in {seconds:.1f} s{speed}", became]
    if result["already_shipped"]:
        before = counted(result["already_shipped"], "log")
        lines.append(f"{before} shipped before (--again sends them anew)")
    if result["unchecked"]:
        lines.append(
            f"{result['unchecked']:,} documents sent without a look into older backing"
            " indices; what was sent before a rollover may be doubled"
        )
    if not (complete or backfill.unread):
        lines.append("not finished: run it again, and it goes on from here")
    return "\n".join(lines)
