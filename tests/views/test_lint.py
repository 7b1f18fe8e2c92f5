# SPDX-License-Identifier: Apache-2.0
"""The committed objects are sound, and our linter sees what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.views.panels import VIEWS, objects
from tools.views.__main__ import main
from tools.views.fields import mapped
from tools.views.lint import Linter
from tools.views.sources import COMPILED, load

Objects = dict[str, dict[str, Any]]
Change = Callable[[Any], object]

OVERVIEW = "sms-fleet-overview"
LINTER = Linter(views=VIEWS)


def everything() -> Objects:
    """Return the committed objects by id, their JSON attributes still encoded."""
    lines = COMPILED.read_text(encoding="utf-8").splitlines()
    return {one["id"]: one for one in map(json.loads, lines)}


def found(given: Objects) -> list[str]:
    """Return what the linter says."""
    return LINTER.findings(json.dumps(one) for one in given.values())


def on_panel(number: int, change: Change) -> Change:
    """Return a change of a panel of the overview."""

    def changed(given: Objects) -> None:
        attributes = given[OVERVIEW]["attributes"]
        panels = json.loads(attributes["panelsJSON"])
        change(panels[number])
        attributes["panelsJSON"] = json.dumps(panels)

    return changed


def on_lens(change: Change) -> Change:
    """Return a change of the Lens panel of the incidents over time."""
    return on_panel(5, lambda panel: change(panel["embeddableConfig"]["attributes"]))


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


def control(given: Objects) -> None:
    """Let a control choose from a number."""
    group = given[OVERVIEW]["attributes"]["controlGroupInput"]
    group["panelsJSON"] = group["panelsJSON"].replace(
        "sms.agent.id", "sms.agent.cycles"
    )


FAULTS: list[tuple[Change, str]] = [
    (stamp, "typeMigrationVersion is not 8.9.0"),
    (core, "coreMigrationVersion is not 8.8.0"),
    (newer_key, "does not know the key sections"),
    (dangling, "refers to sms-all-events, which is not in the file"),
    (misnamed, "is missing"),
    (misnamed, "nothing asks for the reference"),
    (doubled, "2 references are named"),
    (broken_json, "should be JSON"),
    (label, "fieldAttrs has sms.nothing, which is not mapped"),
    (column, "column sms.nothing is not mapped"),
    (title, "the title does not begin"),
    (control, "control on sms.agent.cycles, which is no keyword"),
    (control, "does not follow the control on sms.agent.cycles"),
    (on_panel(1, lambda one: one.update(title="")), "a panel has no title"),
    (on_panel(1, lambda one: one.update(sections=[])), "does not know the key"),
    (on_panel(1, lambda one: one["gridData"].update(i="x")), "not the panel's index"),
    (on_panel(1, lambda one: one["gridData"].update(x=40)), "beyond the grid"),
    (on_panel(1, lambda one: one["gridData"].update(x=12)), "overlap"),
    (on_lens(lambda lens: lens.update(description="")), "how to read it"),
    (on_lens(lambda lens: lens.update(visualizationType="lnsGauge")), "lnsGauge"),
    (
        on_lens(lambda lens: lens["state"].update(filters=[])),
        "no filter on data_stream",
    ),
    (
        on_lens(lambda lens: lens["state"]["query"].update(query="a: x*")),
        "without a wildcard",
    ),
    (
        on_lens(lambda lens: lens["state"]["query"].update(query="sms.no: 1")),
        "asks for sms.no",
    ),
    (
        on_lens(lambda lens: lens["state"]["query"].update(language="lucene")),
        "not in KQL",
    ),
    (
        on_lens(
            lambda lens: lens["state"]["visualization"]["layers"][0].update(
                xAccessor="nothing"
            )
        ),
        "shows a column nothing",
    ),
    (
        on_lens(
            lambda lens: lens["state"]["visualization"]["layers"][0].update(layerId="x")
        ),
        "there is no layer x",
    ),
    (
        on_lens(lambda lens: lens["references"].pop()),
        "is missing or not asked for",
    ),
    (on_layer(lambda layer: layer["columnOrder"].pop()), "columnOrder"),
    (on_column("terms", sourceField="sms.nothing"), "sms.nothing is not mapped"),
    (on_column("terms", sourceField="message"), "terms of message"),
    (on_column("terms", sourceField="sms.agent.cycles"), "is a number, not a string"),
    (
        on_column("terms", params={"orderBy": {"type": "column", "columnId": "no"}}),
        "points to a column no",
    ),
    (on_column("date_histogram", sourceField="host.name"), "date_histogram of host"),
    (on_column("unique_count", operationType="formula"), "formula is not an operation"),
    (on_column("unique_count", inputs=[]), "does not know the key inputs"),
    (
        on_column("unique_count", filter={"language": "kuery", "query": "x"}),
        "is wanted before",
    ),
]


def test_the_committed_objects() -> None:
    """What is committed has no fault."""
    assert main(["lint"]) == 0


@pytest.mark.parametrize(
    ("change", "words"), FAULTS, ids=[words for _, words in FAULTS]
)
def test_planted_faults(change: Change, words: str) -> None:
    """Each kind of fault is found, and said in words."""
    given = everything()
    change(given)

    assert any(words in finding for finding in found(given)), found(given)


def test_an_object_twice() -> None:
    """An object that is in the file twice would be refused by the import."""
    lines = [json.dumps(one) for one in everything().values()]

    assert LINTER.findings([*lines, lines[0]])[0].endswith("there are 2 of it")


def test_every_field_of_ours_has_a_label() -> None:
    """A new field in the mapping has to be named in the data views."""
    labels = load().labels
    ours = {name for name in mapped(VIEWS["sms-records"]) if name.startswith("sms.")}

    assert sorted(ours - labels.keys()) == []


def test_no_label_without_a_field() -> None:
    """A label, and a format, is of a field some data view has."""
    sources = load()
    there = {name for view in sources.views for name in mapped(view)}

    assert sorted({*sources.labels, *sources.formats} - there) == []


def test_what_there_is() -> None:
    """The dashboards and searches are those the documentation walks through."""
    assert [one["id"] for one in objects("dashboard")] == [
        "sms-fleet-overview",
        "sms-host",
        "sms-install-pending",
        "sms-integrity",
        "sms-shipper-health",
    ]
    assert [one["id"] for one in objects("search")] == [
        "sms-all-events",
        "sms-incidents",
        "sms-state-changes",
        "sms-integrity-failures",
        "sms-unparsed-lines",
    ]
