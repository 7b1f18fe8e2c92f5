# SPDX-License-Identifier: Apache-2.0
"""``clisvc setup``: what Elasticsearch needs before the first document."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from shipper.cli.options import (
    config_options,
    json_option,
    server_options,
    settings_from,
)
from shipper.cli.render import table
from shipper.deliver import connect
from shipper.stack import apply, plan, probe


@click.command()
@server_options
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@json_option
@config_options
def setup(*, dry_run: bool, as_json: bool, **options: Any) -> None:
    """Install or update the templates of the data streams.

    Looks at what the server supports, shows what it will do, and does it. A second run
    finds everything unchanged. Objects of others are never touched.
    """
    settings = settings_from(options).settings
    client = connect(settings.elasticsearch)
    try:
        server = probe(client)
        steps = plan(client, server)
        if not dry_run:
            apply(client, steps)
    finally:
        client.close()
    rows = [(step.action, step.kind, step.name, step.reason) for step in steps]
    if as_json:
        names = ("action", "kind", "name", "reason")
        found = {
            "server": server.title,
            "applied": not dry_run,
            "steps": [dict(zip(names, row, strict=True)) for row in rows],
        }
        click.echo(msgspec.json.encode(found).decode())
        return
    title = f"{server.title}{' (nothing was changed)' if dry_run else ''}"
    table(("action", "kind", "name", "reason"), rows, title=title)
