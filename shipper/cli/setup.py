# SPDX-License-Identifier: Apache-2.0
"""``clisvc setup``: what Elasticsearch needs, and what Kibana shows and watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import click
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct
from rich.console import Console
from rich.progress import track

from shipper import kibana
from shipper.cli.options import (
    config_options,
    json_option,
    server_options,
    settings_from,
)
from shipper.cli.render import table
from shipper.config import Settings
from shipper.deliver import connect
from shipper.errors import UsageProblem
from shipper.stack import (
    Key,
    Kind,
    Step,
    apply,
    create_key,
    first_error,
    plan,
    plan_removal,
    probe,
)

_KINDS = {kind.plural: kind for kind in Kind}
_KIBANA = "kibana"
_KEY = "clisvc-shipper"


class _Target(Struct, frozen=True, kw_only=True):
    """A server, what is to be done there, and what does it."""

    title: str
    steps: list[Step]
    apply: Callable[[list[Step]], list[Step]]


@click.command()
@server_options
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@click.option("--diff", is_flag=True, help="Show what an update changes, too.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([*_KINDS, _KIBANA]),
    help="Look at objects of this kind alone; may be given again.",
)
@click.option(
    "--kibana-url",
    metavar="URL",
    help="Install dashboards and alert rules there, too [CLISVC_KIBANA_URL]. Secrets"
    " come from CLISVC_KIBANA_API_KEY, or are those for Elasticsearch.",
)
@click.option("--kibana-space", metavar="SPACE", help="Whose they are [default].")
@click.option(
    "--kibana-rules",
    type=click.Choice(["stack", "security", "both", "none"]),
    help="Form of the alert rules [stack].",
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
@click.option(
    "--beats",
    is_flag=True,
    help="With --create-api-key: print it as Beats and Elastic Agent take it.",
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
    beats: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Install or update what Elasticsearch runs: templates, lifecycle, transforms.

    Looks at what the server supports, shows what it will do, and does it. A second run
    finds everything unchanged. Objects of others are never touched, and data is removed
    only by --uninstall --purge-data.

    With --kibana-url the same is done with dashboards, saved searches and alert rules
    in Kibana. All is planned before anything is changed.
    """
    _check(uninstall=uninstall, purge_data=purge_data, only=only, key=key)
    _check_key(key, beats=beats, other=dry_run or diff or bool(only))
    settings = settings_from(options).settings
    if _KIBANA in only and not settings.kibana.url:
        raise UsageProblem(
            "--only kibana: no Kibana is named.", remedy="Give --kibana-url."
        )
    done: list[Step] = []
    with ExitStack() as stack:
        client = connect(settings.elasticsearch)
        stack.callback(client.close)
        if key is not None:
            _show_key(create_key(client, key), beats=beats, as_json=as_json)
            return
        targets: list[_Target] = []
        if set(only) != {_KIBANA}:
            kinds = [_KINDS[name] for name in only if name != _KIBANA]
            purge = purge_data if uninstall else None
            targets.append(_elasticsearch(client, settings, kinds, purge=purge))
        if settings.kibana.url and (not only or _KIBANA in only):
            visual = stack.enter_context(kibana.Kibana(settings.kibana))
            targets.append(_kibana(visual, settings, uninstall=uninstall))
        # What is shown goes before what it is made of.
        for target in reversed(targets) if uninstall else targets:
            steps = target.steps if dry_run else target.apply(target.steps)
            _show(target.title, steps, applied=not dry_run, diff=diff, as_json=as_json)
            done += steps
    if error := first_error(done):
        raise error


def _elasticsearch(
    client: Elasticsearch, settings: Settings, kinds: list[Kind], *, purge: bool | None
) -> _Target:
    """Plan what is done in Elasticsearch; ``purge`` is for taking it back."""
    server = probe(client)
    return _Target(
        title=server.title,
        steps=plan(client, server, settings=settings.setup, only=kinds)
        if purge is None
        else plan_removal(client, purge=purge),
        apply=lambda steps: _applied(client, steps),
    )


def _kibana(client: kibana.Kibana, settings: Settings, *, uninstall: bool) -> _Target:
    return _Target(
        title=kibana.probe(client).title,
        steps=kibana.plan_removal(client, rules=settings.kibana.rules)
        if uninstall
        else kibana.plan(client, rules=settings.kibana.rules),
        apply=lambda steps: kibana.apply(client, steps),
    )


def _check(
    *, uninstall: bool, purge_data: bool, only: tuple[str, ...], key: str | None
) -> None:
    if purge_data and not uninstall:
        raise UsageProblem(
            "--purge-data removes documents and goes with --uninstall only.",
            remedy="Give both, after a look at `clisvc setup --uninstall --dry-run`.",
        )
    if uninstall and (set(only) - {_KIBANA} or key):
        raise UsageProblem(
            "--uninstall removes all kinds of objects and creates no key.",
            remedy="Leave --only, but for kibana, and --create-api-key out.",
        )


def _check_key(key: str | None, *, beats: bool, other: bool) -> None:
    if key is not None and other:
        raise UsageProblem(
            "--create-api-key makes a key and looks at nothing else.",
            remedy="Leave --dry-run, --diff and --only out.",
        )
    if beats and key is None:
        raise UsageProblem(
            "--beats says how an API key is printed.",
            remedy="Give --create-api-key as well.",
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
    server: str,
    steps: Sequence[Step],
    *,
    applied: bool,
    diff: bool,
    as_json: bool,
) -> None:
    if as_json:
        found = {
            "server": server,
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
    title = f"{server}{'' if applied else ' (nothing was changed)'}"
    table(("action", "kind", "name", "reason"), rows, title=title)


def _show_key(key: Key, *, beats: bool, as_json: bool) -> None:
    """Print the secret: the only time and place it is shown."""
    secret = (key.plain if beats else key.encoded).reveal()
    if as_json:
        shown = {"id": key.id, "name": key.name, "api_key": secret}
        click.echo(msgspec.json.encode(shown).decode())
        return
    taker = "Beats and Elastic Agent" if beats else "CLISVC_API_KEY"
    click.echo(f"API key {key.name} (id {key.id}), for {taker}:", err=True)
    click.echo(secret)
