# SPDX-License-Identifier: Apache-2.0
"""``clisvc embedded``: a genuine Elasticsearch on this machine, to try things out."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from shipper.cli.options import json_option
from shipper.errors import EXIT_FOUND
from shipper.stack.embedded import (
    DEFAULT_VERSION,
    VERSIONS,
    RunningServer,
    default_home,
)
from shipper.stack.embedded import start as start_server
from shipper.stack.embedded import status as server_status
from shipper.stack.embedded import stop as stop_server

_home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for its data and logs [in the user's cache].",
)


@click.group()
def embedded() -> None:
    """Start, find or stop an Elasticsearch without Docker, root or Java.

    It is fetched once (about 99 MB), answers on the loopback address only, has no
    security and keeps no second copy: for a look and for tests, not for real data.
    """


@embedded.command()
@click.option(
    "--version",
    type=click.Choice(list(VERSIONS)),
    default=DEFAULT_VERSION,
    show_default=True,
    help="Which Elasticsearch.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port [any free one].")
@click.option("--heap-mb", type=click.IntRange(256), default=512, show_default=True)
@_home_option
@json_option
def start(
    *, version: str, port: int | None, heap_mb: int, home: Path | None, as_json: bool
) -> None:
    """Start it and leave it running until `clisvc embedded stop`."""
    server = start_server(
        home or default_home(),
        version=version,
        port=port,
        heap_mb=heap_mb,
        report=lambda step: click.echo(step, err=True),
    )
    _show(server, as_json=as_json)


@embedded.command()
@_home_option
@json_option
def status(*, home: Path | None, as_json: bool) -> None:
    """Show where it runs; exit code 1 if it does not."""
    server = server_status(home or default_home())
    _show(server, as_json=as_json)
    if server is None:
        raise SystemExit(EXIT_FOUND)


@embedded.command()
@_home_option
@json_option
def stop(*, home: Path | None, as_json: bool) -> None:
    """Stop it; its data stay."""
    server = stop_server(home or default_home())
    if as_json:
        click.echo(msgspec.json.encode({"stopped": server is not None}).decode())
    else:
        click.echo(f"stopped {server.url}" if server else "not running")


def _show(server: RunningServer | None, *, as_json: bool) -> None:
    if as_json:
        found = {
            "running": server is not None,
            "url": server.url if server else "",
            "version": server.version if server else "",
            "pid": server.process.pid if server else None,
        }
        click.echo(msgspec.json.encode(found).decode())
    elif server is None:
        click.echo("not running")
    else:
        click.echo(server.url)
