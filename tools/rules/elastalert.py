# SPDX-License-Identifier: Apache-2.0
"""A rule for ElastAlert 2, made by pySigma from the portable form.

pySigma knows neither where documents are nor that they may arrive late; that is added
here. Who is alerted is for whoever installs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from sigma.backends.elasticsearch.elasticsearch_elastalert import ElastalertBackend
from sigma.collection import SigmaCollection

from shipper.alerts import Rule, Silence
from tools.rules.sigma import base_of, documents

_MOST = 1000  # groups it looks at; 50 unless told
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def rule(rule: Rule, entries: Sequence[Silence]) -> dict[str, Any] | None:
    """Return a rule, or ``None`` where ElastAlert has no way to say it.

    Args:
        rule: the rule.
        entries: exceptions.
    """
    if rule.count is None:
        return None
    found = documents(rule, entries)
    if not found:
        return None
    base = base_of(rule)
    if base is not rule:
        found = [*documents(base, entries)[:1], *found]
    (text,) = ElastalertBackend().convert(SigmaCollection.from_dicts(found))
    made: dict[str, Any] = yaml.safe_load(text)
    made["filter"].append({"range": {"@timestamp": _bounds(rule)}})
    made |= {
        "index": ",".join(f"logs-{data}-*" for data in rule.data),
        "timestamp_field": "event.ingested",
        "query_key": rule.by,
        "realert": _span(rule.arrival),
        "alert": ["debug"],
    }
    if made["type"] == "metric_aggregation":
        made["terms_size"] = _MOST
    return dict(sorted(made.items()))


def _bounds(rule: Rule) -> dict[str, str]:
    return {"gte": f"now-{rule.reach}", "lte": "now+1h"}


def _span(duration: str) -> dict[str, int]:
    return {_UNITS[duration[-1]]: int(duration[:-1])}
