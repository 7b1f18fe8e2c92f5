# SPDX-License-Identifier: Apache-2.0
"""The table of rules: ``dashboards/rules``, a file a rule.

A rule either counts documents, or looks at the newest times of each group. It is the
one source of what Kibana, ElastAlert and ``clisvc alerts`` look for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from shipper.alerts.exceptions import Thing
from shipper.alerts.kql import fields, parse
from shipper.errors import ShipperError
from shipper.stack.assets import folder

#: Elastic's ladder.
LEVELS = {21: "low", 47: "medium", 73: "high", 99: "critical"}

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Severity = Literal[21, 47, 73, 99]
Duration = Annotated[str, Meta(pattern=r"^[1-9]\d*[smhd]$")]
Form = Literal["security", "stack", "sigma", "correlation"]
Ids = dict[
    Form, Annotated[str, Meta(pattern=r"^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$")]
]


class Count(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many make an alert: documents, or different values of the field ``of``."""

    at_least: Annotated[int, Meta(ge=1)]
    of: str = ""


class Age(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long ago the newest, or the oldest, time in a field has to be."""

    field: str
    pick: Literal["newest", "oldest"] = "newest"
    older: Duration = ""
    younger: Duration = ""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another severity when a document of the group matches."""

    when: str
    severity: Severity


class States(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the newest states of the agents in question mean for an alert.

    Attributes:
        over: there is none if all of them are among these.
        grave: another severity if one of them is.
        severity: that one.
    """

    over: list[str]
    grave: list[str] = []
    severity: Severity = 47


class Spread(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same on many hosts is one alert of its own, in the place of theirs."""

    name: str
    uuid: Ids
    why: str
    by: list[str]
    count: Count
    window: Duration
    every: Duration
    severity: Severity


class Current(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Kibana asks of a transform instead, so that its alert ends by itself."""

    index: str
    query: str
    by: list[str]
    window: Duration
    exceptions: dict[Thing, str] = {}


class Technique(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A technique, or a part of the one its id begins with, which ``parent`` names."""

    id: str
    name: str
    parent: str = ""


class Tactic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tactic with techniques."""

    id: str
    name: str
    techniques: list[Technique]


class Attack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule is consistent with, in the words of a version of ATT&CK."""

    version: int
    tactics: list[Tactic]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule.

    Attributes:
        id: for people.
        name: what it raises.
        uuid: constant; it has the forms that are named here.
        why: what an alert means, and why it matters.
        data: data sets.
        query: documents it is about.
        reach: how old they may be, by ``@timestamp``.
        window: how long ago they may have arrived, by ``event.ingested``; default: as
            far as ``reach``.
        every: how often it is to be looked for.
        by: one alert for each combination of these fields.
        count: how many make one; or
        times: how old the newest are.
        severity: on Elastic's ladder.
        ladder: other severities; the last that matches counts.
        alone: severity when only one host is affected; 0 if that changes nothing.
        spread: what many hosts are.
        states: what the agents' newest states mean.
        unless: a rule that explains it, if it speaks of the same collector.
        explained_by: a rule that names its cause, if it speaks of the same host.
        exceptions: which field has the host, agent, executable of an exception.
        stack: how Kibana asks instead.
        todo: what to do, step by step.
        false_positives: what else it may be.
        tune: how to make it fit.
        close: when the case is closed.
        tags: for Kibana.
        attack: what it is consistent with.
    """

    id: str
    name: str
    uuid: Ids
    why: str
    data: Annotated[list[str], Meta(min_length=1)]
    query: str
    reach: Duration
    window: Duration = ""
    every: Duration
    by: Annotated[list[str], Meta(min_length=1)]
    count: Count | None = None
    times: list[Age] = []
    severity: Severity
    ladder: list[Step] = []
    alone: Literal[0, 99] = 0
    spread: Spread | None = None
    states: States | None = None
    unless: str = ""
    explained_by: str = ""
    exceptions: dict[Thing, str] = {}
    stack: Current | None = None
    todo: list[str]
    false_positives: list[str]
    tune: list[str]
    close: str
    tags: list[str]
    attack: Attack | None = None

    @property
    def each(self) -> bool:
        """Tell whether a single document is enough."""
        return self.count is not None and self.count.at_least == 1

    @property
    def fleetwide(self) -> bool:
        """Tell whether it counts hosts: then it explains what single ones raise."""
        return self.count is not None and self.count.of == "host.name"

    @property
    def arrival(self) -> str:
        """How long ago documents may have arrived."""
        return self.window or self.reach

    def asked(self) -> set[str]:
        """Return all fields it reads."""
        read = {*self.by, *self.exceptions.values(), *fields(parse(self.query))}
        read |= {age.field for age in self.times}
        for step in self.ladder:
            read |= {*fields(parse(step.when))}
        if self.count is not None and self.count.of:
            read.add(self.count.of)
        return read

    def widespread(self) -> Rule | None:
        """Return the rule about many hosts, if there is one."""
        if (many := self.spread) is None:
            return None
        return replace(
            self,
            id=f"{self.id}-many",
            name=many.name,
            uuid=many.uuid,
            why=many.why,
            query=" and ".join([self.query, *(f"{field}: *" for field in many.by)]),
            by=many.by,
            count=many.count,
            window=many.window,
            every=many.every,
            severity=many.severity,
            alone=0,
            spread=None,
        )


def seconds(duration: str) -> int:
    """Return a duration such as ``50h`` in seconds.

    Raises:
        ShipperError: it is none.
    """
    if not re.fullmatch(r"[1-9]\d{0,5}[smhd]", duration):
        raise ShipperError(
            f"{duration!r} is no duration.", remedy="One looks like 15m, 50h or 7d."
        )
    return int(duration[:-1]) * _UNITS[duration[-1]]


def decode(name: str, data: bytes) -> Rule:
    """Return the rule in a file.

    Args:
        name: of the file, for messages.
        data: its content.

    Raises:
        ShipperError: it is not a rule, or does not fit together.
    """
    try:
        rule = msgspec.yaml.decode(data, type=Rule)
        rule.asked()
    except (msgspec.MsgspecError, ShipperError) as error:
        raise ShipperError(f"{name}: {error}") from error
    if (rule.count is None) == (not rule.times):
        raise ShipperError(f"{name}: a rule has either a count or times.")
    if rule.id != name.removesuffix(".yml"):
        raise ShipperError(f"{name}: the rule in it calls itself {rule.id}.")
    return rule


@cache
def rules() -> Mapping[str, Rule]:
    """Return the rules by their ids, in order.

    Raises:
        ShipperError: the installation has none, or one of them is wrong.
    """
    found = sorted(_files(), key=lambda file: file.name)
    table = [decode(file.name, file.read_bytes()) for file in found]
    return {rule.id: rule for rule in table}


@cache
def every() -> Mapping[str, Rule]:
    """Return the rules by their ids, and behind each the one about many hosts.

    Raises:
        ShipperError: as for :func:`rules`.
    """
    found: dict[str, Rule] = {}
    for rule in rules().values():
        found[rule.id] = rule
        if many := rule.widespread():
            found[many.id] = many
    return found


def _files() -> list[Traversable]:
    here = folder("dashboards").joinpath("rules")
    return [file for file in here.iterdir() if file.name.endswith(".yml")]
