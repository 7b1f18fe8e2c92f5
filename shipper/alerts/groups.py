# SPDX-License-Identifier: Apache-2.0
"""What a rule finds in Elasticsearch: groups of documents, however many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from elasticsearch import Elasticsearch
from msgspec import Struct
from msgspec.structs import replace

from shipper.alerts.bursts import Burst, bursts
from shipper.alerts.dsl import anchor, dsl
from shipper.alerts.exceptions import Silence, excepted
from shipper.alerts.kql import parse
from shipper.alerts.rules import Rule, seconds
from shipper.stack.server import explained

_PAGE = 500
_SMALL_PAGE = 5_000  # of buckets with hardly anything in them
_NAMED = 20  # hosts and agents that an alert names
_EXACT = 40_000  # different values up to which counting is nearly exact; the most
_SHOWN = ["@timestamp", "message", "error.code", "file.path", "sms.remedy.summary"]


class Group(Struct, frozen=True, kw_only=True):
    """Documents that belong together.

    Attributes:
        key: value by field; ``None`` where documents have none.
        count: documents, or different values of what the rule counts.
        hosts: names of the first of them.
        host_count: all of them.
        agents: ids.
        agent_names: for people.
        collectors: who sent them.
        first: of the documents, as ``@timestamp`` has it.
        last: of the documents.
        times: by the position of the rule's ages, milliseconds since 1970.
        steps: which of the rule's steps match a document.
        sample: members of the newest document.
    """

    key: dict[str, Any]
    count: int
    hosts: list[str]
    host_count: int
    agents: list[str]
    agent_names: list[str]
    collectors: list[str]
    first: str
    last: str
    times: list[float | None]
    steps: list[bool]
    sample: dict[str, Any]


class Search:
    """Asks for the groups of rules as of a point in time.

    Args:
        client: the client.
        namespace: of the data streams.
        now_ms: milliseconds since 1970, UTC.
        silences: what is not looked at.
    """

    def __init__(
        self,
        client: Elasticsearch,
        *,
        namespace: str,
        now_ms: int,
        silences: Iterable[Silence],
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._now_ms = now_ms
        self._now = anchor(now_ms)
        self._silences = list(silences)

    def raised(self, rule: Rule, since: str) -> Iterator[Group]:
        """Yield the groups that make an alert.

        Args:
            rule: the rule.
            since: how far back a rule looks for which one document is enough, and one
                that explains these.

        Raises:
            SinkUnavailable: the server is unreachable or refuses.
            NotPermitted: the credentials are wrong, or lack ``read``.
        """
        if rule.fleetwide:
            yield from self._bursts(rule, since)
            return
        query = self._query(rule, since if rule.each else "")
        for group in self._groups(rule, query):
            if rule.count is None:
                if self._aged(rule, group):
                    yield group
            elif group.count >= rule.count.at_least:
                yield group

    def _bursts(self, rule: Rule, since: str) -> Iterator[Group]:
        """Yield hosts that raised the same within a span, with all their names."""
        query = self._query(rule, max(rule.arrival, since, key=seconds))
        for key, burst in self._times(rule, query):
            within = {"gte": burst.first_ms, "lte": burst.last_ms}
            span = {"range": {"@timestamp": within | {"format": "epoch_millis"}}}
            alike = [_equal(field, value) for field, value in key.items()]
            narrowed = {"bool": {"filter": [query, span, *alike]}}
            hosts = list(burst.values)
            for group in self._groups(rule, narrowed):
                yield replace(
                    group, hosts=hosts, host_count=len(hosts), count=len(hosts)
                )

    def _times(
        self, rule: Rule, query: Mapping[str, Any]
    ) -> Iterator[tuple[dict[str, Any], Burst]]:
        """Yield each burst of a rule that counts hosts, and whose it is."""
        hour = {"field": "@timestamp", "fixed_interval": "1h"}
        sources = [
            *_sources(rule.by),
            {"host": {"terms": {"field": "host.name"}}},
            {"hour": {"date_histogram": hour}},
        ]
        asked = {name: {name: {"field": "@timestamp"}} for name in ("min", "max")}
        moments: dict[tuple[Any, ...], set[tuple[int, str]]] = {}
        for bucket in self._buckets(rule, query, sources, asked, _SMALL_PAGE):
            key = tuple(bucket["key"][field] for field in rule.by)
            host = str(bucket["key"]["host"])
            times = moments.setdefault(key, set())
            times.update((int(bucket[name]["value"]), host) for name in asked)
        at_least = rule.count.at_least if rule.count else 1
        span_ms = seconds(rule.arrival) * 1000
        for values, times in moments.items():
            for burst in bursts(times, span_ms=span_ms, at_least=at_least):
                yield dict(zip(rule.by, values, strict=True)), burst

    def _groups(self, rule: Rule, query: Mapping[str, Any]) -> Iterator[Group]:
        asked = self._asked(rule)
        for bucket in self._buckets(rule, query, _sources(rule.by), asked, _PAGE):
            yield _group(rule, bucket)

    def _buckets(
        self,
        rule: Rule,
        query: Mapping[str, Any],
        sources: list[dict[str, Any]],
        asked: Mapping[str, Any],
        page: int,
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the buckets of all pages."""
        composite: dict[str, Any] = {"size": page, "sources": sources}
        search: dict[str, Any] = {
            "index": [f"logs-{data}-{self._namespace}" for data in rule.data],
            "query": query,
            "aggs": {"groups": {"composite": composite, "aggs": asked}},
        }
        while True:
            with explained(self._client):
                reply = self._client.search(
                    size=0, ignore_unavailable=True, allow_no_indices=True, **search
                ).body
            found = reply.get("aggregations", {}).get("groups", {"buckets": []})
            yield from found["buckets"]
            if "after_key" not in found:
                return
            composite["after"] = found["after_key"]

    def _query(self, rule: Rule, since: str) -> dict[str, Any]:
        """Return which documents count: those of the rule's window, or since then."""
        arrival = since or rule.arrival
        reach = max(rule.reach, since or rule.reach, key=seconds)
        query = excepted(rule.query, self._silences, rule.exceptions)
        return {
            "bool": {
                "filter": [
                    dsl(parse(query), now=self._now),
                    {"range": {"event.ingested": {"gte": f"{self._now}-{arrival}"}}},
                    {
                        "range": {
                            "@timestamp": {
                                "gte": f"{self._now}-{reach}",
                                "lte": f"{self._now}+1h",
                            }
                        }
                    },
                ],
                "must_not": [{"term": {"data_stream.namespace": "archive"}}],
            }
        }

    def _asked(self, rule: Rule) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "first": {"min": {"field": "@timestamp"}},
            "last": {"max": {"field": "@timestamp"}},
            "sample": {
                "top_hits": {
                    "size": 1,
                    "sort": [{"@timestamp": "desc"}],
                    "_source": _SHOWN,
                }
            },
        }
        for name, field in _NAMES.items():
            asked[name] = {"terms": {"field": field, "size": _NAMED}}
        if not rule.fleetwide:  # of which the hosts are known by then, and counted
            if "host.name" not in rule.by:
                asked["host_count"] = _different("host.name")
            if rule.count is not None and rule.count.of:
                asked["count"] = _different(rule.count.of)
        for number, age in enumerate(rule.times):
            pick = "max" if age.pick == "newest" else "min"
            asked[f"time{number}"] = {pick: {"field": age.field}}
        for number, step in enumerate(rule.ladder):
            asked[f"step{number}"] = {"filter": dsl(parse(step.when), now=self._now)}
        return asked

    def _aged(self, rule: Rule, group: Group) -> bool:
        for age, time in zip(rule.times, group.times, strict=True):
            if time is None:
                return False
            past_s = (self._now_ms - time) / 1000
            if age.older and past_s < seconds(age.older):
                return False
            if age.younger and past_s > seconds(age.younger):
                return False
        return True


_NAMES = {
    "hosts": "host.name",
    "agents": "sms.agent.id",
    "agent_names": "sms.agent.name",
    "collectors": "observer.name",
}


def _sources(fields: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {field: {"terms": {"field": field, "missing_bucket": True}}} for field in fields
    ]


def _equal(field: str, value: object) -> dict[str, Any]:
    if value is None:
        return {"bool": {"must_not": [{"exists": {"field": field}}]}}
    return {"term": {field: {"value": value}}}


def _different(field: str) -> dict[str, Any]:
    return {"cardinality": {"field": field, "precision_threshold": _EXACT}}


def _group(rule: Rule, bucket: Mapping[str, Any]) -> Group:
    names = {
        name: [str(found["key"]) for found in bucket[name]["buckets"]]
        for name in _NAMES
    }
    several = bucket.get("host_count")
    counted = bucket.get("count")
    (newest,) = bucket["sample"]["hits"]["hits"]
    return Group(
        key=bucket["key"],
        count=counted["value"] if counted else bucket["doc_count"],
        host_count=several["value"] if several else len(names["hosts"]),
        first=bucket["first"]["value_as_string"],
        last=bucket["last"]["value_as_string"],
        times=[bucket[f"time{n}"]["value"] for n in range(len(rule.times))],
        steps=[bool(bucket[f"step{n}"]["doc_count"]) for n in range(len(rule.ladder))],
        sample=newest["_source"],
        **names,
    )
