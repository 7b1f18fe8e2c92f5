# SPDX-License-Identifier: Apache-2.0
"""``clisvc verify``: is each record of a file in Elasticsearch, exactly once?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec
from rich.console import Console

from shipper.app import Assembly
from shipper.audit import Finding, Verification, Verified
from shipper.cli.options import (
    config_options,
    discovery_from,
    json_option,
    log_options,
    server_options,
    settings_from,
)
from shipper.cli.render import counted, echo_json, prose, table
from shipper.cli.signals import interrupting
from shipper.clock import SystemClock
from shipper.deliver import connect
from shipper.errors import EXIT_FOUND, InputProblem
from shipper.records import Source
from shipper.tail import Discovery, LocalOpener, LookError

_NUMBERS = ("records", "present", "missing", "extra")
_LINE = 100  # characters shown of one


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH|TEMPLATE...")
@server_options
@log_options
@json_option
@config_options
def verify(*, as_json: bool, **options: Any) -> None:
    """Compare files with Elasticsearch: each record exactly once, and nothing else.

    The ids of all records are computed anew and looked for. Extra are documents of the
    same generation that the file does not yield, and second copies. A last line without
    an end is left out. Ends with 1 unless all is there and nothing is extra. Changes
    nothing; a key that may only read is enough.

    The host is part of a document's id: give the same --host as when it was shipped.
    """
    settings = settings_from(options).settings
    discovery = discovery_from(settings, siblings_of_files=False, shared=False)
    opener = LocalOpener(discovery.roots)
    files = list(_files(discovery, opener))
    verification = Verification(
        client := connect(settings.elasticsearch),
        url=settings.elasticsearch.url,
        namespace=settings.output.namespace,
        assembly=Assembly(settings, SystemClock()),
        opener=opener,
        max_line_bytes=settings.input.max_line_bytes,
    )
    verified: list[Verified] = []
    try:
        with interrupting(), Console(stderr=True).status("", spinner="line") as shown:
            for source, path in files:
                shown.update(f"{len(verified)} of {counted(len(files), 'file')}")
                verified.append(verification.verify(source, path))
    finally:
        client.close()
    notes = verification.holdings.notes
    if as_json:
        totals = {name: _total(verified, name) for name in _NUMBERS}
        details = {"files": msgspec.to_builtins(verified), "notes": notes}
        echo_json(totals | details)
    else:
        _show(verified, notes)
    if not all(each.exact for each in verified):
        raise SystemExit(EXIT_FOUND)


def _files(discovery: Discovery, opener: LocalOpener) -> Iterator[tuple[Source, str]]:
    """Yield the files that ``ship`` would send, each by itself."""
    found = False
    for source, siblings in discovery.scan().values():
        try:
            paths = siblings.select(opener.names(source.directory, siblings.log))
        except LookError as error:
            raise InputProblem(
                f"{source.directory}: {error}.", remedy="Check path and permissions."
            ) from error
        for path in paths:
            found = True
            yield source, path
    if not found:
        names = ", ".join(pattern.text for pattern in discovery.patterns)
        raise InputProblem(
            f"{names}: there is no such log.",
            remedy="Check the path; a pattern needs quotes in most shells.",
        )


def _show(verified: list[Verified], notes: list[str]) -> None:
    rows: list[tuple[object, ...]] = [
        (each.host, each.path, *(getattr(each, name) for name in _NUMBERS))
        for each in verified
    ]
    if len(rows) > 1:
        rows.append(("all", "", *(_total(verified, name) for name in _NUMBERS)))
    table(("host", "path", *_NUMBERS), rows, numbers=_NUMBERS, whole=["host"])
    for each in verified:
        for finding in each.first_missing:
            prose(f"missing: {_finding(finding)}")
        for finding in each.first_extra:
            places = ", ".join(finding.indices)
            prose(f"extra: {_finding(finding)} (in {places})")
        named = len(each.first_missing) + len(each.first_extra)
        unnamed = each.missing + each.extra - named
        if unnamed:
            prose(f"and {unnamed:,} more in {each.path}")
        if each.unterminated:
            left = counted(each.unterminated, "byte")
            prose(f"{each.path}: {left} of an unfinished last line left out")
    for note in notes:
        prose(note)


def _finding(finding: Finding) -> str:
    text = finding.text if len(finding.text) <= _LINE else f"{finding.text[:_LINE]}…"
    line = text.replace("\r", " ").replace("\n", " ")
    return f"{finding.id} at {finding.offset}: {line}"


def _total(verified: list[Verified], name: str) -> int:
    return sum(getattr(each, name) for each in verified)
