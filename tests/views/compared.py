# SPDX-License-Identifier: Apache-2.0
"""What a panel shows, held against what it has to show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from tests.views.asked import buckets, moment
from tests.views.expected import EXPECTED
from tests.views.expected.grouping import Expected
from tests.views.facts import Facts
from tests.views.panels import Panel
from tests.views.planted import facts
from tests.views.stories import NOW
from tests.views.table import Row


def expected(panel: Panel) -> Expected:
    """Return what a panel has to show."""
    return EXPECTED[panel.dashboard, panel.title]


def true_of(panel: Panel) -> Facts:
    """Return what is true within the time a panel shows."""
    return facts().during(moment(panel.begin, NOW), moment(panel.end, NOW))


def in_any_order(panel: Panel, shown: list[Row]) -> list[Row]:
    """Return rows by what splits them, without those that have no value."""
    splits = _splits(panel)
    valued = [
        row
        for row in shown
        if not splits
        or any(row[name] not in (None, 0) for name in row if name not in splits)
    ]
    return sorted(valued, key=lambda row: [str(row[name]) for name in splits])


def leaders(panel: Panel, shown: list[Row]) -> dict[Any, Any]:
    """Return what splits the rows first, as they come, with the value each stands for.

    Counts are added up, of anything else the best value counts.
    """
    first, *_ = _splits(panel)
    label, direction = expected(panel).first or ("", "asc")
    (operation,) = (
        one["operationType"]
        for name, one in panel.layer["columns"].items()
        if one["label"] == label and name in panel.shown
    )
    best: Callable[[list[Any]], Any] = max if direction == "desc" else min
    if operation in {"count", "unique_count"}:
        best = sum
    values: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in shown:
        values[row[first]] += [] if row[label] is None else [row[label]]
    return {key: best(found) if found else None for key, found in values.items()}


def in_order(panel: Panel, shown: list[Row]) -> bool:
    """Tell whether rows come in the order a panel promises, if it does."""
    promised = expected(panel).first
    if promised is None:
        return True
    values = [one for one in leaders(panel, shown).values() if one is not None]
    return values == sorted(values, reverse=promised[1] == "desc")


def keeps_its_head(panel: Panel, ask: Callable[[Panel], list[Row]]) -> bool:
    """Tell whether a list without room for all loses its end, if it has an order.

    Args:
        panel: the panel.
        ask: returns what a panel shows.
    """
    if expected(panel).first is None:
        return True
    whole = leaders(panel, ask(panel))
    valued = [name for name, value in whole.items() if value is not None]
    cut = leaders(panel, ask(_cut_to(panel, len(whole) - len(valued) + 2)))
    return [name for name in cut if name in valued][:2] == valued[:2]


def _cut_to(panel: Panel, size: int) -> Panel:
    """Return a panel with room for so many of what splits its rows first."""
    first, *_ = buckets(panel.layer)
    column = panel.layer["columns"][first]
    params = column["params"] | {"size": size}
    columns = panel.layer["columns"] | {first: column | {"params": params}}
    return replace(panel, lens=_with_columns(panel.lens, columns))


def _splits(panel: Panel) -> list[str]:
    """Return the labels of the columns that split, the outermost first."""
    columns = panel.layer["columns"]
    return [columns[name]["label"] for name in buckets(panel.layer)]


def _with_columns(
    lens: Mapping[str, Any], columns: Mapping[str, Any]
) -> dict[str, Any]:
    sources = lens["state"]["datasourceStates"]
    ((name, layer),) = sources["formBased"]["layers"].items()
    layers = {name: layer | {"columns": columns}}
    state = lens["state"] | {
        "datasourceStates": sources | {"formBased": {"layers": layers}}
    }
    return {**lens, "state": state}
