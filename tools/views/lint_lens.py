# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a Lens panel that is stored by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tools.views import shape
from tools.views.fields import kind
from tools.views.lint_query import lint_query

RECORDS = "___records___"
_LAYER = "indexpattern-datasource-layer-"
#: Kinds of values an operation can work on.
_FITTING = {
    "terms": frozenset({"string", "number", "boolean"}),
    "unique_count": frozenset({"string", "number", "date", "boolean"}),
    "last_value": frozenset({"string", "number", "date", "boolean"}),
    "max": frozenset({"number", "date"}),
    "min": frozenset({"number", "date"}),
    "sum": frozenset({"number"}),
    "date_histogram": frozenset({"date"}),
}
_TYPED = frozenset({"terms", "last_value", "max", "min"})


def lint_lens(
    where: str, lens: Mapping[str, Any], types: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with a panel.

    Args:
        where: the dashboard's id and the panel's title.
        lens: ``embeddableConfig.attributes``.
        types: the fields of its data view with their types.
    """
    state, shown = lens["state"], lens["visualizationType"]
    yield from _keys(where, lens, shape.LENS)
    yield from _keys(where, state, shape.STATE)
    yield from _keys(where, state["datasourceStates"], {"formBased", "textBased"})
    if shown not in shape.VISUALIZATION:
        yield f"{where}: {shown} is not a visualization we use"
        return
    visualization = state["visualization"]
    yield from _visualization(where, shown, visualization)
    yield from lint_query(where, state["query"], types)
    layers = state["datasourceStates"]["formBased"]["layers"]
    yield from _named(where, lens, set(layers))
    for layer in layers.values():
        yield from _layer(where, layer, types)
    columns = {name for layer in layers.values() for name in layer["columns"]}
    pointed = shape.accessors(shown, visualization)
    if "sorting" in visualization:
        pointed = [*pointed, visualization["sorting"]["columnId"]]
    for name in pointed:
        if name not in columns:
            yield f"{where}: {shown} shows a column {name}, which there is not"
    for name in sorted(_seen(layers) - {*pointed}):
        yield f"{where}: {shown} does not show the column {name}"


def _visualization(
    where: str, shown: str, visualization: Mapping[str, Any]
) -> Iterator[str]:
    yield from _keys(where, visualization, shape.VISUALIZATION[shown])
    yield from _needed(where, visualization, shape.NEEDED[shown])
    for layer in visualization.get("layers", ()):
        yield from _keys(where, layer, shape.XY_LAYER)
        yield from _needed(where, layer, shape.XY_NEEDED)
        mapping = layer["colorMapping"]
        for one in (*mapping["assignments"], *mapping["specialAssignments"]):
            if one["color"]["type"] != "colorCode":
                yield f"{where}: a palette gives the colours, whatever they mean"
    for column in visualization.get("columns", ()):
        yield from _keys(where, column, shape.TABLE_COLUMN)


def _seen(layers: Mapping[str, Any]) -> set[str]:
    """Return the columns that are there for themselves, not for another."""
    names: set[str] = set()
    for layer in layers.values():
        columns = layer["columns"]
        inner = {one for each in columns.values() for one in each.get("references", ())}
        names |= columns.keys() - inner
    return names


def _needed(where: str, given: Mapping[str, Any], keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        if not given.get(key):
            yield f"{where}: there is no {key}"


def _named(where: str, lens: Mapping[str, Any], layers: set[str]) -> Iterator[str]:
    """Yield what is wrong with the names of the layers and references."""
    filters = lens["state"]["filters"]
    wanted = {f"{_LAYER}{name}" for name in layers}
    wanted |= {one["meta"]["index"] for one in filters}
    given = {one["name"] for one in lens["references"]}
    for name in sorted(wanted ^ given):
        yield f"{where}: the reference {name} is missing or not asked for"
    if len({one["id"] for one in lens["references"]}) > 1:
        yield f"{where}: refers to more than one data view"
    state = lens["state"]["visualization"]
    for shown in state.get("layers", [state]):
        if shown["layerId"] not in layers:
            yield f"{where}: there is no layer {shown['layerId']}"


def _layer(
    where: str, layer: Mapping[str, Any], types: Mapping[str, str]
) -> Iterator[str]:
    columns = layer["columns"]
    order = layer["columnOrder"]
    if sorted(order) != sorted(columns):
        yield f"{where}: columnOrder does not name the columns"
    buckets = [columns[name]["isBucketed"] for name in order if name in columns]
    if buckets != sorted(buckets, reverse=True):
        yield f"{where}: columnOrder has a bucket behind a metric"
    for column in columns.values():
        place = f"{where} ({column['label']})"
        yield from _keys(place, column, shape.COLUMN)
        yield from _column(place, column, types)
        order = column.get("params", {}).get("orderBy", {})
        pointed = list(column.get("references", ()))
        if order.get("type") == "column":
            pointed.append(order["columnId"])
            if "references" in columns.get(order["columnId"], {}):
                yield f"{place}: in the order of a column that is reckoned from another"
        for name in pointed:
            if name not in columns:
                yield f"{place}: points to a column {name}, which there is not"
        inner = [columns[name]["operationType"] for name in pointed if name in columns]
        if column["operationType"] == "cumulative_sum" and not (
            inner and shape.ADDED_UP.issuperset(inner)
        ):
            yield f"{place}: Lens adds up only {' and '.join(sorted(shape.ADDED_UP))}"


def _column(
    where: str, column: Mapping[str, Any], types: Mapping[str, str]
) -> Iterator[str]:
    operation = column["operationType"]
    if operation not in shape.PARAMS:
        yield f"{where}: {operation} is not an operation we use"
        return
    if column["isBucketed"] != (operation in shape.BUCKETS):
        yield f"{where}: isBucketed does not fit {operation}"
    yield from _params(where, column, types)
    field = column.get("sourceField", RECORDS)
    if field == RECORDS:
        return
    if field not in types:
        yield f"{where}: {field} is not mapped"
        return
    found = kind(types[field])
    if found not in _FITTING.get(operation, ()):
        yield f"{where}: {operation} of {field}, which is {types[field]}"
    elif operation in _TYPED and column["dataType"] != found:
        yield f"{where}: {field} is a {found}, not a {column['dataType']}"


def _params(
    where: str, column: Mapping[str, Any], types: Mapping[str, str]
) -> Iterator[str]:
    if "filter" in column:
        yield from lint_query(where, column["filter"], types)
    params = column.get("params", {})
    yield from _keys(where, params, shape.PARAMS[column["operationType"]])
    if "format" in params and params["format"]["id"] not in shape.FORMATS:
        yield f"{where}: is shown in the format {params['format']['id']}"
    for one in params.get("filters", ()):
        yield from lint_query(where, one["input"], types)
    if "sortField" in params and types.get(params["sortField"]) != "date":
        yield f"{where}: the newest by {params['sortField']}, which is not a date"
    if params.get("missingBucket") and not params.get("otherBucket"):
        yield f"{where}: Lens shows what has no value only beside the others"


def _keys(
    where: str, given: Mapping[str, Any], known: frozenset[str] | set[str]
) -> Iterator[str]:
    for key in sorted(given.keys() - known):
        yield f"{where}: an older Kibana does not know the key {key}"
