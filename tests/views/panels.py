# SPDX-License-Identifier: Apache-2.0
"""The committed objects, as Kibana puts them together.

A dashboard keeps the references of its panels, and Kibana hands them to the panel when
it is opened: what the panel itself says of its data view counts for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from tools.views.shape import accessors
from tools.views.sources import COMPILED

_LAYER = "indexpattern-datasource-layer-"
Object = dict[str, Any]
"""A saved object."""


class View(Struct, frozen=True, kw_only=True):
    """A data view.

    Attributes:
        id: its id.
        title: the index pattern.
        time: its time field, or nothing.
    """

    id: str
    title: str
    time: str | None


class Panel(Struct, frozen=True, kw_only=True):
    """A Lens panel.

    Attributes:
        dashboard: id of its dashboard.
        title: its title.
        lens: ``embeddableConfig.attributes``.
        references: its references, by name, as the dashboard has them.
        begin: since when data are shown, as date math.
        end: until when.
    """

    dashboard: str
    title: str
    lens: dict[str, Any]
    references: dict[str, str]
    begin: str
    end: str

    @property
    def layer(self) -> dict[str, Any]:
        """Its only layer."""
        (layer,) = self._layers.values()
        found: dict[str, Any] = layer
        return found

    @property
    def view(self) -> str:
        """Id of its data view."""
        (name,) = self._layers
        return self.references[f"{_LAYER}{name}"]

    @property
    def shown(self) -> list[str]:
        """The columns it shows."""
        visualization = self.lens["state"]["visualization"]
        return accessors(self.lens["visualizationType"], visualization)

    @property
    def _layers(self) -> dict[str, Any]:
        layers = self.lens["state"]["datasourceStates"]["formBased"]["layers"]
        found: dict[str, Any] = layers
        return found


def objects(kind: str) -> list[Object]:
    """Return the committed objects of a kind."""
    lines = COMPILED.read_text(encoding="utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["type"] == kind]


@cache
def views() -> dict[str, View]:
    """Return the data views, by id."""
    return {
        one["id"]: View(
            id=one["id"],
            title=one["attributes"]["title"],
            time=one["attributes"].get("timeFieldName"),
        )
        for one in objects("index-pattern")
    }


def panels(dashboards: Iterable[Object] = ()) -> list[Panel]:
    """Return all Lens panels, in the order of the file.

    Args:
        dashboards: whose; default: the committed ones.
    """
    return [
        _panel(dashboard, panel)
        for dashboard in dashboards or objects("dashboard")
        for panel in json.loads(dashboard["attributes"]["panelsJSON"])
        if panel["type"] == "lens"
    ]


def controls(dashboard: Object) -> list[str]:
    """Return the fields of a dashboard's controls."""
    group = dashboard["attributes"]["controlGroupInput"]
    return [
        one["explicitInput"]["fieldName"]
        for one in json.loads(group["panelsJSON"]).values()
    ]


def _panel(dashboard: Object, panel: Mapping[str, Any]) -> Panel:
    attributes, config = dashboard["attributes"], panel["embeddableConfig"]
    chosen = {"from": attributes["timeFrom"], "to": attributes["timeTo"]}
    chosen |= config.get("timeRange", {})
    mine = f"{panel['panelIndex']}:"
    return Panel(
        dashboard=dashboard["id"],
        title=panel["title"],
        lens=config["attributes"],
        references={
            one["name"].removeprefix(mine): one["id"]
            for one in dashboard["references"]
            if one["name"].startswith(mine)
        },
        begin=chosen["from"],
        end=chosen["to"],
    )
