# SPDX-License-Identifier: Apache-2.0
"""The rules, looked for in Elasticsearch for people without Kibana's alerting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from elasticsearch import Elasticsearch
from msgspec import Struct
from msgspec.structs import replace

from shipper.alerts.access import check_access
from shipper.alerts.dsl import anchor
from shipper.alerts.exceptions import Silence
from shipper.alerts.groups import Group, Search
from shipper.alerts.rules import LEVELS, Rule, rules
from shipper.stack.grouping import groups

_AT_ONCE = 1000
_COLLECTOR = "observer.name"
_FILE, _AGENT = "file.path", "sms.agent.id"


class Alert(Struct, frozen=True, kw_only=True):
    """Something a person has to look at.

    Attributes:
        rule: id of the rule.
        name: what it raises.
        severity: on Elastic's ladder.
        level: the same as a word.
        key: value by field; what the case is known by.
        hosts: the first of them; of a rule that counts hosts, all.
        host_count: all of them.
        agents: for people.
        count: of what the rule counts.
        first: when it began, as ``@timestamp`` has it.
        last: the newest of it.
        message: what the newest document says.
        remedy: what its log is consistent with, and what to do; may be empty.
        explained_by: id of a rule that names the cause of this, and of others.
    """

    rule: str
    name: str
    severity: int
    level: str
    key: dict[str, Any]
    hosts: list[str]
    host_count: int
    agents: list[str]
    count: int
    first: str
    last: str
    message: str
    remedy: str
    explained_by: str = ""


def evaluate(
    client: Elasticsearch,
    *,
    namespace: str,
    now_ms: int,
    since: str,
    silences: Iterable[Silence] = (),
) -> list[Alert]:
    """Return what all rules raise, the gravest first, causes before single hosts.

    A collector that is away comes before everything: what its hosts do is not known.

    Args:
        client: the client.
        namespace: of the data streams.
        now_ms: milliseconds since 1970, UTC.
        since: duration; how far back single documents are looked for, and what many
            hosts have in common. What a rule counts, it counts in its own window.
        silences: what is not looked at.

    Raises:
        SinkUnavailable: the server is unreachable or refuses.
        NotPermitted: the credentials are wrong, or lack ``read`` on a data stream.
    """
    check_access(client, namespace)
    search = Search(client, namespace=namespace, now_ms=now_ms, silences=silences)
    standing = _Standing(client, namespace, now_ms)
    found: dict[str, list[Alert]] = {}
    # What explains another comes first.
    for rule in sorted(rules().values(), key=_explained):
        away = {alert.key.get(_COLLECTOR) for alert in found.get(rule.unless, ())}
        raised = [
            group
            for group in search.raised(rule, since)
            # One collector that reports is enough.
            if not group.collectors or not away.issuperset(group.collectors)
        ]
        found[rule.id] = list(_alerts(rule, search, raised, since, standing))
        if cause := found.get(rule.explained_by):
            known = {host for alert in cause for host in alert.hosts}
            found[rule.id] = [
                replace(alert, explained_by=rule.explained_by)
                if known.issuperset(alert.hosts)
                else alert
                for alert in found[rule.id]
            ]
    alerts = [alert for name in rules() for alert in found[name]]
    first = {rule.unless for rule in rules().values()}
    return sorted(
        alerts,
        key=lambda alert: (
            alert.rule not in first,
            -alert.severity,
            # What is about more than one host explains what is about one.
            "host.name" in alert.key,
        ),
    )


def _explained(rule: Rule) -> bool:
    return bool(rule.unless or rule.explained_by)


class _Standing:
    """The newest state of each agent, in whichever log it was seen."""

    def __init__(self, client: Elasticsearch, namespace: str, now_ms: int) -> None:
        self._client = client
        self._namespace = namespace
        self._until = f"{anchor(now_ms)}+1h"

    def of(self, hosts: list[str]) -> dict[str, dict[str, str]]:
        """Return state by agent by host."""
        states: dict[str, dict[str, str]] = defaultdict(dict)
        for begin in range(0, len(hosts), _AT_ONCE):
            for one in groups(
                self._client,
                "sms-agent-state",
                namespace=self._namespace,
                hosts=hosts[begin : begin + _AT_ONCE],
                until=self._until,
            ):
                agent = one["sms"]["agent"]["id"]
                state = one["last"]["sms"]["agent"].get("state", "unknown")
                states[one["host"]["name"]][agent] = state
        return states


def _alerts(
    rule: Rule, search: Search, raised: list[Group], since: str, standing: _Standing
) -> Iterator[Alert]:
    if many := rule.widespread():
        wide = list(search.raised(many, since))
        for group in wide:
            yield _alert(many, group, many.severity)
        raised = [
            group for group in raised if not any(_covers(each, group) for each in wide)
        ]
    affected: dict[Any, set[str]] = defaultdict(set)
    for group in raised:
        affected[_what(group)].update(group.hosts)
    states: Mapping[str, Mapping[str, str]] = {}
    if rule.states is not None and raised:
        states = standing.of(sorted({host for each in raised for host in each.hosts}))
    for group in raised:
        alone = len(affected[_what(group)]) == 1
        if severity := _severity(rule, group, _states(group, states), alone=alone):
            yield _alert(rule, group, severity)


def _severity(rule: Rule, group: Group, states: set[str], *, alone: bool) -> int:
    """Return how grave a group is; 0 if what it tells of is over."""
    severity: int = rule.severity
    for step, reached in zip(rule.ladder, group.steps, strict=True):
        severity = step.severity if reached else severity
    if rule.alone and alone:
        severity = rule.alone
    if rule.states is not None:
        if states and states <= {*rule.states.over}:
            return 0
        if states.intersection(rule.states.grave):
            severity = rule.states.severity
    return severity


def _covers(wide: Group, group: Group) -> bool:
    """Tell whether a group is among those of many hosts, and of the same time."""
    return (
        wide.key.items() <= group.key.items()
        and wide.first <= group.first
        and group.last <= wide.last
    )


def _what(group: Group) -> tuple[Any, Any]:
    """Return the file a group is about; where none is named, the agent."""
    path = group.key.get(_FILE)
    return path, None if path else group.key.get(_AGENT)


def _states(group: Group, states: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the states of the agents a group is about, or of all its hosts have."""
    return {
        state
        for host in group.hosts
        for agent, state in states.get(host, {}).items()
        if not group.agents or agent in group.agents
    }


def _alert(rule: Rule, group: Group, severity: int) -> Alert:
    remedy = group.sample.get("sms", {}).get("remedy", {}).get("summary", "")
    return Alert(
        rule=rule.id,
        name=rule.name,
        severity=severity,
        level=LEVELS[severity],
        key=group.key,
        hosts=group.hosts,
        host_count=group.host_count,
        agents=group.agent_names,
        count=group.count,
        first=group.first,
        last=group.last,
        message=group.sample.get("message", ""),
        remedy=remedy,
    )
