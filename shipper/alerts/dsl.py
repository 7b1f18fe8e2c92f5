# SPDX-License-Identifier: Apache-2.0
"""A query as Elasticsearch is asked it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any as Anything

from shipper.alerts.kql import All, Any, Is, Node, Not, Range, Value

_OPERATORS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def dsl(node: Node, *, now: str = "now") -> dict[str, Anything]:
    """Return a query in Elasticsearch's own language.

    Args:
        node: the query.
        now: the time that ``now`` in it stands for, as :func:`anchor` gives it;
            default: the server's.
    """
    match node:
        case Is():
            return _is(node)
        case Range(field=field, operator=operator, value=value):
            if value.startswith("now"):
                value = now + value.removeprefix("now")
            return {"range": {field: {_OPERATORS[operator]: value}}}
        case Not(part=part):
            return {"bool": {"must_not": [dsl(part, now=now)]}}
        case All(parts=parts):
            return {"bool": {"filter": [dsl(part, now=now) for part in parts]}}
        case Any(parts=parts):
            should = [dsl(part, now=now) for part in parts]
            return {"bool": {"should": should, "minimum_should_match": 1}}


def anchor(ms: int) -> str:
    """Return a time for date mathematics to start from.

    Args:
        ms: milliseconds since 1970, UTC.
    """
    moment = datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='milliseconds')}Z||"


def _is(node: Is) -> dict[str, Anything]:
    if node.exists:
        return {"exists": {"field": node.field}}
    plain = [value.text for value in node.values if not value.glob]
    parts = [_wildcard(node.field, value) for value in node.values if value.glob]
    if len(plain) == 1:
        parts.append({"term": {node.field: {"value": plain[0]}}})
    elif plain:
        parts.append({"terms": {node.field: plain}})
    if len(parts) == 1:
        return parts[0]
    return {"bool": {"should": parts, "minimum_should_match": 1}}


def _wildcard(field: str, value: Value) -> dict[str, Anything]:
    pattern = value.text.replace("\\", "\\\\").replace("?", "\\?")
    return {"wildcard": {field: {"value": pattern}}}
