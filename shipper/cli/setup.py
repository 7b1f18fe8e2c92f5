# SPDX-License-Identifier: Apache-2.0
"""``clisvc setup``: what Elasticsearch needs before the first document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import msgspec
from elasticsearch import Elasticsearch
from rich.console import Console
from rich.progress import track

from shipper.cli.options import (
    config_options,
    json_option,
    server_options,
    settings_from,
)
from shipper.cli.render import table
from shipper.deliver import connect
from shipper.errors import UsageProblem
from shipper.stack import (
    Key,
    Kind,
    Server,
    Step,
    apply,
    create_key,
    first_error,
    plan,
    plan_removal,
    probe,
)

_KINDS = {kind.plural: kind for kind in Kind}
_KEY = "clisvc-shipper"


@click.command()
@server_options
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@click.option("--diff", is_flag=True, help="Show what an update changes, too.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(_KINDS)),
    help="Look at objects of this kind alone; may be given again.",
)
@click.option("--uninstall", is_flag=True, help="Remove what set-up has installed.")
@click.option(
    "--purge-data", is_flag=True, help="With --uninstall: remove the documents, too."
)
@click.option(
    "--create-api-key",
    "key",
    is_flag=False,
    flag_value=_KEY,
    metavar="[NAME]",
    help="Print an API key that can append documents and nothing else, and end.",
)
@json_option
@config_options
def setup(
    *,
    dry_run: bool,
    diff: bool,
    only: tuple[str, ...],
    uninstall: bool,
    purge_data: bool,
    key: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Install or update what Elasticsearch runs: templates, lifecycle, transforms.

    Looks at what the server supports, shows what it will do, and does it. A second run
    finds everything unchanged. Objects of others are never touched, and data is removed
    only by --uninstall --purge-data.
    """
    _check(uninstall=uninstall, purge_data=purge_data, only=only, key=key)
    settings = settings_from(options).settings
    client = connect(settings.elasticsearch)
    try:
        if key is not None:
            _show_key(create_key(client, key), as_json=as_json)
            return
        server = probe(client)
        if uninstall:
            steps = plan_removal(client, purge=purge_data)
        else:
            kinds = [_KINDS[name] for name in only]
            steps = plan(client, server, settings=settings.setup, only=kinds)
        done = steps if dry_run else _applied(client, steps)
    finally:
        client.close()
    _show(server, done, applied=not dry_run, diff=diff, as_json=as_json)
    if error := first_error(done):
        raise error


def _check(
    *, uninstall: bool, purge_data: bool, only: tuple[str, ...], key: str | None
) -> None:
    if purge_data and not uninstall:
        raise UsageProblem(
            "--purge-data removes documents and goes with --uninstall only.",
            remedy="Give both, after a look at `clisvc setup --uninstall --dry-run`.",
        )
    if uninstall and (only or key):
        raise UsageProblem(
            "--uninstall removes all kinds of objects and creates no key.",
            remedy="Leave --only and --create-api-key out.",
        )


def _applied(client: Elasticsearch, steps: list[Step]) -> list[Step]:
    console = Console(stderr=True)
    shown = track(
        steps,
        description="Setting up",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    return apply(client, shown)


def _show(
    server: Server,
    steps: Sequence[Step],
    *,
    applied: bool,
    diff: bool,
    as_json: bool,
) -> None:
    if as_json:
        found = {
            "server": server.title,
            "applied": applied,
            "steps": [
                {
                    "action": step.action,
                    "kind": step.kind,
                    "name": step.name,
                    "reason": step.reason,
                    "changes": step.changes,
                }
                for step in steps
            ],
        }
        click.echo(msgspec.json.encode(found).decode())
        return
    rows: list[tuple[str, ...]] = []
    for step in steps:
        rows.append((step.action, step.kind, step.name, step.reason))
        if diff:
            rows += [("", "", "", change) for change in step.changes]
    title = f"{server.title}{'' if applied else ' (nothing was changed)'}"
    table(("action", "kind", "name", "reason"), rows, title=title)


def _show_key(key: Key, *, as_json: bool) -> None:
    """Print the secret: the only time and place it is shown."""
    secret = key.encoded.reveal()
    if as_json:
        shown = {"id": key.id, "name": key.name, "api_key": secret}
        click.echo(msgspec.json.encode(shown).decode())
        return
    click.echo(f"API key {key.name} (id {key.id}), for CLISVC_API_KEY:", err=True)
    click.echo(secret)
