# SPDX-License-Identifier: Apache-2.0
"""The committed objects are sound, and our linter sees what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.views.panels import objects
from tools.views.__main__ import main
from tools.views.fields import mapped
from tools.views.lint import Linter
from tools.views.sources import COMPILED, load

Objects = dict[str, dict[str, Any]]
Change = Callable[[Any], object]

OVERVIEW = "sms-fleet-overview"
VIEWS = {view["id"]: view for view in load().views}
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


FAULTS += [
    (elsewhere, "is to sms-states"),
    (dead_link, "leads to sms-host"),
    (another_pattern, "title is logs-*"),
    (odd_format, "host.name has the format urll"),
    (sorted_by_nothing, "column sms.nothing is not mapped"),
    (on_panel(5, lambda one: one.update(type="map")), "panels of type map"),
    (
        on_panel(5, lambda one: one["embeddableConfig"].pop("description")),
        "how to read it",
    ),
    (
        on_panel(5, lambda one: one["embeddableConfig"].update(sections=[])),
        "does not know the key sections",
    ),
    (on_filter(lambda one: one["meta"].update(negate=True)), "no filter on data"),
    (on_filter(lambda one: one["meta"].update(disabled=True)), "no filter on data"),
    (on_filter(lambda one: one.update(query={"match_all": {}})), "no filter on data"),
    (
        on_lens(lambda one: one["references"][1].update(id="sms-states")),
        "more than one data view",
    ),
    (on_shown(lambda one: one.pop("xAccessor")), "there is no xAccessor"),
    (on_shown(lambda one: one.update(accessors=[])), "there is no accessors"),
    (on_shown(lambda one: one.pop("splitAccessor")), "does not show the column"),
    (on_shown(lambda one: one.update(seriesType="bars")), "seriesType is bars"),
    (on_layer(backwards), "a bucket behind a metric"),
    (on_column("terms", isBucketed=False), "isBucketed does not fit terms"),
    (on_column("date_histogram", params={"interval": "2x"}), "interval is 2x"),
    (on_column("terms", params={"orderDirection": "up"}), "orderDirection is up"),
    (
        on_column("terms", params={"missingBucket": True, "otherBucket": False}),
        "only beside the others",
    ),
    (on_column("unique_count", sourceField="event.original"), "event.original"),
    (
        on_column("unique_count", operationType="cumulative_sum", references=[]),
        "Lens adds up only",
    ),
]


def test_the_committed_objects() -> None:
    """What is committed has no fault."""
    assert main(["lint"]) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    FAULTS,
    ids=[f"{number}: {words}" for number, (_, words) in enumerate(FAULTS)],
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


@pytest.mark.parametrize("view", list(VIEWS))
def test_every_field_of_ours_has_a_label(view: str) -> None:
    """A data view names each field of ours that is mapped, and no other."""
    (found,) = (one for one in objects("index-pattern") if one["id"] == view)
    named = json.loads(found["attributes"]["fieldAttrs"]).keys()
    fields = mapped(VIEWS[view]).keys()

    assert {name for name in fields if "sms." in name} <= named <= fields


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
        "sms-what-to-do",
        "sms-integrity-failures",
        "sms-unparsed-lines",
    ]
