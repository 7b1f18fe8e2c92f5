# SPDX-License-Identifier: Apache-2.0
"""``clisvc replay``: send a file's records again, whatever the state says."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec
from elasticsearch import Elasticsearch

from shipper.app import Assembly
from shipper.audit import Replayed, Replaying
from shipper.cli.options import (
    config_options,
    discovery_from,
    json_option,
    log_options,
    server_options,
    settings_from,
    sink_from,
)
from shipper.cli.render import counted, echo_json, prose, say_unchecked
from shipper.cli.signals import interrupting
from shipper.cli.templates import ensure_templates
from shipper.clock import SystemClock
from shipper.config import Settings
from shipper.deliver import Gate, connect
from shipper.errors import EXIT_FOUND, UsageProblem
from shipper.records import Source
from shipper.tail import LocalOpener


@click.command()
@click.argument("path", metavar="PATH")
@click.option(
    "--from",
    "begin",
    type=click.IntRange(0),
    default=0,
    metavar="OFFSET",
    help="Only records that begin at this byte or behind it [0].",
)
@click.option(
    "--rewrite",
    is_flag=True,
    help="Delete the range's documents first: for another zone, or newer knowledge.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask before deleting, nor whether a log unknown to the data stream is"
    " this machine's.",
)
@server_options
@log_options
@json_option
@config_options
def replay(
    *, path: str, begin: int, rewrite: bool, yes: bool, as_json: bool, **options: Any
) -> None:
    """Send a file's records again, and the agent states they cause.

    The host is part of a document's id: give the same --host as when it was shipped.
    No state folder is read or written. What is there already is not doubled. The files
    beside it are read too, because states have a history, but not sent. If --rewrite is
    interrupted, `clisvc replay` without it completes the range.
    """
    settings = settings_from(options | {"paths": (path,)}).settings
    Assembly(settings, SystemClock())
    replaying, source = _replaying(settings, path, begin)
    if rewrite and not yes and not sys.stdin.isatty():
        raise UsageProblem(
            "--rewrite deletes documents, and nobody can be asked here.",
            remedy="Add --yes if that is meant.",
        )
    result: dict[str, int] = {}
    with ExitStack() as stack:
        stack.enter_context(interrupting())
        client = connect(settings.elasticsearch)
        stack.callback(client.close)
        if not (yes or source.explicit_host or replaying.known(client)):
            raise UsageProblem(
                f"{path}: nothing of it is there as the log of {source.host}, this"
                " machine.",
                remedy="Name the host it was shipped for with --host, or add --yes if"
                " it is this one.",
            )
        sink = sink_from(settings, Path(socket.gethostname()))
        stack.callback(sink.close)
        ensure_templates(settings)
        if rewrite:
            if not yes:
                _confirm(client, replaying, path)
            result["deleted"] = replaying.delete(client)
            result["kept"] = replaying.kept
        replayed = replaying.send(sink, Gate(SystemClock()))
    if as_json:
        echo_json(msgspec.to_builtins(replayed) | result)
    else:
        _show(replayed, result)
    if replayed.refused:
        raise SystemExit(EXIT_FOUND)


def _replaying(settings: Settings, path: str, begin: int) -> tuple[Replaying, Source]:
    discovery = discovery_from(settings, shared=False)
    if not all(pattern.literal for pattern in discovery.patterns):
        raise UsageProblem(
            f"{path}: replay takes one file, not a pattern.",
            remedy="Name the file, and its host with --host.",
        )
    ((source, siblings),) = discovery.scan().values()
    ((found, _),) = discovery.patterns[0].paths()
    replaying = Replaying(
        settings,
        source,
        siblings,
        found,
        begin=begin,
        clock=SystemClock(),
        opener=LocalOpener(discovery.roots),
    )
    return replaying, source


def _confirm(client: Elasticsearch, replaying: Replaying, path: str) -> None:
    count = replaying.count(client)
    prose(
        f"{counted(count, 'document')} of {path} will be deleted and sent again, as the"
        " settings and the knowledge of today make them.",
        err=True,
    )
    click.confirm("Go on?", abort=True, err=True)


def _show(replayed: Replayed, result: dict[str, int]) -> None:
    if "deleted" in result:
        prose(f"{counted(result['deleted'], 'document')} deleted")
    if result.get("kept"):
        prose(
            f"{counted(result['kept'], 'document')} kept that the file does not yield,"
            " consistent with an earlier life of it"
        )
    sent = counted(replayed.records, "record")
    states = counted(replayed.states, "state document")
    prose(
        f"{sent} and {states} sent: {replayed.indexed:,} indexed,"
        f" {replayed.duplicates:,} there already, {replayed.refused:,} refused"
    )
    say_unchecked(replayed.unchecked)
    for each in replayed.first_refused:
        prose(f"refused: {each.id}: {each.error_type}: {each.reason}")
