# SPDX-License-Identifier: Apache-2.0
"""From the sources to what is committed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.knowledge import explain, worded
from tests.views.panels import objects, panels
from tools.views.__main__ import main
from tools.views.compiling import compiled
from tools.views.sources import COMPILED, load, stable

pytestmark = pytest.mark.timeout(180)  # kb-dashboard takes its time

PROGRAM = shutil.which(os.environ.get("KB_DASHBOARD", "kb-dashboard"))
needs_kb_dashboard = pytest.mark.skipif(
    PROGRAM is None,
    reason="kb-dashboard is not installed; it needs Python 3.12 (make views)",
)


@needs_kb_dashboard
def test_rebuilt_byte_by_byte() -> None:
    """The sources make what is committed, and nothing else."""
    assert PROGRAM is not None

    assert compiled(load(), PROGRAM) == COMPILED.read_text(encoding="utf-8")


@needs_kb_dashboard
def test_an_edited_result_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is committed and not what the sources make fails the check."""
    edited = tmp_path / "views.ndjson"
    text = COMPILED.read_text(encoding="utf-8")
    edited.write_text(text.replace("Hosts pending now", "Hosts"), encoding="utf-8")
    monkeypatch.setattr("tools.views.__main__.COMPILED", edited)

    assert main(["check"]) == 1
    assert "is not what the sources make" in capsys.readouterr().err


@needs_kb_dashboard
def test_read_back(tmp_path: Path) -> None:
    """A program of others reads our dashboards: title, controls, panels in place."""
    for one in objects("dashboard"):
        read = read_back(one, tmp_path)
        source = source_of(read["id"])

        assert read["name"] == source["name"]
        assert [each["field"] for each in read["controls"]] == [
            each["field"] for each in source["controls"]
        ]
        assert placed(read) == placed(source)


@needs_kb_dashboard
def test_read_back_what_is_cut_off(tmp_path: Path) -> None:
    """It sees no panels where theirs is no JSON."""
    (one, *_) = objects("dashboard")
    panels_json = one["attributes"]["panelsJSON"]
    cut = one | {"attributes": one["attributes"] | {"panelsJSON": panels_json[:-5]}}

    assert placed(read_back(cut, tmp_path)) == []


def read_back(one: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what kb-dashboard reads of a dashboard."""
    assert PROGRAM is not None
    given, made = folder / "given.ndjson", folder / "made.yaml"
    given.write_text(json.dumps(one), encoding="utf-8")
    subprocess.run(
        [PROGRAM, "decompile", given, "-o", made], check=True, capture_output=True
    )
    (read,) = yaml.safe_load(made.read_text(encoding="utf-8"))["dashboards"]
    return dict(read)


def placed(dashboard: dict[str, Any]) -> list[tuple[str, dict[str, int]]]:
    """Return title and place of each panel."""
    return [
        (panel["title"], panel["position"] | panel["size"])
        for panel in dashboard.get("panels") or ()
    ]


def source_of(name: str) -> dict[str, Any]:
    """Return the source of a dashboard."""
    (found,) = (
        one
        for document in load().dashboards.values()
        for one in document["dashboards"]
        if one["id"] == name
    )
    return dict(found)


def test_names_are_resolved(tmp_path: Path) -> None:
    """A name stands for a value or a text; a metric that is added up is remembered."""
    shared = {"red": {"hex": "#D55E00"}, "bad": "(a or b)", "neutral": ["#BBBBBB"]}
    metric = {"label": "So far", "cumulative": True, "color": "$red"}
    panel = {"title": "One", "query": "x: ${bad}", "lens": {"metrics": [metric]}}
    files = {
        "shared.yaml": shared,
        "data-views.yaml": {"views": [], "labels": {}, "formats": {}},
        "searches.yaml": {"searches": []},
        "one.yaml": {"dashboards": [{"id": "board", "panels": [panel]}]},
    }
    for name, content in files.items():
        (tmp_path / name).write_text(yaml.safe_dump(content), encoding="utf-8")

    sources = load(tmp_path)
    ((found,),) = (
        one["panels"] for one in sources.dashboards["one.yaml"]["dashboards"]
    )
    (shown,) = found["lens"]["metrics"]

    assert found["query"] == "x: (a or b)"
    assert found["id"] == stable("board", "One")
    assert shown == {"label": "So far", "color": {"hex": "#D55E00"}, "id": shown["id"]}
    assert sources.extras == {shown["id"]: {"cumulative": True}}


def test_ids_are_distinct() -> None:
    """No two panels of a dashboard have one title, from which the ids follow."""
    titles = [(one.dashboard, one.title) for one in panels()]

    assert len(set(titles)) == len(titles)


def test_a_series_that_is_added_up() -> None:
    """It is a running sum of a count, which is in no axis itself."""
    (panel,) = (
        one for one in panels() if one.title == "One policy or single machines?"
    )
    columns = panel.layer["columns"]
    (shown,) = panel.lens["state"]["visualization"]["layers"][0]["accessors"]
    (inner,) = columns[shown]["references"]

    assert columns[shown]["operationType"] == "cumulative_sum"
    assert columns[inner]["operationType"] == "count"


def test_a_panel_with_a_time_of_its_own() -> None:
    """A policy is looked for in a day and an hour, whatever time is chosen."""
    chosen = {
        panel["title"]: panel["embeddableConfig"]["timeRange"]
        for dashboard in objects("dashboard")
        for panel in json.loads(dashboard["attributes"]["panelsJSON"])
        if "timeRange" in panel["embeddableConfig"]
    }

    assert chosen == {
        "One policy or single machines?": {"from": "now-25h", "to": "now"}
    }


def test_what_can_be_chosen() -> None:
    """Hosts and agents can be chosen whatever time is, codes of that time."""
    chosen = {
        (control["explicitInput"]["fieldName"], views[f"controlGroup_{name}"])
        for one in objects("dashboard")
        for views in [
            {each["name"].split(":")[0]: each["id"] for each in one["references"]}
        ]
        for name, control in json.loads(
            one["attributes"]["controlGroupInput"]["panelsJSON"]
        ).items()
    }

    assert chosen == {
        ("host.name", "sms-host-state"),
        ("sms.agent.id", "sms-agent-state"),
        ("sms.incident.root_code", "sms-states"),
        ("observer.name", "sms-shipper"),
    }


def test_codes_are_shown_with_their_meaning() -> None:
    """A symbol means one thing, and that is what ``clisvc explain`` says of it."""
    (view,) = (one for one in objects("index-pattern") if one["id"] == "sms-records")
    shown = json.loads(view["attributes"]["fieldFormatMap"])["error.type"]
    entries = [(one["key"], one["value"]) for one in shown["params"]["lookupEntries"]]
    symbol = "ERROR_PRIVILEGE_NOT_HELD"

    assert (symbol, f"{symbol}: {explain(1314)[0].meaning.rstrip('.')}") in entries
    assert entries == sorted(
        {
            (one.symbol, f"{one.symbol}: {one.meaning.rstrip('.')}")
            for one in worded()
            if one.symbol
        }
    )


def test_colours_that_mean_something() -> None:
    """Orange is pending, green recovered, vermilion integrity, and nothing else is."""
    meant: dict[str, set[str]] = {"#E69F00": set(), "#009E73": set(), "#D55E00": set()}
    for panel in panels():
        for layer in panel.lens["state"]["visualization"].get("layers", ()):
            mapping = layer["colorMapping"]
            for one in (*mapping["assignments"], *mapping["specialAssignments"]):
                values = one["rule"].get("values", [panel.title])
                meant.get(one["color"]["colorCode"], set()).update(values)

    assert meant == {
        "#E69F00": {"install_pending", "privilege", "1314"},
        "#009E73": {"recovered"},
        "#D55E00": {"integrity_failed", "integrity", "5"},
    }


def test_checking_needs_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kb-dashboard nothing is said to be up to date."""
    monkeypatch.setenv("KB_DASHBOARD", "no-such-kb-dashboard")

    with pytest.raises(FileNotFoundError, match="no-such-kb-dashboard"):
        main(["check"])
