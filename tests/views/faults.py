# SPDX-License-Identifier: Apache-2.0
"""Faults of meaning: nothing Kibana or a linter would mind, and a wrong answer."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from tests.views.panels import Panel, panels

_OVERVIEW, _TRIAGE = "sms-fleet-overview", "sms-install-pending"
_INTEGRITY, _SHIPPER = "sms-integrity", "sms-shipper-health"


class Fault(Struct, frozen=True):
    """A text in a panel, and what stands there by mistake.

    Attributes:
        dashboard: id of the panel's dashboard.
        title: the panel's title.
        right: what is there, as an expression; the panel is JSON without blanks.
        wrong: what takes its place.
    """

    dashboard: str
    title: str
    right: str
    wrong: str

    @property
    def panel(self) -> Panel:
        """The panel with the fault."""
        (panel,) = (
            one
            for one in panels()
            if (one.dashboard, one.title) == (self.dashboard, self.title)
        )
        text = msgspec.json.encode(panel).decode()
        planted, times = re.subn(self.right, self.wrong, text)
        assert times, f"{self.title}: there is no {self.right}"
        return msgspec.json.decode(planted, type=Panel)


_HEAT = "Worst 50 hosts by cycles and day"
_CODES = "Top codes and their meaning"
_STILL = "Agents that still fail their check"
_BY_CYCLES = "Hosts and agents by cycles"
_ANY = r'"query":"(?:[^"\\]|\\.)*"'
_DESC, _ASC = '"orderDirection":"desc"', '"orderDirection":"asc"'
_MAX, _MIN = '"operationType":"max"', '"operationType":"min"'

FAULTS = (
    Fault("sms-host", "Log and reachability", _ASC, _DESC),
    Fault(_OVERVIEW, _HEAT, _DESC, _ASC),
    Fault(_OVERVIEW, _HEAT, _MAX, _MIN),
    Fault(_TRIAGE, "Recurring", "cycles >= 2", "cycles >= 1"),
    Fault(_TRIAGE, "Relapsed", "relapse: true", "relapse: false"),
    Fault(_TRIAGE, "Cycles until recovery", "cycles <= 1", "cycles <= 5"),
    Fault(_TRIAGE, _BY_CYCLES, '"direction":"desc"', '"direction":"asc"'),
    Fault(_TRIAGE, _BY_CYCLES, _DESC, _ASC),
    Fault(_OVERVIEW, "Coverage", "now-49h", "now-26h"),
    Fault(_OVERVIEW, "Coverage", "now-3d", "now-19d"),
    Fault(_INTEGRITY, "Logs that stopped", "last_record <", "last_record >="),
    Fault(_INTEGRITY, _STILL, "integrity_failed", "install_pending"),
    Fault(
        _INTEGRITY,
        "Service account failures",
        'event.action: account-problem or error.code: [^"]*',
        "event.action: launch-failed",
    ),
    Fault(_OVERVIEW, "Agents by state", _ANY, '"query":""'),
    Fault(
        _OVERVIEW,
        "Incidents over time by root code",
        '"sourceField":"sms.incident.id"',
        '"sourceField":"host.name"',
    ),
    Fault(
        _OVERVIEW,
        "Incidents over time by root code",
        '"missingBucket":true',
        '"missingBucket":false',
    ),
    Fault(
        _OVERVIEW,
        "Incidents over time by root code",
        "sms.incident.id: ",
        "sms.incident.root_code: ",
    ),
    Fault(
        _OVERVIEW,
        _CODES,
        '"sourceField":"error.code"',
        '"sourceField":"event.reason"',
    ),
    Fault(_TRIAGE, "Pending since", _MIN, _MAX),
    Fault(_SHIPPER, "Unread bytes", _MAX, _MIN),
    Fault(_TRIAGE, "Relapsed", '"negate":false', '"negate":true'),
    Fault(
        _OVERVIEW,
        "Hosts pending now",
        '(layer-[^"]+":)"sms-agent-state"',
        r'\1"sms-host-state"',
    ),
    Fault(
        _TRIAGE,
        "Burn-down after a fix",
        r'("operationType":"cumulative_sum".*?"references":)\["[^"]+"\]',
        r"\1[]",
    ),
)
