# SPDX-License-Identifier: Apache-2.0
"""``clisvc explain``: what a code or a log line means, as a card."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec
from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from shipper.cli.options import json_option
from shipper.cli.render import echo_json
from shipper.errors import UsageProblem
from shipper.knowledge import (
    RIGHTS,
    Match,
    Reading,
    Remedy,
    by_app,
    by_executable,
    cause_of,
    find,
    for_cause,
    match,
    named,
    read,
    role_of,
)
from shipper.knowledge import explain as readings_of
from shipper.parse import Parser, Zones
from shipper.records import Chunk
from shipper.telemetry import printable

_TITLE = 90  # characters of the line a card is about
_REFUSAL_ROLES = frozenset({"launch", "echo", "verify", "integrity"})


@click.command(context_settings={"ignore_unknown_options": True})  # -2147023582
@click.argument("words", nargs=-1, required=True, metavar="CODE|LINE...")
@json_option
def explain(words: tuple[str, ...], *, as_json: bool) -> None:
    """Explain an error code in any spelling, or a line of the log.

    1314, 0x522, 0x80070522, -2147023582, 87D00324 and ERROR_PRIVILEGE_NOT_HELD are
    codes; a line goes in quotes, or comes on standard input with -. Needs neither
    configuration nor a network.
    """
    text = " ".join(words)
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    answers = _code(text.strip()) or _codes(text.split()) or _lines(text)
    if not answers:
        raise UsageProblem(
            f"{text.strip()[:80]!r}: there is no error code in it.",
            remedy="Give a code such as 1314 or 0x80070522, or a whole log line.",
        )
    if as_json:
        found = answers[0] if len(answers) == 1 else {"answers": answers}
        echo_json(found)
        return
    console = Console()
    for answer in answers:
        console.print(_card(answer))


def _codes(words: list[str]) -> list[dict[str, Any]]:
    """Explain several codes; nothing if one of the words is none."""
    answers = [_code(word) for word in words]
    return [one for answer in answers for one in answer] if all(answers) else []


def _code(text: str) -> list[dict[str, Any]]:
    readings = read(text) or named(text)
    if not readings:
        return []
    cause = cause_of("", readings[0].value)
    remedy = None if cause == "unknown" else for_cause(cause)
    return [_answer(text, readings, None, remedy)]


def _lines(text: str) -> list[dict[str, Any]]:
    answers = []
    data = text.encode("utf-8", "replace") + b"\n"
    chunk = Chunk(start=0, data=data, end=len(data))
    for record in Parser(Zones()).parse(chunk, None, 0).records:
        message = record.message
        signature = match(message)
        finding = None if signature else find(message)
        code = signature.code if signature else finding.value if finding else None
        if signature is None and code is None:
            continue
        readings: tuple[Reading, ...] = ()
        if code is not None:
            namespace = finding.namespace if finding else None
            readings = readings_of(code, namespace=namespace)
        remedy = _remedy(signature, code)
        answers.append(_answer(message, readings, signature, remedy))
    return answers


def _remedy(found: Match | None, code: int | None) -> Remedy | None:
    if found is None or code is None or found.signature.role not in _REFUSAL_ROLES:
        return None
    if role_of(code) == "echo":
        return None
    return for_cause(cause_of(found.signature.id, code))


def _answer(
    text: str,
    readings: tuple[Reading, ...],
    found: Match | None,
    remedy: Remedy | None,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "input": text,
        "readings": [msgspec.to_builtins(reading) for reading in readings],
    }
    if found is not None:
        launcher = by_app(found.app) or by_executable(found.exe)
        answer["signature"] = {
            "id": found.signature.id,
            "name": found.signature.name,
            "reason": found.signature.reason,
            "status": found.signature.status,
            "source": list(found.signature.source),
            "agent": launcher.agent.name if launcher else "",
        }
    if remedy is not None:
        answer["remedy"] = msgspec.to_builtins(remedy)
    return answer


def _card(answer: dict[str, Any]) -> Panel:
    parts: list[Any] = []
    signature = answer.get("signature")
    if signature:
        rows = [("Record", f"{signature['id']} {signature['name']}")]
        rows.append(("Says", signature["reason"]))
        if signature["agent"]:
            rows.append(("Agent", signature["agent"]))
        rows.append(("Source", ", ".join(signature["source"])))
        parts.append(_table(rows))
    parts += map(_reading, answer["readings"])
    remedy = answer.get("remedy")
    if remedy:
        parts.append(_remedy_table(remedy))
    title = printable(answer["input"])
    return Panel(
        Group(*_spaced(parts)),
        title=Text(
            title if len(title) <= _TITLE else title[: _TITLE - 1] + "…", style="bold"
        ),
        title_align="left",
        padding=(1, 2),
    )


def _reading(reading: dict[str, Any]) -> Table:
    name = reading["symbol"] or reading["meaning"]
    rows = [
        (str(reading["value"]), f"[bold]{escape(name)}[/bold]"),
        (
            "",
            ", ".join(
                (
                    f"{reading['hex']}, signed {reading['signed']}",
                    f"{reading['namespace']}, facility {escape(reading['facility'])}",
                    reading["severity"],
                )
            ),
        ),
        ("Means", escape(reading["meaning"])),
        ("Check", escape(reading["advice"])),
    ]
    if reading["fix"]:
        rows.append(("Fix", escape(reading["fix"])))
    if reading["references"]:
        rows.append(("See", ", ".join(reading["references"])))
    return _table(rows, markup=True)


def _remedy_table(remedy: dict[str, Any]) -> Table:
    rows = [("Remedy", remedy["summary"])]
    policies = {right.constant: right.policies for right in RIGHTS}
    for number, right in enumerate(remedy["rights"]):
        shown = f"{right} ({' / '.join(policies[right])})"
        rows.append(("Rights" if number == 0 else "", shown))
    if remedy["account"]:
        rows.append(("Account", remedy["account"]))
    rows += [
        ("Events" if number == 0 else "", event)
        for number, event in enumerate(remedy["windows_events"])
    ]
    if remedy["references"]:
        rows.append(("See", ", ".join(remedy["references"])))
    return _table(rows)


def _table(rows: list[tuple[str, str]], *, markup: bool = False) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", justify="right", no_wrap=True)
    table.add_column()
    for label, text in rows:
        table.add_row(label, text if markup else Text(printable(text)))
    return table


def _spaced(parts: list[Any]) -> list[Any]:
    spaced: list[Any] = []
    for part in parts:
        if spaced:
            spaced.append("")
        spaced.append(part)
    return spaced
