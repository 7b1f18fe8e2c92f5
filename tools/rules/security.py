# SPDX-License-Identifier: Apache-2.0
"""A rule as a detection rule of Elastic Security."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shipper.alerts import LEVELS, Rule, Silence, excepted
from shipper.alerts.kql import Is, KqlError, parse
from shipper.alerts.rules import Tactic, Technique

AUTHOR = "Clisvc Shipper"
TAGS = ["Domain: Endpoint", "OS: Windows", "Data Source: SMS client service"]

_ATTACK = "https://attack.mitre.org"
#: More than one run of a detection rule may raise is cut.
_MOST = 1000
#: Grouping drops documents without the field: rather one alert for all domains.
_MAY_LACK = frozenset({"host.domain"})


def title(rule: Rule) -> str:
    """Return what a rule is called among rules of others."""
    return f"SMS client: {rule.name}"


def bounded(rule: Rule, entries: Sequence[Silence]) -> str:
    """Return a rule's query, less exceptions, archives and what is not of now."""
    query = excepted(rule.query, entries, rule.exceptions)
    return (
        f'{query} and not data_stream.namespace: "archive"'
        f' and @timestamp >= "now-{rule.reach}" and @timestamp <= "now+1h"'
    )


def guide(rule: Rule) -> str:
    """Return what an analyst reads beside an alert, as Markdown."""
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(rule.todo, 1))
    return "\n\n".join(
        [
            f"## Why\n\n{rule.why}",
            f"## What to do\n\n{steps}",
            f"## Tuning\n\n{_listed(rule.tune)}",
            f"## When to close\n\n{rule.close}",
        ]
    )


def rule(rule: Rule, entries: Sequence[Silence]) -> dict[str, Any]:
    """Return the body of a detection rule.

    Args:
        rule: the rule; it counts.
        entries: exceptions.
    """
    body: dict[str, Any] = {
        "actions": [],
        "author": [AUTHOR],
        "description": rule.why,
        "enabled": False,
        "exceptions_list": [],
        "false_positives": rule.false_positives,
        "filters": [],
        "from": f"now-{rule.arrival}",
        "index": [f"logs-{data}-*" for data in rule.data],
        "interval": rule.every,
        "language": "kuery",
        "license": "Apache-2.0",
        "max_signals": _MOST,
        "name": title(rule),
        "note": guide(rule),
        "query": bounded(rule, entries),
        "references": [],
        "related_integrations": [],
        "required_fields": [],
        "risk_score": rule.severity,
        "risk_score_mapping": [],
        "rule_id": rule.uuid["security"],
        "setup": "",
        "severity": LEVELS[rule.severity],
        "severity_mapping": list(_severities(rule)),
        "tags": [*TAGS, *rule.tags],
        "threat": list(_threats(rule)),
        "timestamp_override": "event.ingested",
        "timestamp_override_fallback_disabled": True,
        "to": "now",
        "type": "query",
        "version": 1,
    }
    if rule.count is not None and not rule.each:
        different, value = [], rule.count.at_least
        if rule.count.of:
            different, value = [{"field": rule.count.of, "value": value}], 1
        body |= {
            "type": "threshold",
            "threshold": {
                "field": [field for field in rule.by if field not in _MAY_LACK],
                "value": value,
                "cardinality": different,
            },
        }
    return body


def _severities(rule: Rule) -> Iterator[dict[str, str]]:
    for step in rule.ladder:
        node = parse(step.when)
        if not isinstance(node, Is):
            raise KqlError(f"{step.when!r}: a step compares one field with values.")
        for value in node.values:
            yield {
                "field": node.field,
                "operator": "equals",
                "severity": LEVELS[step.severity],
                "value": value.text,
            }


def _threats(rule: Rule) -> Iterator[dict[str, Any]]:
    for tactic in rule.attack.tactics if rule.attack else ():
        yield {
            "framework": "MITRE ATT&CK",
            "tactic": {
                "id": tactic.id,
                "name": tactic.name,
                "reference": f"{_ATTACK}/tactics/{tactic.id}/",
            },
            "technique": _techniques(tactic),
        }


def _techniques(tactic: Tactic) -> list[dict[str, Any]]:
    return [_technique(one) for one in tactic.techniques]


def _technique(one: Technique) -> dict[str, Any]:
    base, _, part = one.id.partition(".")
    made: dict[str, Any] = {
        "id": base,
        "name": one.parent or one.name,
        "reference": f"{_ATTACK}/techniques/{base}/",
    }
    if part:
        sub = {"id": one.id, "name": one.name}
        sub["reference"] = f"{_ATTACK}/techniques/{base}/{part}/"
        made["subtechnique"] = [sub]
    return made


def _listed(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
