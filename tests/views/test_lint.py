# SPDX-License-Identifier: Apache-2.0
"""The committed objects are sound, and our linter sees what is not."""

from __future__ import annotations

import json

import pytest

from tests.views import broken
from tests.views.broken import (
    Change,
    Objects,
    everything,
    on_column,
    on_filter,
    on_layer,
    on_lens,
    on_panel,
    on_shown,
    on_state,
)
from tests.views.panels import objects
from tools.views.__main__ import main
from tools.views.fields import mapped
from tools.views.lint import Linter
from tools.views.sources import load

VIEWS = {view["id"]: view for view in load().views}
LINTER = Linter(views=VIEWS)

#: What is broken, and words of the finding.
BROKEN: list[tuple[Change, str]] = [
    (broken.stamp, "typeMigrationVersion is not 8.9.0"),
    (broken.core, "coreMigrationVersion is not 8.8.0"),
    (broken.newer_key, "does not know the key sections"),
    (broken.dangling, "refers to sms-all-events, which is not in the file"),
    (broken.misnamed, "is missing"),
    (broken.misnamed, "nothing asks for the reference"),
    (broken.doubled, "2 references are named"),
    (broken.broken_json, "should be JSON"),
    (broken.label, "fieldAttrs has sms.nothing, which is not mapped"),
    (broken.column, "column sms.nothing is not mapped"),
    (broken.title, "the title does not begin"),
    (broken.filtered, "searchSourceJSON.filter[0].meta.index is missing"),
    (broken.slider, "a control of type rangeSliderControl"),
    (broken.timeless, "timeFieldName is None"),
    (broken.control, "control on sms.agent.cycles, which is no keyword"),
    (broken.control, "does not follow the control on sms.agent.cycles"),
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
    (broken.asking("a: x*"), "without a wildcard"),
    (broken.asking("sms.no: 1"), "asks for sms.no"),
    (broken.asking("sms.agent.cycles >= abc"), "range abc of sms.agent.cycles"),
    (broken.asking("sms.agent.name > now-1d"), "range now-1d of sms.agent.name"),
    (broken.asking("event.ingested >= now-24x"), "range now-24x of event.ingested"),
    (broken.asking("sms.agent.relapse: yes"), "match yes of sms.agent.relapse"),
    (broken.asking("message > a"), "range a of message"),
    (broken.asking("event.original: *"), "exists of event.original"),
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
    (broken.elsewhere, "is to sms-states"),
    (broken.dead_link, "leads to sms-host"),
    (broken.another_pattern, "title is logs-*"),
    (broken.odd_format, "host.name has the format urll"),
    (broken.sorted_by_nothing, "column sms.nothing is not mapped"),
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
    (
        on_shown(
            lambda one: one["colorMapping"]["assignments"][0].update(
                color={"type": "loop"}
            )
        ),
        "a palette gives the colours",
    ),
    (on_state(1, lambda one: one.pop("metricAccessor")), "there is no metricAccessor"),
    (on_state(7, lambda one: one.pop("valueAccessor")), "there is no valueAccessor"),
    (on_state(9, lambda one: one["columns"].pop()), "does not show the column"),
    (
        on_state(10, lambda one: one["sorting"].update(direction="down")),
        "direction is down",
    ),
    (on_column("date_histogram", params={"intervals": "1d"}), "know the key intervals"),
    (
        on_column("unique_count", params={"format": {"id": "byte"}}),
        "is shown in the format byte",
    ),
    (on_layer(broken.backwards), "a bucket behind a metric"),
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


def found(given: Objects) -> list[str]:
    """Return what the linter says."""
    return LINTER.findings(json.dumps(one) for one in given.values())


def test_the_committed_objects() -> None:
    """What is committed has no fault."""
    assert main(["lint"]) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    BROKEN,
    ids=[f"{number}: {words}" for number, (_, words) in enumerate(BROKEN)],
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
    """A data view names each mapped field that is not only ECS's, and no other."""
    (found,) = (one for one in objects("index-pattern") if one["id"] == view)
    named = json.loads(found["attributes"]["fieldAttrs"]).keys()
    fields = mapped(VIEWS[view]).keys()
    ours = {name for name in fields if "templates" in VIEWS[view] or "sms." in name}

    assert ours <= named <= fields


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
