# SPDX-License-Identifier: Apache-2.0
"""``clisvc check``: are settings, server and logs all right?"""

from __future__ import annotations

from typing import Any

import click

from shipper.app import Assembly
from shipper.cli.options import (
    config_options,
    discovery_from,
    input_options,
    json_option,
    server_options,
    settings_from,
    state_dir,
    state_option,
)
from shipper.cli.render import echo_json, prose, table
from shipper.clock import SystemClock
from shipper.config import Settings
from shipper.deliver import connect, public_url
from shipper.errors import EXIT_FOUND, ShipperError, StateError
from shipper.stack import Server, plan, probe
from shipper.tail import LocalOpener, LookError

_SHOWN = 20


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH|TEMPLATE]...")
@server_options
@state_option
@input_options
@click.option("--all", "show_all", is_flag=True, help="Show defaults too.")
@json_option
@config_options
def check(*, as_json: bool, show_all: bool, **options: Any) -> None:
    """Try server, templates and logs, and show each setting with its origin.

    Writes nothing. The exit code is that of the first thing that is wrong.
    """
    loaded = settings_from(options)
    settings = loaded.settings
    Assembly(settings, SystemClock())
    findings: list[tuple[str, str, str]] = []
    problems: list[ShipperError | None] = [
        _server(settings, findings),
        _logs(settings, findings),
        _state(settings, findings),
    ]
    if as_json:
        found = {
            "settings": [
                {"key": key, "value": value, "origin": origin}
                for key, value, origin in loaded.rows()
            ],
            "findings": [
                {"what": what, "ok": ok == "ok", "detail": detail}
                for what, ok, detail in findings
            ],
        }
        echo_json(found)
    else:
        table(("checked", "result", "detail"), findings, whole=["result"])
        rows = [row for row in loaded.rows() if show_all or row[2] != "default"]
        table(("setting", "value", "origin"), rows, whole=["setting"])
        if not show_all:
            prose("All other settings have their defaults; --all shows them.")
    wrong = next((problem for problem in problems if problem is not None), None)
    if wrong is not None:
        raise SystemExit(wrong.exit_code)
    if any(ok != "ok" for _, ok, _ in findings):
        raise SystemExit(EXIT_FOUND)


def _server(
    settings: Settings, findings: list[tuple[str, str, str]]
) -> ShipperError | None:
    where = public_url(settings.elasticsearch.url)
    try:
        client = connect(settings.elasticsearch)
    except ShipperError as error:
        findings.append((where, "wrong", str(error)))
        return error
    try:
        server: Server = probe(client)
        findings.append((where, "ok", server.title))
        if where.startswith("https:") and not settings.elasticsearch.verify:
            findings.append((where, "wrong", "the certificate is not verified"))
        for step in plan(client, server, settings=settings.setup):
            fine = step.action in {"unchanged", "skipped", "refused"}
            detail = step.action + (f": {step.reason}" if step.reason else "")
            hint = "" if fine else "; `clisvc setup` or the first run installs it"
            findings.append((f"{step.kind} {step.name}", "ok", detail + hint))
    except ShipperError as error:
        findings.append((where, "wrong", str(error)))
        return error
    finally:
        client.close()
    return None


def _logs(
    settings: Settings, findings: list[tuple[str, str, str]]
) -> ShipperError | None:
    try:
        discovery = discovery_from(settings)
        found = discovery.scan()
    except ShipperError as error:
        findings.append(("logs", "wrong", str(error)))
        return error
    opener = LocalOpener(discovery.roots)
    for number, (source, _) in enumerate(found.values()):
        if number == _SHOWN:
            findings.append(("logs", "ok", f"and {len(found) - _SHOWN:,} more"))
            break
        try:
            with opener.open(source.path) as file:
                detail = f"{file.size():,} bytes, host {source.host}"
            findings.append((source.path, "ok", detail))
        except LookError as trouble:
            findings.append((source.path, "wrong", str(trouble)))
    if not found:
        findings.append(("logs", "wrong", "nothing matches the paths given"))
    return None


def _state(
    settings: Settings, findings: list[tuple[str, str, str]]
) -> ShipperError | None:
    folder = state_dir(settings)
    try:
        existing = next(
            (parent for parent in (folder, *folder.parents) if parent.exists()), folder
        )
    except OSError as trouble:
        error = StateError(f"state.dir: {folder} cannot be read: {trouble.strerror}.")
        findings.append((str(folder), "wrong", str(error)))
        return error
    if existing.is_dir():
        detail = "there" if existing == folder else "is made when it is needed"
        findings.append((str(folder), "ok", f"state folder {detail}"))
        return None
    error = StateError(f"state.dir: {existing} is not a folder.")
    findings.append((str(folder), "wrong", str(error)))
    return error
