# SPDX-License-Identifier: Apache-2.0
"""The committed panels, and the searches Kibana makes of them.

Lens turns a panel into one search: its buckets nested in the order of its columns, its
metrics in the innermost. ``last_value`` is a ``top_hits`` here, as Kibana has it for
arrays, because the minimal server has no ``top_metrics``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from tools.views.kql import compiled
from tools.views.sources import COMPILED, load

VIEWS = {view["id"]: view for view in load().views}
_AUTO = "3h"
_METRICS = {"unique_count": "cardinality", "max": "max", "min": "min", "sum": "sum"}
_EVERYTHING: dict[str, Any] = {"match_all": {}}


class Panel(Struct, frozen=True, kw_only=True):
    """A Lens panel.

    Attributes:
        dashboard: id of its dashboard.
        title: its title.
        view: id of its data view.
        lens: ``embeddableConfig.attributes``.
    """

    dashboard: str
    title: str
    view: str
    lens: dict[str, Any]

    @property
    def layer(self) -> dict[str, Any]:
        """Its only layer."""
        layers = self.lens["state"]["datasourceStates"]["formBased"]["layers"]
        (layer,) = layers.values()
        found: dict[str, Any] = layer
        return found


def objects(kind: str) -> list[dict[str, Any]]:
    """Return the committed objects of a kind."""
    lines = COMPILED.read_text(encoding="utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["type"] == kind]


def panels() -> list[Panel]:
    """Return all Lens panels, in the order of the file."""
    return [
        Panel(
            dashboard=dashboard["id"],
            title=panel["title"],
            view=panel["embeddableConfig"]["attributes"]["references"][0]["id"],
            lens=panel["embeddableConfig"]["attributes"],
        )
        for dashboard in objects("dashboard")
        for panel in json.loads(dashboard["attributes"]["panelsJSON"])
        if panel["type"] == "lens"
    ]


def asked(panel: Panel, start: datetime, now: datetime) -> dict[str, Any]:
    """Return the body of a panel's search.

    Args:
        panel: the panel.
        start: beginning of the chosen time, which ends now.
        now: what "now" means.
    """
    state = panel.lens["state"]
    filters = [one["query"] for one in state["filters"]]
    filters.append(compiled(state["query"]["query"]))
    if "time" in VIEWS[panel.view]:
        chosen = {"gte": start.isoformat(), "lte": now.isoformat()}
        filters.append({"range": {VIEWS[panel.view]["time"]: chosen}})
    body = {
        "size": 0,
        "query": {"bool": {"filter": filters}},
        "aggs": _aggregations(panel.layer),
    }
    at_now: dict[str, Any] = _at(body, now)
    return at_now


def asked_search(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a saved search's search."""
    source = json.loads(
        found["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]
    )
    filters = [one["query"] for one in source["filter"]]
    filters.append(compiled(source["query"]["query"]))
    return {
        "query": {"bool": {"filter": filters}},
        "sort": [{by: order} for by, order in found["attributes"]["sort"]],
    }


def rows(panel: Panel, reply: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a panel would show: a row a bucket, by the columns' labels."""
    return list(_rows(panel.layer, reply["aggregations"], _buckets(panel.layer)))


def _buckets(layer: Mapping[str, Any]) -> list[str]:
    columns = layer["columns"]
    return [name for name in layer["columnOrder"] if columns[name]["isBucketed"]]


def _metrics(layer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the columns Elasticsearch is asked for values of."""
    return {
        name: column
        for name, column in layer["columns"].items()
        if not column["isBucketed"] and "references" not in column
    }


def _aggregations(layer: Mapping[str, Any]) -> dict[str, Any]:
    metrics = _metrics(layer)
    values = inner = {name: _metric(column) for name, column in metrics.items()}
    for name in reversed(_buckets(layer)):
        bucket = _bucket(layer["columns"][name], metrics)
        inner = {**values, name: bucket | {"aggs": inner}}  # buckets are ordered by one
    return inner


def _metric(column: Mapping[str, Any]) -> dict[str, Any]:
    query = compiled(column.get("filter", {}).get("query", ""))
    match column["operationType"]:
        case "count":
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
    column: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]
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
            interval = params["interval"].replace("auto", _AUTO)
            by = {"field": column["sourceField"], "fixed_interval": interval}
            return {"date_histogram": by | {"min_doc_count": 1}}
        case _:
            return {"terms": _terms(column, metrics)}


def _terms(
    column: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    params = column["params"]
    by, direction = params["orderBy"], params["orderDirection"]
    path = "_key"
    if by["type"] == "column":
        plain = metrics[by["columnId"]]["operationType"] == "count"
        path = by["columnId"] if plain else f"{by['columnId']}>value"
    terms = {
        "field": column["sourceField"],
        "size": params["size"],
        "order": {path: direction},
    }
    if params["missingBucket"]:
        terms["missing"] = "(missing)"
    return terms


def _rows(
    layer: Mapping[str, Any], found: Mapping[str, Any], buckets: list[str]
) -> Iterator[dict[str, Any]]:
    if not buckets:
        yield {
            column["label"]: _value(column, found[name])
            for name, column in _metrics(layer).items()
        }
        return
    name, *rest = buckets
    label, inside = layer["columns"][name]["label"], found[name]["buckets"]
    listed = inside.items() if isinstance(inside, dict) else _keyed(inside)
    for key, bucket in listed:
        for row in _rows(layer, bucket, rest):
            yield {label: key, **row}


def _keyed(buckets: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for bucket in buckets:
        yield bucket.get("key_as_string", bucket["key"]), bucket


def _value(column: Mapping[str, Any], found: Mapping[str, Any]) -> Any:  # noqa: ANN401 - numbers, dates and words
    match column["operationType"]:
        case "count":
            return found["doc_count"]
        case "last_value":
            hits = found["value"]["hits"]["hits"]
            values = hits[0].get("fields", {}) if hits else {}
            return values.get(column["sourceField"], [None])[0]
        case _:
            value = found["value"]
            return value.get("value_as_string", value["value"])


def _at(value: Any, now: datetime) -> Any:  # noqa: ANN401 - any JSON
    """Let "now" be a given time, in any query."""
    match value:
        case dict():
            return {key: _at(one, now) for key, one in value.items()}
        case list():
            return [_at(one, now) for one in value]
        case str() if value.startswith("now-"):
            return f"{now.isoformat()}||{value.removeprefix('now')}"
    return value
