# SPDX-License-Identifier: Apache-2.0
"""``clisvc parse``: a file's documents on standard output, without a network."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from typing import Any, BinaryIO

import click

from shipper.app import Assembly, documents
from shipper.cli.options import config_options, log_options, settings_from
from shipper.cli.render import harmless
from shipper.clock import SystemClock
from shipper.errors import InputProblem
from shipper.records import Source
from shipper.tail import active_path, log_name

_FLUSH = 512


@click.command()
@click.argument("file", metavar="FILE|-")
@log_options
@click.option("--namespace", metavar="NS", help="Of the data streams [default].")
@click.option("--ids", is_flag=True, help='Wrap as {"_id": …, "_source": …}.')
@config_options
def parse(file: str, *, ids: bool, **options: Any) -> None:
    """Print the documents of a log as they would be indexed, one a line (NDJSON).

    State documents follow the record that caused them; history begins with the file.
    With - the log is read from standard input. Nothing is sent anywhere.
    """
    settings = settings_from(options).settings
    name = settings.input.host or socket.gethostname()
    short, _, domain = name.lower().partition(".")
    path = "" if file == "-" else active_path(os.path.abspath(file))  # noqa: PTH100 - links stay
    folder, base = os.path.split(path)
    source = Source(
        host=short,
        domain=domain,
        log=log_name(base).log if base else "clisvc",
        directory=folder,
        path=path,
        explicit_host=bool(settings.input.host),
    )
    assembly = Assembly(settings, SystemClock())
    out = sys.stdout.buffer
    shown = _harmless if sys.stdout.isatty() else _as_it_is
    lines: list[bytes] = []
    with ExitStack() as stack:
        stream = _open(file, stack)
        limit = settings.input.max_line_bytes
        for event in documents(stream, source, assembly, max_line_bytes=limit):
            if ids:
                lines.append(b'{"_id":"%s","_source":' % event.id.encode())
                lines += (event.document, b"}\n")
            else:
                lines += (event.document, b"\n")
            if len(lines) >= _FLUSH:
                out.write(shown(b"".join(lines)))
                lines.clear()
    out.write(shown(b"".join(lines)))
    out.flush()


def _as_it_is(lines: bytes) -> bytes:
    return lines


def _harmless(lines: bytes) -> bytes:
    """Make control characters of logs visible: a terminal may obey them."""
    return harmless(lines.decode()).encode()


def _open(file: str, stack: ExitStack) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(open(file, "rb"))  # noqa: PTH123 - as the user wrote it
    except OSError as error:
        raise InputProblem(
            f"{file} cannot be read: {error.strerror or error}.",
            remedy="Name a log file, or - for standard input.",
        ) from error
