# SPDX-License-Identifier: Apache-2.0
"""``clisvc deadletter``: what Elasticsearch refused, why, and sending it again."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console

from shipper.audit import Redelivery
from shipper.cli.options import (
    config_options,
    existing_state,
    json_option,
    server_options,
    settings_from,
    sink_from,
    state_option,
)
from shipper.cli.render import counted, echo_json, harmless, prose, say_unchecked, table
from shipper.cli.signals import interrupting
from shipper.cli.templates import ensure_templates
from shipper.clock import SystemClock
from shipper.config import Settings
from shipper.deliver import Sink
from shipper.errors import EXIT_FOUND, UsageProblem
from shipper.store import Damaged, DeadLetters, Letter, StateFolder

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REMEDY = "`clisvc deadletter list` shows the ids there are."


@click.group()
def deadletter() -> None:
    """Look at documents Elasticsearch refused, and send them again.

    They are kept in the state folder, one a line of dead-letters.ndjson. All of this
    works while `clisvc run` is running, too.
    """


@deadletter.command("list")
@state_option
@json_option
@config_options
def listing(*, as_json: bool, **options: Any) -> None:
    """List refused documents, each once, with the reason."""
    letters, _ = _letters(settings_from(options).settings)
    found, damaged = letters.summary()
    if as_json:
        echo_json(
            {
                "letters": [_facts(letter) for letter in found],
                "damaged_lines": [each.line for each in damaged],
            }
        )
        return
    table(
        ("time (UTC)", "host", "id", "times", "error", "reason"),
        [
            (
                *(_time(letter), letter.host, letter.id, letter.times),
                *(letter.error_type, letter.reason.replace("\n", " ")),
            )
            for letter in found
        ],
        numbers=["times"],
        whole=["id"],
    )
    _say_damaged([each.line for each in damaged])


@deadletter.command()
@click.argument("ident", metavar="ID")
@state_option
@json_option
@config_options
def show(*, ident: str, as_json: bool, **options: Any) -> None:
    """Show a refused document, and why it was refused."""
    letters, path = _letters(settings_from(options).settings)
    latest: Letter | None = None
    for entry in letters.read():
        if not isinstance(entry, Damaged) and entry.id == ident:
            latest = replace(entry, times=latest.times + 1 if latest else 1)
    if latest is None:
        raise UsageProblem(f"{ident}: no such letter in {path}.", remedy=_REMEDY)
    try:
        document = msgspec.json.decode(latest.document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        document = latest.document.decode("utf-8", "backslashreplace")
    if as_json:
        echo_json(_facts(latest) | {"document": document})
        return
    for name, value in _facts(latest).items():
        prose(f"{name.replace('_', ' ')}: {value}")
    pretty = msgspec.json.format(msgspec.json.encode(document), indent=2)
    click.echo(harmless(pretty.decode()))


@deadletter.command("replay")
@click.argument("idents", nargs=-1, metavar="[ID]...")
@server_options
@state_option
@json_option
@config_options
def resend(*, idents: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Send refused documents again: all, or those named.

    Do it once the cause is gone. What is taken, or there already, is no letter any
    more; what is refused again stays. Each goes to the data stream it names itself.
    """
    settings = settings_from(options).settings
    letters, path = _letters(settings)
    found, _ = letters.summary()
    unknown = set(idents) - {letter.id for letter in found}
    if unknown:
        raise UsageProblem(
            f"{', '.join(sorted(unknown))}: no such letter in {path}.", remedy=_REMEDY
        )
    total = len(set(idents) if idents else found)
    with ExitStack() as stack:
        stack.enter_context(interrupting())
        shown = stack.enter_context(Console(stderr=True).status("", spinner="line"))
        ensure_templates(settings)
        sinks: dict[str, Sink] = {}

        def sink_of(namespace: str) -> Sink:
            if namespace not in sinks:
                named = namespace or settings.output.namespace
                output = replace(settings.output, namespace=named)
                sink = sink_from(replace(settings, output=output), path.parent)
                stack.callback(sink.close)
                sinks[namespace] = sink
            return sinks[namespace]

        result = Redelivery(
            letters,
            sink_of,
            settings.output,
            lambda sent: shown.update(f"{sent:,} of {counted(total, 'letter')}"),
        ).run(frozenset(idents))
    if as_json:
        echo_json(
            {
                "indexed": result.indexed,
                "duplicates": result.duplicates,
                "refused": result.refused,
                "unchecked": result.unchecked,
                "put_off": result.put_off,
                "damaged_lines": result.damaged,
            }
        )
    else:
        prose(
            f"{result.indexed:,} indexed, {result.duplicates:,} there already,"
            f" {result.refused:,} refused again"
            + (f", {result.put_off:,} put off" if result.put_off else "")
        )
        say_unchecked(result.unchecked)
        _say_damaged(list(result.damaged))
    if result.problem is not None:
        raise result.problem
    if result.refused:
        raise SystemExit(EXIT_FOUND)


def _letters(settings: Settings) -> tuple[DeadLetters, Path]:
    path = StateFolder.letters_in(existing_state(settings))
    return DeadLetters(path, SystemClock()), path


def _facts(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "time": _time(letter),
        "stream": letter.stream,
        "namespace": letter.namespace,
        "host": letter.host,
        "log": letter.log,
        "times": letter.times,
        "status": letter.status,
        "error_type": letter.error_type,
        "reason": letter.reason,
    }


def _time(letter: Letter) -> str:
    moment = _EPOCH + timedelta(milliseconds=letter.time_ms)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _say_damaged(lines: list[int]) -> None:
    if lines:
        numbers = ", ".join(map(str, lines[:20])) + (", …" if len(lines) > 20 else "")  # noqa: PLR2004 - enough to find them
        prose(f"no letters, kept as they are: line {numbers}")
