# SPDX-License-Identifier: Apache-2.0
"""What an analyst wants to know, asked of Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch
from msgspec import Struct

_PAGE = 500
#: Failures surface at the next restart or cycle, so one change smears over a day.
POLICY_WINDOW = timedelta(hours=25)
_POLICY_HOSTS = 5


class AgentFinding(Struct, frozen=True, kw_only=True):
    """An agent that is, or was, in trouble.

    Attributes:
        host: which machine.
        agent: name of the client agent.
        state: its state now.
        since: when the episode began.
        cycles: cycles in which it was refused.
        cause: why.
        root_code: causing code.
        remedy: what to do, or empty.
        rights: candidate rights.
    """

    host: str
    agent: str
    state: str
    since: datetime
    cycles: int
    cause: str
    root_code: str
    remedy: str
    rights: tuple[str, ...]


class Findings(Struct, frozen=True, kw_only=True):
    """The state of the fleet.

    Attributes:
        hosts: machines that report.
        failing: agents in trouble, the longest first.
        recovered: agents that work again.
        policy_hosts: machines first refused a right within one window of 25 hours.
        policy_from: when that window begins, or ``None``.
        single_hosts: machines refused a right outside of it.
    """

    hosts: int
    failing: tuple[AgentFinding, ...]
    recovered: tuple[AgentFinding, ...]
    policy_hosts: tuple[str, ...]
    policy_from: datetime | None
    single_hosts: tuple[str, ...]


def findings(client: Elasticsearch, namespace: str) -> Findings:
    """Ask for the newest state of every agent.

    Args:
        client: the client.
        namespace: of the data streams.
    """
    known = sorted(
        (
            _finding(source)
            for source in _newest(client, f"logs-sms.state-{namespace}")
            if source["sms"]["agent"].get("pending_since")
        ),
        key=lambda finding: (finding.since, finding.host, finding.agent),
    )
    first: dict[str, datetime] = {}
    for finding in known:
        if finding.cause == "privilege":
            first.setdefault(finding.host, finding.since)
    policy, begin = _cluster(first)
    return Findings(
        hosts=_hosts(client, f"logs-sms.clisvc-{namespace}"),
        failing=tuple(f for f in known if f.state not in {"recovered", "healthy"}),
        recovered=tuple(f for f in known if f.state == "recovered"),
        policy_hosts=policy,
        policy_from=begin,
        single_hosts=tuple(host for host in first if host not in policy),
    )


def _cluster(first: dict[str, datetime]) -> tuple[tuple[str, ...], datetime | None]:
    """Return the most hosts whose first refusal lies within one window."""
    best: tuple[str, ...] = ()
    for begin in first.values():
        within = tuple(
            host for host, at in first.items() if begin <= at <= begin + POLICY_WINDOW
        )
        if len(within) > len(best):
            best = within
    if len(best) < _POLICY_HOSTS:
        return (), None
    return best, min(first[host] for host in best)


def _newest(client: Elasticsearch, index: str) -> Iterator[dict[str, Any]]:
    after: dict[str, Any] | None = None
    while True:
        composite: dict[str, Any] = {
            "size": _PAGE,
            "sources": [
                {"host": {"terms": {"field": "host.name"}}},
                {"agent": {"terms": {"field": "sms.agent.id"}}},
            ],
        }
        if after is not None:
            composite["after"] = after
        newest = {"top_hits": {"size": 1, "sort": [{"sms.agent.order": "desc"}]}}
        reply = client.search(
            index=index,
            size=0,
            aggs={"agents": {"composite": composite, "aggs": {"newest": newest}}},
        )
        agents = reply["aggregations"]["agents"]
        for bucket in agents["buckets"]:
            yield bucket["newest"]["hits"]["hits"][0]["_source"]
        after = agents.get("after_key")
        if after is None:
            return


def _hosts(client: Elasticsearch, index: str) -> int:
    reply = client.search(
        index=index,
        size=0,
        aggs={"hosts": {"cardinality": {"field": "host.name"}}},
    )
    return int(reply["aggregations"]["hosts"]["value"])


def _finding(source: dict[str, Any]) -> AgentFinding:
    agent = source["sms"]["agent"]
    remedy = source["sms"].get("remedy", {})
    return AgentFinding(
        host=source["host"]["name"],
        agent=agent["name"],
        state=agent["state"],
        since=datetime.fromisoformat(agent["pending_since"]),
        cycles=agent["cycles"],
        cause=agent["cause"],
        root_code=source.get("error", {}).get("code", ""),
        remedy=remedy.get("summary", ""),
        rights=tuple(remedy.get("rights", ())),
    )
