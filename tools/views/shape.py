# SPDX-License-Identifier: Apache-2.0
"""The shape of saved objects that Kibana 8.17 and everything after it imports.

An object is refused when its stamp is newer than the importing Kibana knows, and so is
a dashboard with a key it does not know. So the stamps are the oldest ones without a
legacy migration behind them, and the keys those of that time. Kibana's source:
``document_migrator.ts``, the dashboard's ``v1`` schema, the ``8.8.0`` one of searches.
"""

from __future__ import annotations

from typing import Any

CORE = "8.8.0"
STAMPS = {"dashboard": "8.9.0", "index-pattern": "7.11.0", "search": "7.9.3"}
#: Of a panel on a dashboard; what it is written with changes nothing on import.
PANEL_VERSION = "8.11.0"
GRID_WIDTH = 48

OBJECT = frozenset(
    {"attributes", "coreMigrationVersion", "id", "managed", "references", "type"}
    | {"typeMigrationVersion"}
)
ATTRIBUTES = {
    "dashboard": frozenset(
        {"title", "description", "kibanaSavedObjectMeta", "timeRestore", "timeFrom"}
        | {"timeTo", "refreshInterval", "controlGroupInput", "panelsJSON"}
        | {"optionsJSON", "hits", "version"}
    ),
    "index-pattern": frozenset(
        {"title", "name", "timeFieldName", "allowNoIndex", "allowHidden", "fields"}
        | {"sourceFilters", "fieldAttrs", "fieldFormatMap", "runtimeFieldMap"}
        | {"typeMeta"}
    ),
    "search": frozenset(
        {"title", "description", "columns", "sort", "grid", "hideChart", "timeRestore"}
        | {"isTextBasedQuery", "kibanaSavedObjectMeta"}
    ),
}
CONTROL_GROUP = frozenset(
    {"panelsJSON", "controlStyle", "chainingSystem", "ignoreParentSettingsJSON"}
)
PANEL = frozenset(
    {"type", "gridData", "panelIndex", "title", "version", "embeddableConfig"}
    | {"panelRefName"}
)
LENS = frozenset(
    {"title", "description", "visualizationType", "type", "references", "state"}
)
STATE = frozenset(
    {"datasourceStates", "visualization", "query", "filters", "internalReferences"}
    | {"adHocDataViews"}
)
VISUALIZATION = {
    "lnsMetric": frozenset(
        {"layerId", "layerType", "metricAccessor", "maxAccessor", "showBar"}
        | {"secondaryMetricAccessor", "breakdownByAccessor", "palette", "color"}
        | {"subtitle", "collapseFn"}
    ),
    "lnsXY": frozenset(
        {"layers", "preferredSeriesType", "legend", "valueLabels", "fittingFunction"}
        | {"axisTitlesVisibilitySettings", "tickLabelsVisibilitySettings"}
        | {"gridlinesVisibilitySettings", "labelsOrientation"}
    ),
    "lnsDatatable": frozenset(
        {"layerId", "layerType", "columns", "sorting", "paging", "rowHeight"}
        | {"headerRowHeight"}
    ),
    "lnsHeatmap": frozenset(
        {"shape", "layerId", "layerType", "xAccessor", "yAccessor", "valueAccessor"}
        | {"legend", "gridConfig", "palette"}
    ),
}
XY_LAYER = frozenset(
    {"layerId", "layerType", "seriesType", "xAccessor", "splitAccessor", "accessors"}
    | {"position", "showGridlines", "yConfig", "colorMapping"}
)
TABLE_COLUMN = frozenset(
    {"columnId", "alignment", "width", "isTransposed", "hidden", "colorMode"}
    | {"palette"}
)
COLUMN = frozenset(
    {"dataType", "isBucketed", "label", "customLabel", "operationType", "scale"}
    | {"sourceField", "params", "filter", "references"}
)
_VALUE = frozenset({"emptyAsNull", "format"})
#: What each operation can be told.
PARAMS = {
    **dict.fromkeys(("count", "unique_count", "max", "min", "sum"), _VALUE),
    "last_value": frozenset({"sortField"}),
    "terms": frozenset(
        {"size", "orderBy", "orderDirection", "otherBucket", "missingBucket"}
        | {"parentFormat", "include", "exclude", "includeIsRegex", "excludeIsRegex"}
    ),
    "date_histogram": frozenset({"interval", "includeEmptyRows", "dropPartials"}),
    "filters": frozenset({"filters"}),
    "cumulative_sum": frozenset[str](),
}
#: Operations that make buckets.
BUCKETS = frozenset({"terms", "date_histogram", "filters"})
#: Operations whose running sum Lens reckons by itself.
ADDED_UP = frozenset({"count", "sum"})
#: What a visualization cannot do without.
NEEDED = {
    "lnsMetric": ("metricAccessor",),
    "lnsXY": ("layers",),
    "lnsDatatable": ("columns",),
    "lnsHeatmap": ("xAccessor", "valueAccessor"),
}
XY_NEEDED = ("xAccessor", "accessors")
#: Words of which Kibana takes some others in silence, wherever a key stands.
CHOICES = {
    "seriesType": frozenset({"bar_stacked", "line"}),
    "preferredSeriesType": frozenset({"bar_stacked", "line"}),
    "layerType": frozenset({"data"}),
    "orderDirection": frozenset({"asc", "desc"}),
    "direction": frozenset({"asc", "desc", "none"}),
    "interval": frozenset({"auto", "1m", "1h", "1d"}),
}
#: How values are shown.
FORMATS = frozenset({"bytes", "duration", "number", "static_lookup", "url"})


def only(known: frozenset[str], given: dict[str, Any]) -> dict[str, Any]:
    """Return ``given`` without the keys an older Kibana does not know."""
    return {key: value for key, value in given.items() if key in known}


def accessors(kind: str, visualization: dict[str, Any]) -> list[str]:
    """Return the ids of all columns a visualization shows.

    Args:
        kind: its ``visualizationType``.
        visualization: its state.
    """
    match kind:
        case "lnsXY":
            layers = visualization["layers"]
            return [name for layer in layers for name in _of_layer(layer)]
        case "lnsDatatable":
            return [column["columnId"] for column in visualization["columns"]]
        case _:
            ends = visualization.items()
            return [column for key, column in ends if key.endswith("Accessor")]


def _of_layer(layer: dict[str, Any]) -> list[str]:
    ends = [layer.get("splitAccessor"), layer.get("xAccessor")]
    return [name for name in ends if name] + list(layer["accessors"])
