# SPDX-License-Identifier: Apache-2.0
"""``clisvc run``: tail for ever."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click
import structlog

from shipper.app import Engine, Reporter, Tailer
from shipper.cli.garbage import collect_seldom
from shipper.cli.options import (
    config_options,
    discovery_from,
    input_options,
    server_options,
    settings_from,
    sink_from,
    state_dir,
    state_option,
)
from shipper.cli.signals import say_stopping, stopping
from shipper.cli.templates import templates_first
from shipper.deliver import Sink, public_url
from shipper.store import StateFolder
from shipper.tail import LocalOpener

_log = structlog.get_logger(__name__)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH|TEMPLATE]...")
@server_options
@state_option
@input_options
@config_options
def run(**options: Any) -> None:
    r"""Tail logs and index their records, until stopped.

    PATH is a file, a quoted pattern such as 'logs/*/Clisvc.log', or a template in
    which {host} stands for the machine's name: '/mnt/fleet/{host}/Clisvc.log',
    '\\{host}\SMSLogs$\Clisvc.log'. Rotated files beside a log are followed too.

    While Elasticsearch is away it waits, and says so; nothing is lost. A second signal
    ends it at once.
    """
    settings = settings_from(options).settings
    discovery = discovery_from(settings)
    collect_seldom()
    folder = state_dir(settings)
    sink = sink_from(settings, folder, templates_first(settings))
    with (
        stopping() as asked,
        StateFolder(folder) as state,
        Engine(settings, sink, state, opener=LocalOpener(discovery.roots)) as engine,
        _reporting(engine, sink, state),
    ):
        _log.info(
            "tailing",
            logs=", ".join(settings.input.paths),
            host=settings.input.host or "from the path, else this machine",
            elasticsearch=public_url(settings.elasticsearch.url),
            namespace=settings.output.namespace,
            state=str(folder),
        )
        Tailer(engine, discovery, asked).run()
        say_stopping(asked)
    counts = engine.progress().counts
    _log.info(
        "stopped",
        indexed=counts.indexed,
        there_already=counts.duplicates,
        dead_lettered=counts.dead_lettered + counts.dead_states,
        unchecked=counts.unchecked,
    )


def _reporting(
    engine: Engine, sink: Sink, folder: StateFolder
) -> AbstractContextManager[object]:
    """Return what reports on the collector while it runs."""
    output = engine.settings.output
    if not output.status_documents:
        return nullcontext()
    return Reporter(
        sink,
        folder.database,
        folder.told,
        engine.clock,
        collector=socket.gethostname(),
        namespace=output.namespace,
        down=lambda: engine.down,
    )
