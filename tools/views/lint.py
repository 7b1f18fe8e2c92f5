# SPDX-License-Identifier: Apache-2.0
"""What no validator of others sees in saved objects.

Kibana takes an import with a wrong reference or column and shows an empty panel, so
every name is followed here: references, columns, fields and their types, queries, the
grid, and the keys that old versions know.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from msgspec import Struct

from tools.views import shape
from tools.views.fields import mapped
from tools.views.lint_lens import lint_lens
from tools.views.lint_query import lint_query
from tools.views.lint_references import exactly, linked, references, wanted
from tools.views.saved import dataset_filter

_META = "kibanaSavedObjectMeta.searchSourceJSON"
_TITLE = "[Logs SMS] "
_EMPTY = "Empty while an agent or a root code is chosen."
_TYPES = frozenset({"lens", "search", "visualization"})
_BARE = frozenset({"visualization"})  # markdown needs no description
_CONFIG = frozenset(
    {"attributes", "description", "enhancements", "hidePanelTitles", "savedVis"}
    | {"timeRange"}
)


class Linter(Struct, frozen=True, kw_only=True):
    """Checks a set of saved objects against each other.

    Attributes:
        views: data views of ``data-views.yaml``, by id.
    """

    views: Mapping[str, Mapping[str, Any]]

    def findings(self, lines: Iterable[str]) -> list[str]:
        """Return what is wrong, one text a finding; nothing if all is well.

        Args:
            lines: one saved object each, as JSON.
        """
        return list(self._all([json.loads(line) for line in lines]))

    def _all(self, objects: list[dict[str, Any]]) -> Iterator[str]:
        ids = Counter((one["type"], one["id"]) for one in objects)
        yield from (f"{name}: there are {n} of it" for name, n in ids.items() if n > 1)
        for one in objects:
            where = one["id"]
            yield from _unknown(where, one, shape.OBJECT)
            yield from _stamps(where, one)
            yield from references(where, one, frozenset(ids))
            known = shape.ATTRIBUTES.get(one["type"], frozenset())
            yield from _unknown(where, one["attributes"], known)
            yield from linked(where, json.dumps(one), frozenset(ids))
            try:
                yield from self._inside(one)
            except json.JSONDecodeError as error:
                yield f"{where}: an attribute that should be JSON is not: {error}"

    def _inside(self, one: dict[str, Any]) -> Iterator[str]:
        match one["type"]:
            case "index-pattern":
                yield from self._data_view(one)
            case "search":
                yield from self._search(one)
            case "dashboard":
                yield from self._dashboard(one)
            case _:
                pass

    def _data_view(self, one: dict[str, Any]) -> Iterator[str]:
        attributes, types = one["attributes"], mapped(self.views[one["id"]])
        for name in ("fieldAttrs", "fieldFormatMap"):
            for field in json.loads(attributes[name]):
                if field not in types:
                    yield f"{one['id']}: {name} has {field}, which is not mapped"
        for field, shown in json.loads(attributes["fieldFormatMap"]).items():
            if shown["id"] not in shape.FORMATS:
                yield f"{one['id']}: {field} has the format {shown['id']}"
        source = self.views[one["id"]]
        for name, key in (("title", "title"), ("timeFieldName", "time")):
            if attributes.get(name) != source.get(key):
                yield f"{one['id']}: {name} is {attributes.get(name)}"
        time = attributes.get("timeFieldName")
        if time is not None and types.get(time) != "date":
            yield f"{one['id']}: {time} is not a date"

    def _search(self, one: dict[str, Any]) -> Iterator[str]:
        attributes, where = one["attributes"], one["id"]
        origin = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
        view = self.views[one["references"][0]["id"]]
        names = [f"{_META}.index", *_of_filters(origin)]
        yield from exactly(where, one["references"], dict.fromkeys(names, view["id"]))
        types = mapped(view)
        yield from _titled(where, attributes)
        yield from lint_query(where, origin["query"], types)
        yield from _filtered(where, view, origin["filter"])
        for field in [*attributes["columns"], *(by for by, _ in attributes["sort"])]:
            if field not in types:
                yield f"{where}: column {field} is not mapped"

    def _dashboard(self, one: dict[str, Any]) -> Iterator[str]:
        attributes, where = one["attributes"], one["id"]
        yield from _titled(where, attributes)
        json.loads(attributes["optionsJSON"])
        origin = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
        yield from lint_query(where, origin["query"], {})
        ids = {one["name"]: one["id"] for one in one["references"]}
        panels = json.loads(attributes["panelsJSON"])
        named: dict[str, str] = {}
        for panel in panels:
            place = f"{where}/{panel['title']}"
            named |= wanted(panel)
            yield from self._panel(place, panel)
        yield from _grid(where, panels)
        named |= dict.fromkeys(_of_filters(origin), "")
        group = attributes["controlGroupInput"]
        yield from _unknown(where, group, shape.CONTROL_GROUP)
        json.loads(group["ignoreParentSettingsJSON"])
        for name, control in json.loads(group["panelsJSON"]).items():
            full = f"controlGroup_{name}:optionsListDataView"
            named[full] = ""
            yield from self._control(where, control, ids.get(full, ""))
            field = control["explicitInput"]["fieldName"]
            yield from self._followed(where, field, panels)
        yield from exactly(where, one["references"], named)

    def _control(
        self, where: str, control: Mapping[str, Any], view: str
    ) -> Iterator[str]:
        if control["type"] != "optionsListControl":
            yield f"{where}: a control of type {control['type']}"
        field = control["explicitInput"]["fieldName"]
        if view in self.views and mapped(self.views[view]).get(field) != "keyword":
            yield f"{where}: control on {field}, which is no keyword"

    def _followed(
        self, where: str, field: str, panels: Iterable[Mapping[str, Any]]
    ) -> Iterator[str]:
        """A choice empties panels without the field, so that they have to say so."""
        for panel in panels:
            if panel["type"] != "lens":
                continue
            lens = panel["embeddableConfig"]["attributes"]
            view = self.views[lens["references"][0]["id"]]
            told = _EMPTY in lens["description"]
            if field not in mapped(view) and not told:
                place = f"{where}/{panel['title']}"
                yield f"{place}: does not follow the control on {field}"

    def _panel(self, where: str, panel: dict[str, Any]) -> Iterator[str]:
        yield from _unknown(where, panel, shape.PANEL)
        if not panel["title"]:
            yield f"{where}: a panel has no title"
        config = panel["embeddableConfig"]
        if panel["type"] not in _TYPES:
            yield f"{where}: panels of type {panel['type']} are not ours"
        yield from _unknown(where, config, _CONFIG)
        # Kibana before 8.18 shows the description of the visualization, later ones
        # that of the panel.
        described = [one.get("description") for one in (config, *_lenses(config))]
        if panel["type"] not in _BARE and not all(described):
            yield f"{where}: no description says how to read it"
        for lens in _lenses(config):
            yield from _chosen(where, lens)
            view = self.views[lens["references"][0]["id"]]
            yield from lint_lens(where, lens, mapped(view))
            yield from _filtered(where, view, lens["state"]["filters"])


def _of_filters(origin: Mapping[str, Any]) -> list[str]:
    """Return the names of the references that filters need."""
    return [f"{_META}.filter[{at}].meta.index" for at, _ in enumerate(origin["filter"])]


def _stamps(where: str, one: Mapping[str, Any]) -> Iterator[str]:
    if one.get("coreMigrationVersion") != shape.CORE:
        yield f"{where}: coreMigrationVersion is not {shape.CORE}"
    stamp = shape.STAMPS.get(one["type"])
    if stamp is None:
        yield f"{where}: objects of type {one['type']} are not ours"
    elif one.get("typeMigrationVersion") != stamp:
        yield f"{where}: typeMigrationVersion is not {stamp}"


def _lenses(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [config["attributes"]] if "attributes" in config else []


def _chosen(where: str, value: object) -> Iterator[str]:
    """Yield words that are none of those a key takes, at any depth."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            if isinstance(inside, str) and inside not in shape.CHOICES.get(
                key, {inside}
            ):
                yield f"{where}: {key} is {inside}"
            yield from _chosen(where, inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _chosen(where, inside)


def _grid(where: str, panels: list[dict[str, Any]]) -> Iterator[str]:
    for panel in panels:
        place = panel["gridData"]
        if place["i"] != panel["panelIndex"]:
            yield f"{where}/{panel['title']}: gridData.i is not the panel's index"
        if place["x"] < 0 or place["x"] + place["w"] > shape.GRID_WIDTH:
            yield f"{where}/{panel['title']}: reaches beyond the grid"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridData"], other["gridData"]):
            yield f"{where}: {one['title']} and {other['title']} overlap"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _titled(where: str, attributes: Mapping[str, Any]) -> Iterator[str]:
    if not attributes["title"].startswith(_TITLE):
        yield f"{where}: the title does not begin with {_TITLE.strip()}"
    if not attributes["description"]:
        yield f"{where}: there is no description"


def _filtered(
    where: str, view: Mapping[str, Any], filters: Iterable[Mapping[str, Any]]
) -> Iterator[str]:
    if "datasets" not in view:
        return
    given = [_placeless(one) for one in filters]
    if _placeless(dataset_filter(view, {})) not in given:
        datasets = ", ".join(view["datasets"])
        yield f"{where}: no filter on data_stream.dataset {datasets}"
    elif len(given) > 1:
        yield f"{where}: another filter hides what is there"


def _placeless(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filter without the name of the reference to its data view."""
    meta = {k: v for k, v in one["meta"].items() if k not in {"index", "indexRefName"}}
    return {**one, "meta": meta}


def _unknown(
    where: str, given: Mapping[str, Any], known: frozenset[str]
) -> Iterator[str]:
    for key in sorted(given.keys() - known):
        yield f"{where}: an older Kibana does not know the key {key}"
