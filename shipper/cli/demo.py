# SPDX-License-Identifier: Apache-2.0
"""``clisvc demo``: all of it in a minute, on a machine that has nothing but Python."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
from rich.console import Console

from shipper.cli.options import json_option
from shipper.cli.render import prose, table
from shipper.cli.signals import interrupting
from shipper.clock import SystemClock
from shipper.demo import AgentFinding, Demonstration, Findings, Result
from shipper.errors import EXIT_FOUND
from shipper.stack.embedded import DEFAULT_VERSION, VERSIONS, EmbeddedServer
from shipper.telemetry import configure


@click.command()
@click.option("--hosts", type=click.IntRange(12, 500), default=48, show_default=True)
@click.option("--seed", type=int, default=2003, show_default=True)
@click.option(
    "--elasticsearch-version",
    "version",
    type=click.Choice(list(VERSIONS)),
    default=DEFAULT_VERSION,
    show_default=True,
    help="Which Elasticsearch.",
)
@click.option(
    "--elasticsearch-url",
    metavar="URL",
    help="Use this server, without security, in a namespace of its own.",
)
@json_option
def demo(
    *,
    hosts: int,
    seed: int,
    version: str,
    elasticsearch_url: str | None,
    as_json: bool,
) -> None:
    """Write a small fleet, tail it live, and show what an analyst would see.

    Starts a genuine Elasticsearch (fetched once), writes the logs of some dozen
    machines in which a policy takes a right from a third, rotates logs while it reads
    them, and proves by query that every record is indexed exactly once.
    """
    configure(level="warning", style="auto")
    report = _reporter()
    clock = SystemClock()
    with ExitStack() as stack:
        stack.enter_context(interrupting())
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="clisvc-demo-"))
        namespace = "demo"
        if elasticsearch_url is None:
            server = EmbeddedServer(version=version, report=report)
            elasticsearch_url = stack.enter_context(server).url
        else:
            namespace = f"demo{clock.wall_ms()}"
        result = Demonstration(
            elasticsearch_url,
            Path(name),
            seed=seed,
            hosts=hosts,
            namespace=namespace,
            report=report,
        ).run()
    if as_json:
        click.echo(msgspec.json.encode(result).decode())
    else:
        _show(result)
    if not result.proof.exact:
        raise SystemExit(EXIT_FOUND)


def _reporter() -> Callable[[str], None]:
    console = Console(stderr=True)
    clock = SystemClock()
    begun = clock.monotonic()

    def report(step: str) -> None:
        seconds = clock.monotonic() - begun
        console.print(f"[dim]{seconds:5.1f} s[/dim]  {step}", highlight=False)

    return report


def _show(result: Result) -> None:
    found, proof = result.findings, result.proof
    failing = [f for f in found.failing if f.state != "integrity_failed"]
    integrity = [f for f in found.failing if f.state == "integrity_failed"]
    click.echo()
    hosts = len({finding.host for finding in found.failing})
    title = f"In trouble: {hosts} of {found.hosts} hosts"
    _agents_table([*integrity, *failing], title)
    if integrity:
        names = ", ".join(dict.fromkeys(finding.host for finding in integrity))
        prose(f"Look here first, a program failed its integrity check: {names}")
    recovered = dict.fromkeys(finding.host for finding in found.recovered)
    prose(f"Works again: {', '.join(recovered) or 'none'}")
    prose(f"One policy or single machines? {_verdict(found)}")
    for remedy, rights in dict.fromkeys((f.remedy, f.rights) for f in found.failing):
        if remedy:
            prose(f"Remedy: {remedy}")
        if rights:
            prose(f"Candidate rights: {', '.join(rights)}")
    click.echo()
    prose(
        f"{result.rotations} rotations meanwhile; {result.seconds:.1f} s from"
        " the first line to the last acknowledgement."
    )
    equal = " =" if proof.written == proof.indexed else ","
    prose(
        f"records written {proof.written:,}{equal} documents indexed {proof.indexed:,}"
    )
    prose(f"{proof.lost:,} lost, {proof.doubled:,} doubled")


def _agents_table(found: list[AgentFinding], title: str) -> None:
    table(
        ("host", "client agent", "state", "since (UTC)", "cycles", "code"),
        [_row(finding) for finding in found],
        title=title,
        numbers=["cycles", "code"],
        whole=["host", "client agent", "state", "since (UTC)"],
    )


def _row(finding: AgentFinding) -> tuple[object, ...]:
    return (
        finding.host,
        finding.agent.removesuffix(" Client Agent"),
        finding.state.replace("_", " "),
        f"{finding.since:%Y-%m-%d %H:%M}",
        finding.cycles,
        finding.root_code,
    )


def _verdict(found: Findings) -> str:
    parts = []
    if found.policy_from is not None:
        parts.append(
            f"{len(found.policy_hosts)} hosts were first refused a right within 25 h"
            f" from {found.policy_from:%Y-%m-%d %H:%M} UTC: consistent with one policy"
            " change"
        )
    if found.single_hosts:
        names = ", ".join(found.single_hosts)
        parts.append(f"on their own, consistent with local changes: {names}")
    return "; ".join(parts) + "." if parts else "No host was refused a right."
