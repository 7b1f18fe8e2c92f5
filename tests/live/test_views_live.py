# SPDX-License-Identifier: Apache-2.0
"""Every panel and saved search, asked of a server that holds the demo fleet.

What is expected is reckoned from the fleet's plan and from what is planted here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.knowledge import Agent, agents
from shipper.records import Stream
from shipper.stack import Kind, apply, groups, plan
from shipper.stack.assets import asset
from tests.views.panels import Panel, asked, asked_search, objects, panels, rows
from tests.views.planted import (
    BEGIN,
    DOMAIN,
    FAILING,
    FLEET,
    NAMESPACE,
    NOW,
    domain_of,
    reports,
    stamped,
    told,
    truths,
)

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

every_panel = pytest.mark.parametrize(
    "panel", panels(), ids=[f"{one.dashboard}: {one.title}" for one in panels()]
)


class Served(Struct, frozen=True):
    """A server with the fleet on it."""

    client: Elasticsearch

    def rows(self, panel: Panel) -> list[dict[str, Any]]:
        """Return what a panel shows."""
        index = f"{panel.view}-v{NAMESPACE}"
        if panel.view in STREAMS:
            index = f"logs-{STREAMS[panel.view]}-{NAMESPACE}"
        body = asked(panel, BEGIN, NOW)
        return rows(panel, self.client.search(index=index, **body).body)

    def named(self, dashboard: str, title: str) -> list[dict[str, Any]]:
        """Return what the panel of that title shows."""
        (panel,) = (
            one for one in panels() if (one.dashboard, one.title) == (dashboard, title)
        )
        return self.rows(panel)


STREAMS = {
    "sms-records": Stream.CLISVC,
    "sms-states": Stream.STATE,
    "sms-shipper": Stream.SHIPPER,
}


@pytest.fixture(scope="module")
def served(elasticsearch_url: str) -> Iterator[Served]:
    """Yield a server with the fleet's documents, and what transforms make of them."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as client:
        apply(client, plan(client))
        shipped = list(told())
        for stream in (Stream.CLISVC, Stream.STATE):
            bodies = [stamped(one.body) for one in shipped if one.stream is stream]
            if stream is Stream.CLISVC:
                bodies[0]["event"]["kind"] = "pipeline_error"
            put(client, f"logs-{stream}-{NAMESPACE}", bodies)
        status = [stamped(msgspec.json.decode(one)) for one in reports()]
        put(client, f"logs-{Stream.SHIPPER}-{NAMESPACE}", status)
        for name in ("sms-agent-state", "sms-host-state"):
            index = f"{name}-v{NAMESPACE}"
            mappings = asset(Kind.INDEX_TEMPLATE, name).body["template"]["mappings"]
            client.indices.create(index=index, mappings=mappings)
            put(client, index, list(groups(client, name, namespace=NAMESPACE)))
        yield Served(client)


def put(client: Elasticsearch, index: str, documents: list[dict[str, Any]]) -> None:
    """Index documents, a thousand at a time."""
    for begin in range(0, len(documents), 1000):
        operations: list[dict[str, Any]] = []
        for document in documents[begin : begin + 1000]:
            operations += [{"create": {}}, document]
        reply = client.bulk(index=index, operations=operations, refresh=True).body
        assert not reply["errors"], reply["items"][0]


def names() -> dict[str, Agent]:
    """Return the agents by id."""
    return {agent.id: agent for agent in agents()}


@every_panel
def test_answers(served: Served, panel: Panel) -> None:
    """Each panel's search is accepted, and shows a value that is not nothing."""
    buckets = {
        column["label"]
        for column in panel.layer["columns"].values()
        if column["isBucketed"]
    }
    found = [
        value
        for row in served.rows(panel)
        for label, value in row.items()
        if label not in buckets
    ]

    assert any(value not in (None, 0) for value in found)


@pytest.mark.parametrize("search", objects("search"), ids=lambda one: one["id"])
def test_saved_searches_find_something(served: Served, search: dict[str, Any]) -> None:
    """Each saved search is accepted and finds documents."""
    view = search["references"][0]["id"]
    reply = served.client.search(
        index=f"logs-{STREAMS[view]}-{NAMESPACE}", **asked_search(search)
    ).body

    assert reply["hits"]["total"]["value"] > 0


def test_hosts(served: Served) -> None:
    """Reporting, pending, new, recovered: as the plan has them, and what is planted."""
    day = NOW - timedelta(days=1)
    pending = {host for _, host, _, one in truths() if one.ending in FAILING}
    new = {
        host
        for _, host, _, one in truths()
        if one.ending in FAILING and one.first_refusal and one.first_refusal >= day
    }
    recovered = {host for _, host, _, one in truths() if one.ending == "recovered"}
    overview = "sms-fleet-overview"

    assert served.named(overview, "Hosts reporting") == [{"Hosts reporting": 15 + 2}]
    assert served.named(overview, "Hosts pending now") == [
        {"Hosts pending": len(pending) + 1}
    ]
    assert served.named(overview, "New in 24 hours") == [
        {"Hosts newly pending": len(new) + 1}
    ]
    assert served.named(overview, "Recovered in 24 hours") == [
        {"Hosts recovered": len(recovered)}
    ]


def test_urgency(served: Served) -> None:
    """The table has every failing agent, with its cycles, its cause and its begin."""
    found = {
        (row["Host"], row["Agent"]): (
            row["Cycles"],
            row["Root code"],
            row["Pending since"],
        )
        for row in served.named("sms-fleet-overview", "Hosts by urgency")
        if row["Host"] != "relapsed"
    }

    assert found == {
        (host, names()[agent].name): (
            one.cycles,
            str(one.root_code),
            one.first_refusal.replace(tzinfo=None).isoformat("T", "milliseconds") + "Z",
        )
        for _, host, agent, one in truths()
        if one.ending in FAILING and one.first_refusal
    }


def test_coverage(served: Served) -> None:
    """Of 17 hosts one is silent and one unreachable."""
    found = served.named("sms-fleet-overview", "Coverage")

    assert {row["Hosts"]: row["Count"] for row in found} == {
        "Expected": 17,
        "Reachable": 16,
        "Reporting": 15,
        "Silent": 1,
        "Unreachable": 1,
    }


def test_one_policy(served: Served) -> None:
    """Hosts first refused a right add up by domain; a relapse counts once more."""
    found = Counter[str]()
    for row in served.named("sms-install-pending", "One policy or single machines?"):
        found[row["Domain"]] += row["Hosts so far"]
    hosts = {
        (domain_of(number) or "(missing)", host)
        for number, host, _, one in truths()
        if one.root_code == 1314
    }
    expected = Counter(domain for domain, _ in hosts)

    assert found == expected + Counter({DOMAIN: 2})


def test_burn_down(served: Served) -> None:
    """Episodes begun less episodes ended are what is pending."""
    shown = served.named("sms-install-pending", "Burn-down after a fix")
    begun = sum(row["Begun so far"] for row in shown)
    ended = sum(row["Ended so far"] for row in shown)
    failed = [one for *_, one in truths() if one.root_code]
    mended = [one for one in failed if one.ending not in FAILING]

    assert (begun, ended) == (len(failed) + 2, len(mended) + 1)


def test_age(served: Served) -> None:
    """Every failing host has an age: the relapse is new, nothing is over a week old."""
    found = Counter[str]()
    for row in served.named("sms-install-pending", "Age of what is pending"):
        found[row["Age"]] += row["Hosts"]

    assert found["7 to 30 days"] == found["more than 30 days"] == 0
    assert found["less than 1 day"] == 1
    assert found["1 to 7 days"] == len(
        {host for _, host, _, one in truths() if one.ending in FAILING}
    )


def test_integrity(served: Served) -> None:
    """Code 5 is counted once an incident, on one host and of one file."""
    refused = [(host, one) for _, host, _, one in truths() if one.root_code == 5]
    incidents = sum(one.refusals for _, one in refused)
    board = "sms-integrity"

    assert served.named(board, "Integrity failures") == [{"Incidents": incidents}]
    assert served.named(board, "Hosts with an integrity failure") == [{"Hosts": 1}]
    (file,) = served.named(board, "Refused files")
    assert (file["Hosts"], file["Incidents"]) == (1, incidents)
    assert file["File"].endswith("hinv32.exe")
    assert [row["Host"] for row in served.named(board, "Silent hosts")] == ["silent"]
    assert served.named(board, "Account problems") == [{"Hosts": 1}]


def test_shipper(served: Served) -> None:
    """What was refused, lost and unread is what the collector said."""
    board = "sms-shipper-health"
    records = FLEET.documents + 3 + 4 + 3 + 2  # a relapse's three acts, two odd lines

    assert served.named(board, "Collectors reporting") == [{"Collectors": 1}]
    assert served.named(board, "Dead letters") == [{"Dead-lettered": 120}]
    assert served.named(board, "Lost") == [{"Lost": 45}]
    assert served.named(board, "Oldest unread byte") == [
        {"Waiting since": "2003-03-14T10:30:00.000Z"}
    ]
    (lag,) = served.named(board, "Ingest lag")
    assert (lag["Collector"], lag["Records"]) == ("collector1", records)
    assert served.named(board, "Pipeline errors")[0]["Documents"] == 1
