# SPDX-License-Identifier: Apache-2.0
"""The forms of the rules that Kibana runs, asked of a server that holds the stories.

Questions in ES|QL cannot be asked here: the server has no such language. Their rows
are what ``clisvc alerts`` groups, which other tests hold against the same stories.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shipper.alerts import evaluate, every
from shipper.alerts.dsl import anchor, dsl
from shipper.alerts.kql import parse
from shipper.demo.fleet import DEFAULT_TIMEZONE, Ending, Fleet
from shipper.knowledge import agents
from shipper.stack import apply, plan
from tests.enrich.story import ship
from tests.live.planting import NOW_MS, Planted
from tests.live.transformed import transformed
from tests.views.planted import source_of

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_COMPILED = Path(__file__).parents[2] / "dashboards" / "rules" / "compiled"
_OLDER = {f"older{number:02d}" for number in range(12)}
_HOTFIX = {f"hotfix{number:03d}" for number in range(200)}
#: Rule, how many hours ago, and of whom it speaks then.
_STACK = [
    ("R1", 0, {"weekend", "weeklong", "relapse", "longrelapse", "badclock", "ccim"}),
    ("R3", 0, set()),
    ("R3", 1.9, {"onlyone"}),
    ("R3", 2.9, _HOTFIX),
    ("R3", 39.9, _OLDER),
    # It does not know of removals, nor that a collector is away.
    ("R4", 0, {"silent", "failsilent", "removed", "behind2"}),
    ("R6b", 0, {"refusing"}),
    ("R6c", 0, {"broken"}),
]
_SECURITY = [
    # What works again meanwhile is raised all the same.
    ("R1", 0, {"weekend", "weeklong", "relapse", "badclock", "ccim", "clears"}),
    ("R3", 1.9, {"onlyone"}),
    ("R3", 2.9, _HOTFIX),
    ("R5", 0, {"crashes"}),
    ("R6b", 0, {"refusing"}),
    ("R6c", 0, {"broken"}),
]


@pytest.fixture(scope="module")
def current(elasticsearch_url: str, fleet: Planted) -> Iterator[Elasticsearch]:
    """Yield a server that also has what transforms would have made of the stories."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as client:
        apply(client, plan(client))
        until = f"{anchor(NOW_MS)}+1h"
        with transformed(client, fleet.namespace, until=until):
            yield client


def speaks_of(
    client: Elasticsearch,
    index: list[str],
    query: list[dict[str, Any]],
    *,
    by: list[str],
    at_least: int,
    of: str = "",
) -> set[str]:
    """Return the first fields of the groups that have enough documents, or values."""
    sources = [{field: {"terms": {"field": field}}} for field in by]
    aggs: dict[str, Any] = {"groups": {"composite": {"size": 1000, "sources": sources}}}
    if of:
        different = {"cardinality": {"field": of, "precision_threshold": 40_000}}
        aggs["groups"]["aggs"] = {"different": different}
    reply = client.search(
        index=index,
        size=0,
        query={"bool": {"filter": query}},
        aggs=aggs,
        ignore_unavailable=True,
    )
    return {
        bucket["key"][by[0]]
        for bucket in reply["aggregations"]["groups"]["buckets"]
        if (bucket["different"]["value"] if of else bucket["doc_count"]) >= at_least
    }


@pytest.mark.parametrize(("name", "hours", "expected"), _STACK)
def test_kibanas_own_rule(
    current: Elasticsearch, fleet: Planted, name: str, hours: float, expected: set[str]
) -> None:
    """The query in the compiled rule speaks of whom it should, and of nobody else."""
    found = json.loads((_COMPILED / "stack.json").read_bytes())
    (rule,) = [
        each["body"] for each in found["rules"] if each["body"]["tags"][1] == name
    ]
    params = rule["params"]
    now = anchor(NOW_MS - int(hours * 3_600_000))
    asked = json.loads(params["esQuery"].replace('"now', f'"{now}'))["query"]
    window = f"{now}-{params['timeWindowSize']}{params['timeWindowUnit']}"
    arrived = {"range": {params["timeField"]: {"gte": window, "lte": now}}}
    term = params["termField"]
    (at_least,) = params["threshold"]

    assert (
        speaks_of(
            current,
            [_of(index, fleet.namespace) for index in params["index"]],
            [asked, arrived],
            by=[term] if isinstance(term, str) else term,
            at_least=at_least + (params["thresholdComparator"] == ">"),
        )
        == expected
    )


@pytest.mark.parametrize(("name", "hours", "expected"), _SECURITY)
def test_detection_rule(
    current: Elasticsearch, fleet: Planted, name: str, hours: float, expected: set[str]
) -> None:
    """The query in the compiled rule speaks of whom it should, and of nobody else."""
    rule = _detection(name)
    now = anchor(NOW_MS - int(hours * 3_600_000))
    threshold = rule.get("threshold", {"field": ["host.name"], "value": 1})
    of = [each["field"] for each in threshold.get("cardinality", ())]
    least = [each["value"] for each in threshold.get("cardinality", ())]
    by = threshold["field"]
    if name == "R6b":
        by = ["observer.name"]

    assert (
        speaks_of(
            current,
            [_of(index, fleet.namespace) for index in rule["index"]],
            _filter(rule, now),
            by=by,
            at_least=(least or [threshold["value"]])[0],
            of="".join(of),
        )
        == expected
    )


def test_detection_rule_about_a_policy(current: Elasticsearch, fleet: Planted) -> None:
    """Over all domains it counts the hosts, and is a single alert."""
    rule = _detection("R2")
    reply = current.search(
        index=[_of(index, fleet.namespace) for index in rule["index"]],
        size=0,
        query={"bool": {"filter": _filter(rule, anchor(NOW_MS))}},
        aggs={"hosts": {"cardinality": {"field": "host.name"}}},
    )
    (least,) = [each["value"] for each in rule["threshold"]["cardinality"]]

    assert rule["threshold"]["field"] == []
    assert reply["aggregations"]["hosts"]["value"] >= 19_000 > least


def test_what_the_demonstration_raises(current: Elasticsearch, namespace: str) -> None:
    """Alerts over the demo fleet are what its plan says, and nothing besides."""
    end = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    demo = Fleet.plan(7, end=end)
    planted = Planted(namespace)
    first: dict[str, datetime] = {}
    for log in demo.logs:
        text = b"".join(log.truth.lines)
        source = source_of(log.host.name, "corp.example")
        for one in ship(text, source=source, timezone=DEFAULT_TIMEZONE):
            planted.document(one.stream, one.body, end.isoformat())
        for truth in log.truth.agents.values():
            at = truth.first_refusal
            if at is not None and truth.root_code == 1314:
                first[log.host.name] = min(at, first.get(log.host.name, at))
    planted.index(current)
    times = sorted(first.values())
    within = [
        begin
        for begin in times
        if sum(begin <= each <= begin + timedelta(hours=25) for each in times) >= 5
    ]
    policy = {
        host
        for host, at in first.items()
        if any(begin <= at <= begin + timedelta(hours=25) for begin in within)
    }

    raised = evaluate(current, namespace=namespace, now_ms=NOW_MS, since="6d")

    assert {
        (alert.key["host.name"], agent)
        for alert in raised
        if alert.rule == "R1"
        for agent in alert.agents
    } == {
        (log.host.name, _AGENTS[agent])
        for log in demo.logs
        for agent, truth in log.truth.agents.items()
        if truth.ending is Ending.INSTALL_PENDING and truth.cycles >= 2
    }
    assert {host for a in raised if a.rule == "R2" for host in a.hosts} == policy
    assert [a.hosts for a in raised if a.rule == "R3"] == [
        [log.host.name]
        for log in demo.logs
        if any(t.root_code == 5 for t in log.truth.agents.values())
    ]
    assert {alert.rule for alert in raised} == {"R1", "R2", "R3"}


_AGENTS = {agent.id: agent.name for agent in agents()}


def _detection(name: str) -> dict[str, Any]:
    lines = (_COMPILED / "security.ndjson").read_text("utf-8").splitlines()
    uuid = every()[name].uuid["security"]
    (rule,) = [each for line in lines if (each := json.loads(line))["rule_id"] == uuid]
    return dict(rule)


def _filter(rule: Mapping[str, Any], now: str) -> list[dict[str, Any]]:
    """Return what a detection rule asks as of a time: its query, and what arrived."""
    begin = now + str(rule["from"]).removeprefix("now")
    arrived = {"range": {rule["timestamp_override"]: {"gte": begin, "lte": now}}}
    return [dsl(parse(rule["query"]), now=now), arrived]


def _of(index: str, namespace: str) -> str:
    """Return an index of a rule, of one namespace, or what stands for a transform's."""
    if index.startswith("logs-"):
        return f"{index.removesuffix('*')}{namespace}"
    return f"{index}-{namespace}"
