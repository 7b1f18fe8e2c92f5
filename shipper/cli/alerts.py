# SPDX-License-Identifier: Apache-2.0
"""``clisvc alerts``: is there anything that somebody has to look at?"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from shipper.alerts import Alert, any_data, evaluate, every, seconds, silences
from shipper.cli.options import (
    config_options,
    json_option,
    server_options,
    settings_from,
)
from shipper.cli.render import counted, echo_json, prose, table
from shipper.clock import SystemClock
from shipper.deliver import connect
from shipper.errors import EXIT_FOUND, ShipperError, UsageProblem

_SHOWN = 50  # of one rule on a terminal; JSON has all
_COLUMNS = ("severity", "who", "agents", "count", "since", "newest")


def _duration(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    try:
        seconds(value)
    except ShipperError as error:
        raise UsageProblem(f"--since: {error.message}", remedy=error.remedy) from error
    return value


@click.command()
@server_options
@click.option(
    "--since",
    default="50h",
    show_default=True,
    metavar="TIME",
    callback=_duration,
    help="How far back single events are looked for: 15m, 50h, 7d.",
)
@click.option(
    "--exceptions",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What to be silent about [the file that comes with the rules].",
)
@json_option
@config_options
def alerts(
    *, since: str, exceptions: Path | None, as_json: bool, **options: Any
) -> None:
    """Look for what somebody has to look at: who, why, and what to do.

    Asks Elasticsearch the rules of dashboards/rules, for people without Kibana's
    alerting. Single events are looked for as far back as --since; what is counted is
    counted in its rule's own window, and silent hosts and collectors are those of now.
    Ends with 1 if anything is raised. Changes nothing; a key that may only read is
    enough.
    """
    settings = settings_from(options).settings
    now_ms = SystemClock().wall_ms()
    silent = silences(exceptions)
    expired = [entry for entry in silent if entry.expired(now_ms)]
    client = connect(settings.elasticsearch)
    try:
        raised = evaluate(
            client,
            namespace=settings.output.namespace,
            now_ms=now_ms,
            since=since,
            silences=silent,
        )
        there = bool(raised) or any_data(client, settings.output.namespace)
    finally:
        client.close()
    if not there:
        prose(
            "warning: there is no data stream of the namespace"
            f" {settings.output.namespace}, so that nothing can be raised",
            err=True,
        )
    if as_json:
        echo_json({"alerts": raised, "rules": _told(raised), "expired": expired})
    else:
        _show(raised)
        for entry in expired:
            whom = " ".join(filter(None, (entry.host, entry.agent, entry.executable)))
            prose(
                f"warning: the exception of {whom} expired on {entry.until};"
                " renew it or remove it",
                err=True,
            )
    if raised:
        raise SystemExit(EXIT_FOUND)


def _told(raised: Iterable[Alert]) -> dict[str, dict[str, object]]:
    """Return what there is to know about the rules that raised something."""
    told: dict[str, dict[str, object]] = {}
    for name in dict.fromkeys(alert.rule for alert in raised):
        rule = every()[name]
        told[name] = {
            "name": rule.name,
            "why": rule.why,
            "todo": rule.todo,
            "false_positives": rule.false_positives,
            "close": rule.close,
        }
    return told


def _show(raised: list[Alert]) -> None:
    if not raised:
        prose("Nothing is raised.")
        return
    told = _told(raised)
    # Each rule once, in the place of its gravest alert.
    order = {name: place for place, name in enumerate(told)}
    by_rule = sorted(raised, key=lambda alert: order[alert.rule])
    for name, group in groupby(by_rule, key=lambda alert: alert.rule):
        found = list(group)
        rule: Any = told[name]
        title = f"{name} {rule['name']}: {counted(len(found), 'alert')}"
        rows = [_row(alert) for alert in found[:_SHOWN]]
        table(_COLUMNS, rows, title=title, numbers=["count"], whole=["severity"])
        if len(found) > _SHOWN:
            prose(f"and {len(found) - _SHOWN:,} more; --json has all of them")
        causes = Counter(alert.explained_by for alert in found if alert.explained_by)
        for cause, times in causes.items():
            prose(f"{times:,} of them on hosts of {cause}: work on that first")
        prose(f"Newest: {max(found, key=lambda alert: alert.last).message}")
        prose(f"Why: {rule['why']}")
        for number, step in enumerate(rule["todo"], 1):
            prose(textwrap.indent(f"{number}. {step}", "  "))
        prose(f"Done when: {rule['close']}\n")


def _row(alert: Alert) -> tuple[object, ...]:
    # A host is named by what the case is known by; a policy or a hotfix has many.
    who = alert.key.get("host.name") or alert.key.get("observer.name")
    if not who:
        where = " ".join(str(value) for value in alert.key.values() if value)
        hosts = counted(alert.host_count, "host")
        who = f"{hosts}: {where}" if where else hosts
    return (
        f"{alert.severity} {alert.level}",
        who,
        ", ".join(alert.agents),
        alert.count,
        alert.first[:16],
        alert.last[:16],
    )
