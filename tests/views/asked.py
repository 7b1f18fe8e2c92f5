# SPDX-License-Identifier: Apache-2.0
"""The search Kibana makes of a panel, or of a saved search.

Lens turns a panel into one search: its buckets nested in the order of its columns, its
metrics in the innermost. ``last_value`` is a ``top_hits`` here, as Kibana has it for
arrays, because the minimal server has no ``top_metrics``. Two things are left out: what
"Other" adds up to, for a panel that does not show all that is planted has failed its
test, and empty intervals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.views.panels import Object, Panel, views
from tools.views.kql import compiled

MISSING = "(missing value)"
_METRICS = {
    "count": "value_count",
    "unique_count": "cardinality",
    "max": "max",
    "min": "min",
    "sum": "sum",
}
_RECORDS = "___records___"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
#: Intervals Kibana chooses by itself, each up to a limit.
_INTERVALS = (
    ("1m", timedelta(minutes=3)),
    ("5m", timedelta(minutes=9)),
    ("10m", timedelta(minutes=20)),
    ("30m", timedelta(minutes=45)),
    ("1h", timedelta(hours=2)),
    ("3h", timedelta(hours=6)),
    ("12h", timedelta(hours=24)),
    ("1d", timedelta(weeks=1)),
)
#: Columns it would like to show, and those it shows at most.
_BARS, _MAX_BARS = 50, 100


def asked(
    panel: Panel, now: datetime, namespace: str, chosen: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a panel's search.

    Args:
        panel: the panel.
        now: what "now" means.
        namespace: of the data streams that are asked.
        chosen: what controls choose, by field.
    """
    state, view = panel.lens["state"], views()[panel.view]
    filters, excluded = _filtered(state["filters"], panel.references)
    filters.append(compiled(state["query"]["query"]))
    filters += [{"match_phrase": {by: one}} for by, one in (chosen or {}).items()]
    if view.time is not None:
        span = {"gte": panel.begin, "lte": panel.end}
        filters.append({"range": {view.time: span}})
    shown = moment(panel.end, now) - moment(panel.begin, now)
    body = {
        "index": index_of(panel.view, namespace),
        "ignore_unavailable": True,
        "size": 0,
        "query": {"bool": {"filter": filters, "must_not": excluded}},
        "aggs": _aggregations(panel.layer, shown),
    }
    at_now: dict[str, Any] = _at(body, now)
    return at_now


def asked_search(found: Object, namespace: str) -> dict[str, Any]:
    """Return a saved search's search."""
    references = {one["name"]: one["id"] for one in found["references"]}
    attributes = found["attributes"]
    source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    filters, excluded = _filtered(source["filter"], references)
    filters.append(compiled(source["query"]["query"]))
    return {
        "index": index_of(references[source["indexRefName"]], namespace),
        "ignore_unavailable": True,
        "query": {"bool": {"filter": filters, "must_not": excluded}},
        "sort": [{by: order} for by, order in attributes["sort"]],
    }


def index_of(view: str, namespace: str) -> str:
    """Return what a data view's pattern means in one namespace.

    What transforms would write stands in an index of the namespace, too.
    """
    patterns = views()[view].title.split(",")
    return ",".join(
        f"{one[:-1]}{namespace}" if one.endswith("*") else f"{one}-{namespace}"
        for one in patterns
    )


def moment(text: str, now: datetime) -> datetime:
    """Return the time that date math without rounding means."""
    if text == "now":
        return now
    return now - _span(text.removeprefix("now-"))


def buckets(layer: Mapping[str, Any]) -> list[str]:
    """Return the columns that split, the outermost first."""
    columns = layer["columns"]
    return [name for name in layer["columnOrder"] if columns[name]["isBucketed"]]


def metrics(layer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns Elasticsearch is asked for values of."""
    return {
        name: column
        for name, column in layer["columns"].items()
        if not column["isBucketed"] and "references" not in column
    }


def _filtered(
    filters: Iterable[Mapping[str, Any]], references: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what is wanted, and what is not."""
    asks: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for one in filters:
        meta = one["meta"]
        name = meta.get("index") or meta["indexRefName"]
        assert name in references, f"there is no reference {name}"
        if not meta["disabled"]:
            asks[meta["negate"]].append(one["query"])
    return asks[False], asks[True]


def _aggregations(layer: Mapping[str, Any], shown: timedelta) -> dict[str, Any]:
    asks = metrics(layer)
    values = inner = {name: _metric(column) for name, column in asks.items()}
    for name in reversed(buckets(layer)):
        bucket = _bucket(layer["columns"][name], asks, shown)
        inner = {**values, name: bucket | {"aggs": inner}}  # buckets are ordered by one
    return inner


def _metric(column: Mapping[str, Any]) -> dict[str, Any]:
    query = compiled(column.get("filter", {}).get("query", ""))
    match column["operationType"]:
        case "count" if column["sourceField"] == _RECORDS:
            return {"filter": query}
        case "last_value":
            hits = {
                "size": 1,
                "sort": [{column["params"]["sortField"]: "desc"}],
                "_source": False,
                "docvalue_fields": [column["sourceField"]],
            }
            return {"filter": query, "aggs": {"value": {"top_hits": hits}}}
        case operation:
            found = {_METRICS[operation]: {"field": column["sourceField"]}}
            return {"filter": query, "aggs": {"value": found}}


def _bucket(
    column: Mapping[str, Any], asks: Mapping[str, Mapping[str, Any]], shown: timedelta
) -> dict[str, Any]:
    params = column["params"]
    match column["operationType"]:
        case "filters":
            named = {
                one["label"]: compiled(one["input"]["query"])
                for one in params["filters"]
            }
            return {"filters": {"filters": named}}
        case "date_histogram":
            by = {
                "field": column["sourceField"],
                "fixed_interval": interval_of(params["interval"], shown),
                "min_doc_count": 1,
            }
            return {"date_histogram": by}
        case _:
            return {"terms": _terms(column, asks)}


def interval_of(asked_for: str, shown: timedelta) -> str:
    """Return the interval Kibana takes.

    Args:
        asked_for: what the panel wants, which may be too fine for what is shown.
        shown: length of the time that is shown.
    """
    if asked_for == "auto":
        return next(name for name, limit in _INTERVALS if limit > shown / _BARS)
    if shown / _span(asked_for) <= _MAX_BARS:
        return asked_for
    return next(name for name, _ in _INTERVALS if shown / _span(name) <= _MAX_BARS)


def _span(text: str) -> timedelta:
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def _terms(
    column: Mapping[str, Any], asks: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    params = column["params"]
    by, direction = params["orderBy"], params["orderDirection"]
    path = "_key"
    if by["type"] == "column":
        plain = "aggs" not in _metric(asks[by["columnId"]])
        path = by["columnId"] if plain else f"{by['columnId']}>value"
    terms = {
        "field": column["sourceField"],
        "size": params["size"],
        "order": {path: direction},
    }
    # Kibana finds what has no value only while it looks for the others, too.
    if params["otherBucket"] and params["missingBucket"]:
        terms["missing"] = MISSING
    return terms


def _at(value: Any, now: datetime) -> Any:  # noqa: ANN401 - any JSON
    """Let "now" be a given time, in any query."""
    at = now.isoformat()
    match value:
        case dict():
            return {key: _at(one, now) for key, one in value.items()}
        case list():
            return [_at(one, now) for one in value]
        case "now":
            return at
        case str() if value.startswith("now-"):
            return f"{at}||{value.removeprefix('now')}"
    return value
