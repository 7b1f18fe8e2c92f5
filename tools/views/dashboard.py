# SPDX-License-Identifier: Apache-2.0
"""What kb-dashboard wrote, brought into the shape older versions of Kibana know.

kb-dashboard writes for the newest Kibana. Besides taking away what older ones refuse,
this adds what it has no words for: a panel's description, the filter on data sets,
series that are added up, colours that mean nothing, and references of controls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tools.views.fields import kind, mapped
from tools.views.saved import dataset_filter, reference, saved_object, text
from tools.views.shape import (
    ATTRIBUTES,
    COLUMN,
    CONTROL_GROUP,
    PANEL_VERSION,
    TABLE_COLUMN,
    VISUALIZATION,
    XY_LAYER,
    only,
)
from tools.views.sources import stable

_BY_VALUE = frozenset({"terms", "last_value", "max", "min"})
_LAYER = "indexpattern-datasource-layer-"


class Dashboards:
    """Brings compiled dashboards into shape.

    Args:
        views: data views, by id.
        extras: by the id of a metric or a panel, what kb-dashboard could not be told of
            it.
        neutral: colours that mean nothing, the last one for what is left.
    """

    def __init__(
        self,
        views: Mapping[str, Mapping[str, Any]],
        extras: Mapping[str, Mapping[str, Any]],
        neutral: Sequence[str],
    ) -> None:
        self._views = views
        self._extras = extras
        self._neutral = neutral

    def shaped(
        self, compiled: Mapping[str, Any], source: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the saved object of a dashboard.

        Args:
            compiled: what kb-dashboard wrote.
            source: what it was written from.
        """
        attributes = only(ATTRIBUTES["dashboard"], compiled["attributes"])
        references: list[dict[str, Any]] = []
        panels = [
            self._panel(panel, described, references)
            for panel, described in zip(
                json.loads(attributes["panelsJSON"]), source["panels"], strict=True
            )
        ]
        attributes["panelsJSON"] = text(panels)
        group = only(CONTROL_GROUP, attributes["controlGroupInput"])
        group["panelsJSON"] = self._controls(group["panelsJSON"], references)
        attributes["controlGroupInput"] = group
        return saved_object("dashboard", compiled["id"], attributes, references)

    def _controls(self, encoded: str, references: list[dict[str, Any]]) -> str:
        controls = json.loads(encoded)
        for name, control in controls.items():
            given = control["explicitInput"]
            view = self._views[given.pop("dataViewId")]
            given["enhancements"] = {}
            full = f"controlGroup_{name}:optionsListDataView"
            given["dataViewRefName"] = full
            references.append(reference(view, full))
        return text(controls)

    def _panel(
        self,
        panel: Mapping[str, Any],
        source: Mapping[str, Any],
        references: list[dict[str, Any]],
    ) -> dict[str, Any]:
        """Return a panel, and add what it refers to."""
        index = panel["panelIndex"]
        config: dict[str, Any] = {
            "enhancements": {},
            "hidePanelTitles": source.get("hide_title", False),
            **self._extras.get(source["id"], {}),
        }
        if "description" in source:
            # Of a panel stored by value, newer Kibanas show this one alone.
            config["description"] = source["description"]
        shaped = {
            "type": panel["type"],
            "panelIndex": index,
            "gridData": panel["gridData"],
            "title": source["title"],
            "version": PANEL_VERSION,
            "embeddableConfig": config,
        }
        match panel["type"]:
            case "lens":
                lens = panel["embeddableConfig"]["attributes"]
                config["attributes"] = self._lens(lens, source)
                references += (
                    {**one, "name": f"{index}:{one['name']}"}
                    for one in config["attributes"]["references"]
                )
            case "search":
                name = f"panel_{index}"
                shaped["panelRefName"] = name
                found = source["search"]["saved_search_id"]
                references.append(
                    {"type": "search", "id": found, "name": f"{index}:{name}"}
                )
            case _:
                config["savedVis"] = panel["embeddableConfig"]["savedVis"]
        return shaped

    def _lens(
        self, lens: Mapping[str, Any], source: Mapping[str, Any]
    ) -> dict[str, Any]:
        view = self._views[source["lens"]["data_view"]]
        state, shown = lens["state"], lens["visualizationType"]
        ((layer_id, layer),) = state["datasourceStates"]["formBased"]["layers"].items()
        visualization = _visualization(shown, state["visualization"])
        for one in visualization.get("layers", ()):
            _colour(one["colorMapping"], self._neutral)
        references = [reference(view, f"{_LAYER}{layer_id}")]
        filters = []
        if "datasets" in view:
            name = f"{layer_id}-datasets"
            filters.append(dataset_filter(view, {"index": name}))
            references.append(reference(view, name))
        layer = {
            "columnOrder": _order(layer["columnOrder"], shown, visualization),
            "columns": {
                name: _column(column, mapped(view), none=shown != "lnsMetric")
                for name, column in layer["columns"].items()
            },
            "incompleteColumns": {},
            "sampling": 1,
        }
        for name in sorted(self._extras.keys() & layer["columns"].keys()):
            extra = self._extras[name]
            if "filter" in extra:
                query = {"language": "kuery", "query": extra["filter"]["kql"]}
                layer["columns"][name]["filter"] = query
            if extra.get("cumulative"):
                _add_up(layer, name)
        return {
            "title": source["title"],
            "description": source["description"],
            "visualizationType": shown,
            "type": "lens",
            "references": references,
            "state": {
                "datasourceStates": {
                    "formBased": {"layers": {layer_id: layer}},
                    "textBased": {"layers": {}},
                },
                "visualization": visualization,
                "query": state["query"],
                "filters": filters,
                "internalReferences": [],
                "adHocDataViews": {},
            },
        }


def _visualization(shown: str, given: Mapping[str, Any]) -> dict[str, Any]:
    shaped = only(VISUALIZATION[shown], dict(given))
    match shown:
        case "lnsXY":
            shaped["layers"] = [only(XY_LAYER, one) for one in shaped["layers"]]
            shaped["legend"] = {"isVisible": True, **shaped["legend"]}
            shaped["fittingFunction"] = "None"
        case "lnsHeatmap":
            shaped["palette"]["accessor"] = shaped["valueAccessor"]
        case "lnsDatatable":
            columns = shaped["columns"]
            shaped["columns"] = [only(TABLE_COLUMN, one) for one in columns]
        case _:
            pass
    return shaped


def _colour(mapping: dict[str, Any], neutral: Sequence[str]) -> None:
    """Give what has no colour of its own a neutral one, in turn.

    Kibana would take those of a palette, of which each has a green, or one like it.
    """
    codes = [{"type": "colorCode", "colorCode": one} for one in neutral]
    taken = [one["color"] for one in mapping["assignments"]]
    *free, rest = (one for one in codes if one not in taken)
    mapping["assignments"] += (
        {"rule": {"type": "auto"}, "color": one, "touched": False} for one in free
    )
    for one in mapping["specialAssignments"]:
        one["color"] = rest


def _order(given: list[str], shown: str, visualization: Mapping[str, Any]) -> list[str]:
    """Put what splits before the time axis, so that its top values are those of all."""
    if shown == "lnsDatatable":
        return given
    first = visualization.get("yAccessor") or next(
        (one.get("splitAccessor") for one in visualization.get("layers", ())), None
    )
    return sorted(given, key=lambda name: name != first)


def _column(
    given: Mapping[str, Any], types: Mapping[str, str], *, none: bool
) -> dict[str, Any]:
    """Return a column; ``none`` shows nothing instead of 0 where nothing is found."""
    column = only(COLUMN, dict(given))
    if "emptyAsNull" in column.get("params", {}) and column["dataType"] == "number":
        column["params"]["emptyAsNull"] = none
    if column["operationType"] in _BY_VALUE:
        column["dataType"] = kind(types.get(column["sourceField"], ""))
    return column


def _add_up(layer: dict[str, Any], name: str) -> None:
    """Let a column be the running sum of what it was."""
    inner = stable(name, "each")
    given = layer["columns"][name]
    layer["columns"][inner] = given
    layer["columns"][name] = {
        "label": given["label"],
        "customLabel": True,
        "dataType": "number",
        "isBucketed": False,
        "scale": "ratio",
        "operationType": "cumulative_sum",
        "references": [inner],
        "params": {},
    }
    layer["columnOrder"].insert(layer["columnOrder"].index(name), inner)
    # Elasticsearch cannot put buckets in the order of what is added up after it.
    for column in layer["columns"].values():
        order = column.get("params", {}).get("orderBy", {})
        if order.get("columnId") == name:
            order["columnId"] = inner
