# SPDX-License-Identifier: Apache-2.0
"""A rule in Elasticsearch's pipe language, where different values are counted."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shipper.alerts import Rule, Silence, excepted
from shipper.alerts.kql import All, Any, Is, Node, Not, Range, Value, parse
from tools.rules.mapping import TYPES

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BARE = frozenset({"long", "boolean"})


def esql(rule: Rule, entries: Sequence[Silence]) -> str:
    """Return a rule's query; each row of its answer is an alert.

    Args:
        rule: counts different values, or looks at the newest times.
        entries: exceptions.
    """
    indices = ",".join(f"logs-{data}-*" for data in rule.data)
    where = _text(parse(excepted(rule.query, entries, rule.exceptions)))
    bounds = f"@timestamp >= {_past(rule.reach)} AND @timestamp <= NOW() + 1 hours"
    lines = [
        f"FROM {indices}",
        f'| WHERE data_stream.namespace != "archive" AND {where} AND {bounds}',
    ]
    by = ", ".join(rule.by)
    if rule.count is not None:
        found = f"found = COUNT_DISTINCT({rule.count.of}), newest = MAX(@timestamp)"
        lines += [f"| STATS {found} BY {by}"]
        lines += [f"| WHERE found >= {rule.count.at_least}"]
    else:
        picks = {"newest": "MAX", "oldest": "MIN"}
        stats = [
            f"time{number} = {picks[age.pick]}({age.field})"
            for number, age in enumerate(rule.times)
        ]
        limits = [
            f"time{number} {sign} {_past(limit)}"
            for number, age in enumerate(rule.times)
            for sign, limit in (("<=", age.older), (">=", age.younger))
            if limit
        ]
        lines += [f"| STATS {', '.join(stats)} BY {by}"]
        lines += [f"| WHERE {' AND '.join(limits)}"]
    return "\n".join(lines)


def _text(node: Node) -> str:
    match node:
        case Is(field=field, values=values):
            if node.exists:
                return f"{field} IS NOT NULL"
            return f"({' OR '.join(_equal(field, value) for value in values)})"
        case Range(field=field, operator=operator, value=value):
            return f"{field} {operator} {_literal(field, value)}"
        case Not(part=part):
            # What has no such field is unknown here, and no match in Kibana.
            return f"NOT COALESCE({_text(part)}, FALSE)"
        case All(parts=parts):
            return f"({' AND '.join(map(_text, parts))})"
        case Any(parts=parts):
            return f"({' OR '.join(map(_text, parts))})"


def _equal(field: str, value: Value) -> str:
    if value.glob:
        pattern = value.text.replace("\\", "\\\\").replace("?", "\\?")
        return f"{field} LIKE {json.dumps(pattern)}"
    return f"{field} == {_literal(field, value.text)}"


def _literal(field: str, value: str) -> str:
    return value if TYPES[field] in _BARE else json.dumps(value)


def _past(duration: str) -> str:
    return f"NOW() - {duration[:-1]} {_UNITS[duration[-1]]}"
