# SPDX-License-Identifier: Apache-2.0
"""Every panel and saved search, asked of a server that holds the demo fleet.

What is expected is reckoned from the fleet's plan and from what is planted beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.records import Stream
from shipper.stack import apply, plan
from tests.live.transformed import transformed
from tests.views.asked import asked, asked_search
from tests.views.compared import (
    expected,
    in_any_order,
    in_order,
    keeps_its_head,
    leaders,
    true_of,
)
from tests.views.facts import Facts
from tests.views.faults import FAULTS, Fault
from tests.views.panels import Object, Panel, controls, objects, panels
from tests.views.planted import NAMESPACE, facts, reports, told
from tests.views.stories import NOW
from tests.views.table import Row, rows

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_CHOICES: dict[str, tuple[str, Callable[[Facts, str], Facts]]] = {
    "host.name": ("relapsed", Facts.of_host),
    "sms.agent.id": ("hardware-inventory", Facts.of_agent),
    "sms.incident.root_code": ("1314", Facts.of_root_code),
    "observer.name": ("collector2", Facts.of_collector),
}
_FOUND: dict[str, Callable[[Facts], int]] = {
    "sms-all-events": lambda true: len(true.records),
    "sms-incidents": lambda true: sum(one.incident > 0 for one in true.records),
    "sms-state-changes": lambda true: len(true.changes),
    "sms-what-to-do": lambda true: sum(one.failing for one in true.changes),
    "sms-integrity-failures": lambda true: sum(
        one.action == "integrity-check-failed" for one in true.records
    ),
    "sms-unparsed-lines": lambda true: sum(
        one.broken or one.quality == "plain" for one in true.records
    ),
}


def _named(one: Panel) -> str:
    return f"{one.dashboard}: {one.title}"


every_panel = pytest.mark.parametrize("panel", panels(), ids=_named)


class Served(Struct, frozen=True):
    """A server with the fleet on it."""

    client: Elasticsearch

    def rows(self, panel: Panel, chosen: Mapping[str, str] | None = None) -> list[Row]:
        """Return what a panel shows."""
        search = asked(panel, NOW, NAMESPACE, chosen)
        return rows(panel, self.client.search(**search).body)


@pytest.fixture(scope="module")
def served(elasticsearch_url: str) -> Iterator[Served]:
    """Yield a server with the fleet's documents, and what transforms make of them."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as client:
        apply(client, plan(client))
        shipped = list(told())
        for stream in (Stream.CLISVC, Stream.CCM, Stream.STATE):
            bodies = [body for its, body in shipped if its is stream]
            put(client, f"logs-{stream}-{NAMESPACE}", bodies)
        put(client, f"logs-{Stream.SHIPPER}-{NAMESPACE}", list(reports()))
        with transformed(client, NAMESPACE):
            yield Served(client)


def put(client: Elasticsearch, index: str, documents: list[dict[str, Any]]) -> None:
    """Index documents, a thousand at a time."""
    for begin in range(0, len(documents), 1000):
        operations: list[dict[str, Any]] = []
        for document in documents[begin : begin + 1000]:
            operations += [{"create": {}}, document]
        reply = client.bulk(index=index, operations=operations, refresh=True).body
        assert not reply["errors"], reply["items"][0]


@every_panel
def test_answers(served: Served, panel: Panel) -> None:
    """Each panel shows what is true within its time, and never nothing."""
    wanted = in_any_order(panel, expected(panel).rows(true_of(panel)))
    shown = served.rows(panel)

    assert any(value not in (None, 0) for row in wanted for value in row.values())
    assert in_any_order(panel, shown) == wanted
    assert in_order(panel, shown)


@pytest.mark.parametrize(
    "panel", [one for one in panels() if expected(one).first], ids=_named
)
def test_what_does_not_fit_comes_last(served: Served, panel: Panel) -> None:
    """A list that is too long loses its end, and not what it is there to show."""
    assert len({*leaders(panel, served.rows(panel)).values()}) > 1
    assert keeps_its_head(panel, served.rows)


@pytest.mark.parametrize(
    ("panel", "field"),
    [
        pytest.param(panel, field, id=f"{field}, {_named(panel)}")
        for dashboard in objects("dashboard")
        for panel in panels([dashboard])
        for field in controls(dashboard)
    ],
)
def test_a_control_reaches_the_panels(served: Served, panel: Panel, field: str) -> None:
    """What somebody chooses above is all that the panels below show."""
    value, chosen = _CHOICES[field]
    wanted = expected(panel).rows(chosen(true_of(panel), value))
    shown = served.rows(panel, {field: value})

    assert in_any_order(panel, shown) == in_any_order(panel, wanted)


@pytest.mark.parametrize(
    "fault", FAULTS, ids=[f"{one.title}: {one.wrong}" for one in FAULTS]
)
def test_a_wrong_answer_is_noticed(served: Served, fault: Fault) -> None:
    """A panel that asks for something else does not show what is expected."""
    panel = fault.panel
    wanted = in_any_order(panel, expected(panel).rows(true_of(panel)))
    try:
        shown = served.rows(panel)
    except ValueError:  # a running sum of nothing
        return

    assert not (
        in_any_order(panel, shown) == wanted
        and in_order(panel, shown)
        and keeps_its_head(panel, served.rows)
    )


@pytest.mark.parametrize("search", objects("search"), ids=lambda one: one["id"])
def test_saved_searches(served: Served, search: Object) -> None:
    """Each saved search finds the documents it names, the newest first."""
    true = facts()
    searched = asked_search(search, NAMESPACE)
    hits = served.client.search(**searched, size=2, track_total_hits=True).body["hits"]
    times = [hit["sort"] for hit in hits["hits"]]

    assert hits["total"]["value"] == _FOUND[search["id"]](true)
    assert times == sorted(times, reverse=True)
