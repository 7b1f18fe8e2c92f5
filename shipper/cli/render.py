# SPDX-License-Identifier: Apache-2.0
"""How results look: a table on a terminal, plain columns otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shipper.telemetry import printable

#: Control characters that JSON lets stand as they are; terminals obey some of them.
_CONTROL = re.compile("[\x7f-\x9f]")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    numbers: Iterable[str] = (),
    whole: Iterable[str] = (),
) -> None:
    """Print rows under column headings; without a terminal, separated by tabs.

    Args:
        columns: headings.
        rows: one value a column; ``None`` is empty.
        title: above the table.
        numbers: columns whose values are right-aligned.
        whole: columns whose values are never broken.
    """
    console = Console()
    terminal = console.is_terminal
    texts = [[_text(value, grouped=terminal) for value in row] for row in rows]
    if not terminal:
        if title:
            click.echo(title)
        for row in [list(columns), *texts]:
            click.echo("\t".join(row))
        return
    grid = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    right = set(numbers)
    unbroken = right | set(whole)
    for column in columns:
        grid.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column in unbroken,
            overflow="fold",
        )
    for row in texts:
        grid.add_row(*(Text(value) for value in row))
    console.print(grid)


def prose(text: str, *, err: bool = False) -> None:
    """Print sentences: wrapped between words on a terminal, as they are otherwise.

    Args:
        text: the sentences.
        err: they are no result, and go to standard error.
    """
    console = Console(stderr=err)
    if console.is_terminal:
        console.print(Text(printable(text)))
    else:
        click.echo(printable(text), err=err)


def say_unchecked(number: int) -> None:
    """Say how many documents may be there twice, if any."""
    if number:
        prose(
            f"{counted(number, 'document')} sent without a look into older backing"
            " indices; what was sent before a rollover may be doubled"
        )


def echo_json(value: object) -> None:
    """Print a value as one line of JSON that no terminal obeys."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a file name that is no UTF-8
        encoded = msgspec.json.encode(_valid(msgspec.to_builtins(value)))
    click.echo(harmless(encoded.decode()))


def harmless(json: str) -> str:
    """Return JSON that says the same without any control character in its strings."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it has to be."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _valid(value: Any) -> Any:
    """Return a value whose texts are Unicode, and what is not is spelled out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_valid(name): _valid(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_valid(member) for member in value]
    return value


def _text(value: object, *, grouped: bool) -> str:
    if value is None:
        return ""
    if grouped and isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return printable(str(value))
