# SPDX-License-Identifier: Apache-2.0
"""The committed objects, each time with one thing broken that Kibana would not mind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tools.views.sources import COMPILED

Objects = dict[str, dict[str, Any]]
Change = Callable[[Any], object]

OVERVIEW = "sms-fleet-overview"


def everything() -> Objects:
    """Return the committed objects by id, their JSON attributes still encoded."""
    lines = COMPILED.read_text(encoding="utf-8").splitlines()
    return {one["id"]: one for one in map(json.loads, lines)}


def on_panel(number: int, change: Change) -> Change:
    """Return a change of a panel of the overview."""

    def changed(given: Objects) -> None:
        attributes = given[OVERVIEW]["attributes"]
        panels = json.loads(attributes["panelsJSON"])
        change(panels[number])
        attributes["panelsJSON"] = json.dumps(panels)

    return changed


def on_state(number: int, change: Change) -> Change:
    """Return a change of what a Lens panel of the overview shows."""
    return on_panel(
        number,
        lambda one: change(
            one["embeddableConfig"]["attributes"]["state"]["visualization"]
        ),
    )


def on_lens(change: Change) -> Change:
    """Return a change of the Lens panel of the incidents over time."""
    return on_panel(5, lambda panel: change(panel["embeddableConfig"]["attributes"]))


def asking(text: str) -> Change:
    """Return a change of its query."""
    return on_lens(lambda lens: lens["state"]["query"].update(query=text))


def on_layer(change: Change) -> Change:
    """Return a change of its layer."""

    def changed(lens: dict[str, Any]) -> None:
        (layer,) = lens["state"]["datasourceStates"]["formBased"]["layers"].values()
        change(layer)

    return on_lens(changed)


def on_column(operation: str, **new: object) -> Change:
    """Return a change of the column with that operation."""

    def changed(layer: dict[str, Any]) -> None:
        for column in layer["columns"].values():
            if column["operationType"] == operation:
                column.update(new)

    return on_layer(changed)


def stamp(given: Objects) -> None:
    """Stamp a dashboard as a newer Kibana does."""
    given[OVERVIEW]["typeMigrationVersion"] = "10.2.0"


def core(given: Objects) -> None:
    """Leave the core's stamp out."""
    del given[OVERVIEW]["coreMigrationVersion"]


def newer_key(given: Objects) -> None:
    """Use sections, which came with 9.1."""
    given[OVERVIEW]["attributes"]["sections"] = []


def dangling(given: Objects) -> None:
    """Refer to a saved search that is not there."""
    del given["sms-all-events"]


def misnamed(given: Objects) -> None:
    """Give a reference another name than the panel asks for."""
    given[OVERVIEW]["references"][0]["name"] += "x"


def doubled(given: Objects) -> None:
    """Have a reference twice."""
    references = given[OVERVIEW]["references"]
    references.append(references[0])


def broken_json(given: Objects) -> None:
    """Cut an encoded attribute off."""
    given[OVERVIEW]["attributes"]["optionsJSON"] = "{"


def label(given: Objects) -> None:
    """Label a field that is not mapped."""
    given["sms-records"]["attributes"]["fieldAttrs"] = '{"sms.nothing":{}}'


def column(given: Objects) -> None:
    """Show a column that is not mapped."""
    given["sms-all-events"]["attributes"]["columns"].append("sms.nothing")


def title(given: Objects) -> None:
    """Leave the package's name out of a title."""
    given["sms-all-events"]["attributes"]["title"] = "All events"


def filtered(given: Objects) -> None:
    """Filter a whole dashboard, by a data view it does not refer to."""
    meta = given[OVERVIEW]["attributes"]["kibanaSavedObjectMeta"]
    origin = json.loads(meta["searchSourceJSON"])
    meta["searchSourceJSON"] = json.dumps(origin | {"filter": [{"meta": {}}]})


def slider(given: Objects) -> None:
    """Have controls of another type."""
    group = given[OVERVIEW]["attributes"]["controlGroupInput"]
    group["panelsJSON"] = group["panelsJSON"].replace("optionsList", "rangeSlider")


def timeless(given: Objects) -> None:
    """Let a data view have no time."""
    del given["sms-records"]["attributes"]["timeFieldName"]


def control(given: Objects) -> None:
    """Let a control choose from a number."""
    group = given[OVERVIEW]["attributes"]["controlGroupInput"]
    group["panelsJSON"] = group["panelsJSON"].replace(
        "sms.agent.id", "sms.agent.cycles"
    )


def elsewhere(given: Objects) -> None:
    """Let the first panel on the dashboard ask another data view."""
    for reference in given[OVERVIEW]["references"]:
        if reference["id"] == "sms-records":
            reference["id"] = "sms-states"
            return


def dead_link(given: Objects) -> None:
    """Lead to a dashboard that is not there."""
    del given["sms-host"]


def another_pattern(given: Objects) -> None:
    """Let a data view show other indices."""
    given["sms-records"]["attributes"]["title"] = "logs-*"


def odd_format(given: Objects) -> None:
    """Show a field in a way that does not exist."""
    formats = '{"host.name":{"id":"urll","params":{}}}'
    given["sms-records"]["attributes"]["fieldFormatMap"] = formats


def sorted_by_nothing(given: Objects) -> None:
    """Sort a search by a field that is not mapped."""
    given["sms-all-events"]["attributes"]["sort"] = [["sms.nothing", "desc"]]


def on_shown(change: Change) -> Change:
    """Return a change of what the Lens panel of the incidents shows."""
    return on_lens(lambda lens: change(lens["state"]["visualization"]["layers"][0]))


def on_filter(change: Change) -> Change:
    """Return a change of its filter on data sets."""
    return on_lens(lambda lens: change(lens["state"]["filters"][0]))


def backwards(layer: dict[str, Any]) -> None:
    """Put the metric before the buckets."""
    layer["columnOrder"].reverse()
