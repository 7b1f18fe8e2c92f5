# SPDX-License-Identifier: Apache-2.0
"""``clisvc signatures``: what is recognised in a log, and from which source."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shipper.cli.options import config_options, json_option, settings_from
from shipper.cli.render import echo_json, table
from shipper.errors import UsageProblem
from shipper.knowledge import ROLES, Signature, Technique, catalogue
from shipper.telemetry import printable


@click.command()
@click.argument("ident", required=False, metavar="[ID]")
@json_option
@config_options
def signatures(ident: str | None, *, as_json: bool, **options: Any) -> None:
    """List the log lines that have a meaning, and what each does to an agent's state.

    With an ID, such as S05, all about that one. Signatures of your own, which
    knowledge.signatures names, come last.
    """
    known = catalogue(settings_from(options).settings.knowledge.signatures).signatures
    if ident is not None:
        signature = _named(ident, known)
        if as_json:
            echo_json(_members(signature))
        else:
            Console().print(_card(signature))
    elif as_json:
        echo_json([_members(signature) for signature in known])
    else:
        table(
            ("ID", "Name", "Status", "Source", "State of the agent"),
            [
                (s.id, s.name, s.status, ", ".join(s.source), ROLES[s.role][1])
                for s in known
            ],
            whole=("ID", "Status"),
        )


def _named(ident: str, known: tuple[Signature, ...]) -> Signature:
    for signature in known:
        if signature.id.lower() == ident.lower():
            return signature
    raise UsageProblem(
        f"{ident!r}: there is no such signature.",
        remedy="`clisvc signatures` lists them.",
    )


def _members(signature: Signature) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(signature)
    members["effect"] = ROLES[signature.role][1]
    members["threat"] = [
        {**msgspec.to_builtins(technique), "reference": technique.reference}
        for technique in signature.threat
    ]
    return members


def _card(signature: Signature) -> Panel:
    role, effect = ROLES[signature.role]
    event = (
        signature.action,
        "+".join(signature.category),
        "+".join(signature.type),
        signature.outcome,
    )
    rows = [
        ("Says", signature.reason),
        ("Event", ", ".join(filter(None, event))),
        ("Role", f"{signature.role}: {role}"),
        ("State", effect or "unchanged"),
        ("Status", signature.status),
        ("Source", ", ".join(signature.source)),
        ("Rules", signature.ruleset),
        ("Literals", " | ".join(map(repr, signature.literals))),
        ("Pattern", signature.pattern or "none: it is inferred"),
    ]
    rows += [
        ("Consistent with" if number == 0 else "", _technique(technique))
        for number, technique in enumerate(signature.threat)
    ]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        if text:
            grid.add_row(label, Text(printable(text)))
    return Panel(
        grid,
        title=Text(printable(f"{signature.id} {signature.name}"), style="bold"),
        title_align="left",
        padding=(1, 2),
    )


def _technique(technique: Technique) -> str:
    versions = ""
    if technique.until:
        versions = f", up to ATT&CK v{technique.until}"
    elif technique.since:
        versions = f", from ATT&CK v{technique.since}"
    return f"{technique.id} {technique.name}{versions}"
