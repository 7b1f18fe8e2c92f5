# SPDX-License-Identifier: Apache-2.0
"""What a panel shows of a reply: rows, by the labels of its columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.views.asked import buckets, metrics
from tests.views.panels import Panel

#: Operations whose 0 Kibana can show as nothing.
_HIDING = frozenset({"count", "unique_count", "sum"})
Row = dict[str, Any]
"""A row: values by the labels of columns, or by their ids."""


def rows(panel: Panel, reply: Mapping[str, Any]) -> list[Row]:
    """Return what a panel shows, in its order."""
    layer, lens = panel.layer, panel.lens
    columns = layer["columns"]
    found = list(_rows(layer, reply["aggregations"], buckets(layer)))
    for name in layer["columnOrder"]:
        if "references" in columns[name]:
            _reckon(layer, name, found)
    visualization = lens["state"]["visualization"]
    if sorting := visualization.get("sorting"):
        found = _sorted(found, sorting["columnId"], sorting["direction"])
    return [
        {columns[name]["label"]: row[name] for name in panel.shown} for row in found
    ]


def _rows(
    layer: Mapping[str, Any], found: Mapping[str, Any], splits: list[str]
) -> Iterator[Row]:
    if not splits:
        asks = metrics(layer)
        yield {name: _value(column, found[name]) for name, column in asks.items()}
        return
    name, *rest = splits
    inside = found[name]["buckets"]
    listed = inside.items() if isinstance(inside, Mapping) else _keyed(inside)
    for key, bucket in listed:
        for row in _rows(layer, bucket, rest):
            yield {name: key, **row}


def _keyed(found: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for bucket in found:
        yield bucket.get("key_as_string", bucket["key"]), bucket


def _value(column: Mapping[str, Any], found: Mapping[str, Any]) -> Any:  # noqa: ANN401 - numbers, dates and words
    match column["operationType"]:
        case "count" if "value" not in found:
            value = found["doc_count"]
        case "last_value":
            hits = found["value"]["hits"]["hits"]
            values = hits[0].get("fields", {}) if hits else {}
            return values.get(column["sourceField"], [None])[0]
        case _:
            inner = found["value"]
            value = inner.get("value_as_string", inner["value"])
    hidden = column["operationType"] in _HIDING and column["params"]["emptyAsNull"]
    return None if value == 0 and hidden else value


def _reckon(layer: Mapping[str, Any], name: str, found: list[Row]) -> None:
    """Fill a column with the running sum of another one, series by series."""
    column = layer["columns"][name]
    (inner,) = column["references"]
    assert column["operationType"] == "cumulative_sum"
    series = [
        split
        for split in buckets(layer)
        if layer["columns"][split]["operationType"] != "date_histogram"
    ]
    sums: defaultdict[tuple[Any, ...], float] = defaultdict(float)
    for row in found:
        of = tuple(row[split] for split in series)
        sums[of] += row[inner] or 0
        row[name] = sums[of]


def _sorted(found: list[Row], by: str, direction: str) -> list[Row]:
    """Return rows in a table's order: what has no value comes last."""
    having = [row for row in found if row[by] is not None]
    lacking = [row for row in found if row[by] is None]
    having.sort(key=lambda row: row[by], reverse=direction == "desc")
    return having + lacking
