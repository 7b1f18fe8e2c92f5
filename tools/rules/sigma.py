# SPDX-License-Identifier: Apache-2.0
"""A rule in Sigma, the portable form: what is counted is a correlation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any as Anything

from shipper.alerts import LEVELS, Rule, Silence, every, excepted
from shipper.alerts.kql import All, Any, Is, Node, Not, Range, Value, parse
from tools.rules.mapping import TYPES
from tools.rules.security import AUTHOR, title

_DATE = "2026-11-24"
_OPERATORS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TRUTHS = {"true": True, "false": False}


def documents(rule: Rule, entries: Sequence[Silence]) -> list[dict[str, Anything]]:
    """Return a rule's documents: what it is about, and what is counted of it.

    Args:
        rule: the rule.
        entries: exceptions.
    """
    made = [_base(rule, entries)] if "sigma" in rule.uuid else []
    if "correlation" in rule.uuid:
        made.append(_correlation(rule))
    return made


def base_of(rule: Rule) -> Rule:
    """Return the rule that says which documents are counted."""
    return rule if "sigma" in rule.uuid else every()[rule.id.partition("-")[0]]


def _base(rule: Rule, entries: Sequence[Silence]) -> dict[str, Anything]:
    query = excepted(rule.query, entries, rule.exceptions)
    return {
        "title": title(rule),
        "id": rule.uuid["sigma"],
        "name": _name(rule),
        "status": "experimental",
        "description": rule.why,
        "author": AUTHOR,
        "date": _DATE,
        **_tags(rule),
        "logsource": _logsource(rule),
        "detection": _detection(
            parse(f'{query} and not data_stream.namespace: "archive"')
        ),
        "falsepositives": rule.false_positives,
        "level": LEVELS[rule.severity],
    }


def _logsource(rule: Rule) -> dict[str, str]:
    """Return where to look; without a service in all that the client writes."""
    source = {"product": "sms"}
    if len(rule.data) == 1:
        source["service"] = rule.data[0].removeprefix("sms.")
    return source


def _correlation(rule: Rule) -> dict[str, Anything]:
    count = rule.count
    if count is None:
        raise ValueError(rule.id)
    condition: dict[str, Anything] = {"gte": count.at_least}
    if count.of:
        condition["field"] = count.of
    return {
        "title": title(rule),
        "id": rule.uuid["correlation"],
        "status": "experimental",
        "description": rule.why,
        "author": AUTHOR,
        "date": _DATE,
        **_tags(rule),
        "correlation": {
            "type": "value_count" if count.of else "event_count",
            "rules": [_name(base_of(rule))],
            "group-by": rule.by,
            "timespan": rule.arrival,
            "condition": condition,
        },
        "falsepositives": rule.false_positives,
        "level": LEVELS[rule.severity],
    }


def _name(rule: Rule) -> str:
    return f"sms_{rule.id.lower()}"


def _tags(rule: Rule) -> dict[str, list[str]]:
    tags: list[str] = []
    for tactic in rule.attack.tactics if rule.attack else ():
        tags.append(f"attack.{tactic.name.lower().replace(' ', '-')}")
        tags += [f"attack.{one.id.lower()}" for one in tactic.techniques]
    return {"tags": tags} if tags else {}


def _detection(node: Node) -> dict[str, Anything]:
    """Name each comparison; the condition puts them together."""
    selections: dict[str, Anything] = {}

    def named(node: Node) -> str:
        match node:
            case Is() | Range():
                name = f"is_{len(selections) + 1}"
                selections[name] = _selection(node)
                return name
            case Not(part=part):
                return f"not {named(part)}"
            case All(parts=parts):
                return f"({' and '.join(map(named, parts))})"
            case Any(parts=parts):
                return f"({' or '.join(map(named, parts))})"

    condition = named(node)
    return {**selections, "condition": re.sub(r"^\((.*)\)$", r"\1", condition)}


def _selection(node: Is | Range) -> dict[str, Anything]:
    if isinstance(node, Range):
        name = f"{node.field}|{_OPERATORS[node.operator]}"
        return {name: _number(node.field, node.value)}
    if node.exists:
        return {f"{node.field}|exists": True}
    values = [_value(node.field, value) for value in node.values]
    return {node.field: values[0] if len(values) == 1 else values}


def _value(field: str, value: Value) -> object:
    if TYPES[field] == "long":
        return int(value.text)
    if TYPES[field] == "boolean":
        return _TRUTHS[value.text]
    text = value.text.replace("\\", "\\\\").replace("?", "\\?")
    return text if value.glob else text.replace("*", "\\*")


def _number(field: str, value: str) -> int:
    """Sigma compares numbers alone: a date is milliseconds since 1970."""
    if TYPES[field] == "date":
        day = datetime.fromisoformat(value).replace(tzinfo=UTC)
        return int(day.timestamp() * 1000)
    return int(value)
