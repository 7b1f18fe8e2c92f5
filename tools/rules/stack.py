# SPDX-License-Identifier: Apache-2.0
"""A rule as a rule of Kibana's own, for its HTTP interface and the basic licence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shipper.alerts import LEVELS, Rule, Silence, excepted
from shipper.alerts.dsl import dsl
from shipper.alerts.kql import parse
from tools.rules.esql import esql
from tools.rules.security import bounded, title

#: Where alerts leave on a basic licence.
CONNECTOR = {
    "id": "clisvc-alerts",
    "body": {
        "name": "SMS client alerts",
        "connector_type_id": ".index",
        "config": {
            "index": "logs-sms.alerts-default",
            "refresh": False,
            "executionTimeField": "@timestamp",
        },
        "secrets": {},
    },
}

_MOST = 1000  # groups, and alerts a run
_SUMMARY = (
    "{{alerts.new.count}} new, {{alerts.ongoing.count}} ongoing,"
    " {{alerts.recovered.count}} recovered; new: {{#alerts.new.data}}"
    "{{kibana.alert.instance.id}} {{/alerts.new.data}}"
)
_ROWS = "{{#context.hits}}{{_source}} {{/context.hits}}"
#: Grouping drops documents without the field.
_MAY_LACK = frozenset({"file.path"})


def rule(rule: Rule, entries: Sequence[Silence]) -> dict[str, Any]:
    """Return the body of the request that creates a rule.

    Args:
        rule: the rule.
        entries: exceptions.
    """
    level = LEVELS[rule.severity]
    return {
        "name": title(rule),
        "rule_type_id": ".es-query",
        "consumer": "stackAlerts",
        "enabled": True,
        "tags": ["clisvc", rule.id, f"severity: {level}"],
        "schedule": {"interval": rule.every},
        "params": _params(rule, entries),
        "actions": [_action(rule, level)],
    }


def _params(rule: Rule, entries: Sequence[Silence]) -> dict[str, Any]:
    params: dict[str, Any] = {
        "aggType": "count",
        "excludeHitsFromPreviousRun": False,
        "thresholdComparator": ">",
        "threshold": [0],
        "timeField": "event.ingested",
    }
    if _in_rows(rule):
        return {
            **params,
            **_window(rule.arrival),
            "searchType": "esqlQuery",
            "esqlQuery": {"esql": esql(rule, entries)},
            "groupBy": "all",
            "size": 0,
        }
    by = [field for field in rule.by if field not in _MAY_LACK]
    index = [f"logs-{data}-*" for data in rule.data]
    query = bounded(rule, entries)
    if (current := rule.stack) is not None:
        by, index = current.by, [current.index]
        query = " and ".join(
            [
                excepted(current.query, entries, current.exceptions),
                *(
                    f'{age.field} {sign} "now-{limit}"'
                    for age in rule.times
                    for sign, limit in (("<=", age.older), (">=", age.younger))
                    if limit
                ),
            ]
        )
        params["timeField"] = "@timestamp"
    if rule.count is not None and not rule.count.of:
        params |= {"thresholdComparator": ">=", "threshold": [rule.count.at_least]}
    return {
        **params,
        **_window(current.window if current else rule.arrival),
        "searchType": "esQuery",
        "index": index,
        "esQuery": json.dumps({"query": dsl(parse(query))}, sort_keys=True),
        "groupBy": "top",
        "termField": by[0] if len(by) == 1 else by,
        "termSize": _MOST,
        "size": 100,
        "sourceFields": [{"label": field, "searchPath": field} for field in by],
    }


def _in_rows(rule: Rule) -> bool:
    """Tell whether it can only be asked in the pipe language, whose answer is rows."""
    counts = rule.count is not None and bool(rule.count.of)
    return rule.stack is None and (bool(rule.times) or counts)


def _window(duration: str) -> dict[str, Any]:
    return {"timeWindowSize": int(duration[:-1]), "timeWindowUnit": duration[-1]}


def _action(rule: Rule, level: str) -> dict[str, Any]:
    """One message an hour, however many hosts one mistake hits.

    A rule of the pipe language is a single alert whatever it finds, in all versions we
    support; what it found is in its rows, which a summary does not see.
    """
    document = {
        "rule": {"id": "{{rule.id}}", "name": "{{rule.name}}", "ruleset": rule.id},
        "event": {"kind": "alert", "severity": rule.severity},
        "log": {"level": level},
        "message": _ROWS if _in_rows(rule) else _SUMMARY,
    }
    return {
        "group": "query matched",
        "id": CONNECTOR["id"],
        "params": {"documents": [document]},
        "frequency": {
            "summary": not _in_rows(rule),
            "notify_when": "onThrottleInterval",
            "throttle": "1h",
        },
    }
