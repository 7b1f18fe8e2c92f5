# SPDX-License-Identifier: Apache-2.0
"""What ``clisvc explain`` found out, as cards for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shipper.cli.render import counted
from shipper.knowledge import RIGHTS
from shipper.telemetry import printable

_TITLE = 90  # characters of the line a card is about
_MACHINES = {
    "member": "member servers and workstations",
    "domain controller": "domain controllers",
}

Row = tuple[str, str | Text]


def show(answers: Iterable[dict[str, Any]]) -> None:
    """Print a card for each kind of answer; those that say the same share one.

    Args:
        answers: as ``explain --json`` prints them.
    """
    kinds: dict[object, list[dict[str, Any]]] = {}
    for answer in answers:
        signature = answer.get("signature", {})
        codes = tuple(
            (reading["namespace"], reading["value"]) for reading in answer["readings"]
        )
        kind = (signature.get("id"), signature.get("agent"), codes)
        kinds.setdefault(kind, []).append(answer)
    console = Console()
    for alike in kinds.values():
        console.print(_card(alike[0], len(alike) - 1))


def _card(answer: dict[str, Any], more: int) -> Panel:
    parts = []
    if "signature" in answer:
        parts.append(_table(_signature_rows(answer["signature"])))
    parts += [_table(_reading_rows(reading)) for reading in answer["readings"]]
    if "remedy" in answer:
        parts.append(_table(_remedy_rows(answer["remedy"])))
    title = printable(answer["input"])
    spaced: list[Table | str] = []
    for part in parts:
        spaced += ["", part] if spaced else [part]
    return Panel(
        Group(*spaced),
        title=Text(
            title if len(title) <= _TITLE else title[: _TITLE - 1] + "…", style="bold"
        ),
        title_align="left",
        subtitle=Text(f"and {counted(more, 'record')} like it") if more else None,
        subtitle_align="left",
        padding=(1, 2),
    )


def _signature_rows(signature: dict[str, Any]) -> list[Row]:
    rows: list[Row] = [
        ("Record", f"{signature['id']} {signature['name']}"),
        ("Says", signature["reason"]),
    ]
    if signature["agent"]:
        rows.append(("Agent", signature["agent"]))
    rows.append(("Source", ", ".join(signature["source"])))
    return rows + _threat_rows(signature["threat"])


def _reading_rows(reading: dict[str, Any]) -> list[Row]:
    numbers = [reading["hex"], f"signed {reading['signed']}"]
    if reading["twin"]:
        # Wrapping sets bits, so the greater of two twins is the wrapped one.
        inner = reading["hex"] < reading["twin"]
        numbers.append(f"{'as an HRESULT' if inner else 'wraps'} {reading['twin']}")
    origin = f"{reading['namespace']}, facility {reading['facility']}"
    rows: list[Row] = [
        (
            str(reading["value"]),
            Text(printable(reading["symbol"] or reading["meaning"]), style="bold"),
        ),
        ("", ", ".join((*numbers, origin, reading["severity"]))),
    ]
    if reading["symbol"]:
        rows.append(("Means", reading["meaning"]))
    rows.append(("Check", reading["advice"]))
    if reading["fix"]:
        rows.append(("Fix", reading["fix"]))
    if reading.get("windows"):
        rows.append(("This Windows says", reading["windows"]))
    if reading["references"]:
        rows.append(("See", ", ".join(reading["references"])))
    return rows + _threat_rows(reading["threat"])


def _threat_rows(techniques: list[dict[str, Any]]) -> list[Row]:
    said = []
    for one in techniques:
        version = ""
        if one["until"]:
            version = f" (ATT&CK up to v{one['until']})"
        elif one["since"]:
            version = f" (ATT&CK since v{one['since']})"
        said.append(f"consistent with {one['id']} {one['name']}{version}")
    return _column("ATT&CK", said)


def _remedy_rows(remedy: dict[str, Any]) -> list[Row]:
    policies = {right.constant: right.policies for right in RIGHTS}
    rights = [f"{right} ({' / '.join(policies[right])})" for right in remedy["rights"]]
    accounts = [
        f"{one['name']} on {_MACHINES[one['machines']]}"
        f" (SMS {' and '.join(one['versions'])}, {one['role']})"
        for one in remedy["accounts"]
    ]
    rows: list[Row] = [("Remedy", remedy["summary"])]
    if remedy["lasting"]:
        rows.append(("For good", remedy["lasting"]))
    rows += _column("Rights", rights)
    rows += _column("Accounts", accounts)
    rows += _column("Events", remedy["windows_events"])
    if remedy["references"]:
        rows.append(("See", ", ".join(remedy["references"])))
    return rows


def _column(label: str, lines: Iterable[str]) -> list[Row]:
    return [("" if number else label, line) for number, line in enumerate(lines)]


def _table(rows: Iterable[Row]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", justify="right", no_wrap=True)
    table.add_column()
    for label, text in rows:
        table.add_row(label, text if isinstance(text, Text) else Text(printable(text)))
    return table
