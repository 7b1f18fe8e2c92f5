# SPDX-License-Identifier: Apache-2.0
"""Saved objects kb-dashboard has no words for: data views and saved searches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shipper.knowledge import worded
from tools.views.fields import mapped
from tools.views.shape import CORE, STAMPS
from tools.views.sources import Sources

_META = "kibanaSavedObjectMeta.searchSourceJSON"


def data_view(view: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """Return a data view with the labels and formats of the fields it has."""
    names = mapped(view)
    labels = {
        name: {"customLabel": label}
        for name in sorted(names)
        if (label := label_of(name, sources))
    }
    known = {**sources.formats, "error.type": meanings()}
    formats = {name: known[name] for name in sorted(names) if name in known}
    attributes = {
        "title": view["title"],
        "name": view["name"],
        "allowNoIndex": True,
        "allowHidden": False,
        "fields": "[]",
        "sourceFilters": "[]",
        "fieldAttrs": text(labels),
        "fieldFormatMap": text(formats),
        "runtimeFieldMap": "{}",
        "typeMeta": "{}",
    }
    if "time" in view:
        attributes["timeFieldName"] = view["time"]
    return saved_object("index-pattern", view["id"], attributes, [])


def meanings() -> dict[str, Any]:
    """Return the format that shows a code's symbol with its meaning, in our words."""
    found = {
        one.symbol: f"{one.symbol}: {one.meaning.rstrip('.')}"
        for one in worded()
        if one.symbol
    }
    entries = [{"key": key, "value": value} for key, value in sorted(found.items())]
    return {
        "id": "static_lookup",
        "params": {"lookupEntries": entries, "unknownKeyValue": None},
    }


def search(
    source: Mapping[str, Any], views: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a saved search: newest records first, of the view's data sets only."""
    view = views[source["data_view"]]
    index = f"{_META}.filter[0].meta.index"
    of_datasets = dataset_filter(view, {"indexRefName": index})
    origin = {
        "query": {"language": "kuery", "query": source.get("query", "")},
        "filter": [of_datasets],
        "highlightAll": True,
        "version": True,
        "indexRefName": f"{_META}.index",
    }
    attributes = {
        "title": source["title"],
        "description": source["description"],
        "columns": source["columns"],
        "sort": [[view["time"], "desc"]],
        "grid": {},
        "hideChart": False,
        "isTextBasedQuery": False,
        "timeRestore": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": text(origin)},
    }
    references = [reference(view, name) for name in (f"{_META}.index", index)]
    return saved_object("search", source["id"], attributes, references)


def dataset_filter(view: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filter that keeps other data sets out.

    Args:
        view: a data view with data sets.
        meta: where the filter finds its data view.
    """
    field, datasets = "data_stream.dataset", view["datasets"]
    common = {"alias": None, "disabled": False, "negate": False, "field": field}
    return {
        "$state": {"store": "appState"},
        "meta": {**common, "key": field, "type": "phrases", "params": datasets, **meta},
        "query": {
            "bool": {
                "should": [{"match_phrase": {field: one}} for one in datasets],
                "minimum_should_match": 1,
            }
        },
    }


def reference(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a reference to a data view."""
    return {"type": "index-pattern", "id": view["id"], "name": name}


def label_of(field: str, sources: Sources) -> str:
    """Return what a field is called, or nothing."""
    return sources.labels.get(field) or sources.labels.get(
        field.removeprefix("last."), ""
    )


def saved_object(
    kind: str,
    name: str,
    attributes: Mapping[str, Any],
    references: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return one line of an export, stamped for the oldest Kibana we support."""
    return {
        "attributes": attributes,
        "coreMigrationVersion": CORE,
        "id": name,
        "managed": False,
        "references": references,
        "type": kind,
        "typeMigrationVersion": STAMPS[kind],
    }


def text(value: object) -> str:
    """Return ``value`` as JSON, the same every time."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
