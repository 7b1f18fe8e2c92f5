# SPDX-License-Identifier: Apache-2.0
"""Which fields a data view has, as the templates in ``pipelines`` map them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.views.sources import ROOT

_COMMON = "logs-sms@mappings"
_DATES = frozenset({"date", "date_nanos"})
_NUMBERS = frozenset({"long", "integer", "double", "float", "short", "byte"})
_KINDS = {"keyword": "string", "constant_keyword": "string", "boolean": "boolean"}


def mapped(view: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a data view with their types in Elasticsearch.

    Args:
        view: a view of ``data-views.yaml``.
    """
    if "templates" in view:
        folder, names = "index-templates", view["templates"]
    else:
        own = [f"logs-{dataset}@mappings" for dataset in view["datasets"]]
        folder, names = "component-templates", [_COMMON, *own]
    found: dict[str, str] = {}
    for name in names:
        found |= _template(ROOT / "pipelines" / folder / f"{name}.json")
    return found


def kind(type_: str) -> str:
    """Return what Lens calls a type: string, number, date, boolean, or nothing.

    Nothing is returned for types that cannot be sorted or counted by value.
    """
    if type_ in _DATES:
        return "date"
    if type_ in _NUMBERS:
        return "number"
    return _KINDS.get(type_, "")


@cache
def _template(path: Path) -> dict[str, str]:
    body = json.loads(path.read_text(encoding="utf-8"))
    leaves = dict(_leaves(body["template"]["mappings"]["properties"], ""))
    return {
        name: _type(leaves[field["path"]] if "path" in field else field)
        for name, field in leaves.items()
    }


def _type(field: Mapping[str, Any]) -> str:
    """Return a field's type; without values in columns it is good for nothing here."""
    bare = not field.get("doc_values", True)
    return f"{field['type']} without doc values" if bare else str(field["type"])


def _leaves(
    properties: Mapping[str, Any], above: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, field in properties.items():
        if "properties" in field:
            yield from _leaves(field["properties"], f"{above}{name}.")
        else:
            yield f"{above}{name}", field
