# SPDX-License-Identifier: Apache-2.0
"""What the Python code knows, as the tables a pipeline's scripts are given."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from typing import Any, get_args

from shipper.enrich import incidents, members
from shipper.knowledge import (
    VERSION,
    Cause,
    Reading,
    Signature,
    agents,
    cause_of,
    explain,
    facilities,
    for_cause,
    library,
    remedied,
    signature,
    signatures,
    worded,
)
from shipper.knowledge import table as symbols
from shipper.knowledge.signatures import compiled
from shipper.stack.assets import Kind, asset
from tools.pipeline.regex import groups

_SMALL = 0x1_0000
_TOP_NTSTATUS = (0x4, 0xC, 0xE, 0xF)
_FACILITIES = 0x1000
_HRESULT_FIELD = 0x7FF
#: Tables that only a context names, with a code of theirs nobody has words for.
_CONTEXTS = ("msi", "exit")


def private(place: str) -> Any:  # noqa: ANN401 - of any type
    """Return a thing of a module: what the scripts share is shared as it is.

    Args:
        place: such as ``shipper.parse.grammar:_TRAILER``, or with ``.0.1`` behind it
            for a part of it.
    """
    module, _, name = place.partition(":")
    name, *parts = name.split(".")
    found = getattr(import_module(module), name)
    for part in parts:
        found = found[int(part)]
    return found


def shape() -> dict[str, Any]:
    """Return what each field has to be: an object, or a text, empty or its constant."""
    mappings = asset(Kind.COMPONENT_TEMPLATE, "logs-sms@mappings").body["template"]
    return _shape(mappings["mappings"]["properties"])


def _shape(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _shape(definition["properties"])
        if "properties" in definition
        else definition.get("value", "")
        for name, definition in properties.items()
    }


def patterns() -> list[re.Pattern[str]]:
    """Return the expressions of the signatures, in the order they are tried."""
    return [pattern for _, pattern in _rules()]


def records() -> dict[str, Any]:
    """Return what the script that takes records apart is given."""
    zones: dict[str, str] = private("shipper.parse.zones:_windows_zones")()
    return {
        "zones": dict(sorted(zones.items())),
        "levels": private("shipper.parse.envelope:_LEVELS"),
    }


def meanings() -> dict[str, Any]:
    """Return what the script that gives records their meaning is given."""
    return {
        "knowledge": VERSION,
        "signatures": [_signature(*rule) for rule in _rules()],
        "trouble": _signature(signature("S28"), None),
        "roles": _roles(),
        "codes": _codes(),
        "contexts": {name: _context(name) for name in _CONTEXTS},
        "facilities": _facilities(),
        "causes": _causes(),
        "remedies": {
            cause: members.remedy_members(for_cause(cause)) for cause in get_args(Cause)
        },
        "agents": _agents(),
    }


def _rules() -> Iterator[tuple[Signature, re.Pattern[str]]]:
    for rule in signatures():
        if not rule.inferred:
            yield rule, compiled(rule.pattern)


def _signature(rule: Signature, pattern: re.Pattern[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "role": rule.role,
        "literals": rule.literals,
        "groups": groups(pattern) if pattern else {},
        "outcome": rule.outcome,
        "event": {
            "category": rule.category,
            "type": rule.type,
            "action": rule.action,
            "reason": rule.reason,
            "code": rule.id,
        },
        "rule": members.rule_members(rule, VERSION),
    }
    if rule.namespace:
        found["namespace"] = rule.namespace
    cause = cause_of(rule.id, None)
    if cause != "unknown":
        found["cause"] = cause
    if remedied(rule.id):
        found["remedied"] = True
    if rule.role == "integrity" and rule.threat:
        found["threat"] = members.threat_members(rule)
    if rule.status == "assumed":
        found["status"] = rule.status
    return found


def _roles() -> dict[str, list[str]]:
    """Return the roles that have something in common, by what it is."""
    return {
        "opening": sorted(incidents.OPENING),
        "launch": sorted(private("shipper.enrich.sense:_LAUNCH_ROLES")),
        "file": sorted(private("shipper.enrich.sense:_FILE_ROLES")),
        "refusing": sorted(private("shipper.knowledge.causes:_REFUSING_ROLES")),
    }


def _codes() -> dict[str, list[dict[str, str]]]:
    """Return the readings of codes that have words of ours or belie their bits."""
    own = {reading.value for reading in worded() if reading.namespace not in _CONTEXTS}
    own |= {int(reading.twin, 16) for reading in worded() if reading.twin}
    found = {value: [_told(one) for one in explain(value)] for value in own}
    for value in sorted({value for value, _, _ in symbols.every()} - own):
        readings = explain(value)
        if [_bits(one) for one in readings] != [_guess(value)]:
            found[value] = [_bits(one) for one in readings]
    return {str(value): found[value] for value in sorted(found)}


def _told(reading: Reading) -> dict[str, str]:
    symbol = {"symbol": reading.symbol} if reading.symbol else {}
    return _bits(reading) | symbol | {"meaning": reading.meaning}


def _bits(reading: Reading) -> dict[str, str]:
    return {
        "namespace": reading.namespace,
        "facility": reading.facility,
        "severity": reading.severity,
    }


def _guess(value: int) -> dict[str, str]:
    """Read a code as the script does that does not know it."""
    if value < _SMALL:
        return {
            "namespace": "win32",
            "facility": "WIN32",
            "severity": "error" if value else "success",
        }
    if value >> 28 in _TOP_NTSTATUS:
        return {
            "namespace": "ntstatus",
            "facility": facilities.ntstatus_facility(value),
            "severity": facilities.ntstatus_severity(value),
        }
    return {
        "namespace": "hresult",
        "facility": facilities.hresult_facility(value),
        "severity": facilities.hresult_severity(value),
    }


def _context(namespace: str) -> dict[str, Any]:
    """Return the codes of a table of its own: which, who issues them, what they say."""
    codes = {
        value
        for value in range(_SMALL)
        if explain(value, namespace=namespace)[0].namespace == namespace
    }
    firsts = sorted(code for code in codes if code - 1 not in codes)
    lasts = sorted(code for code in codes if code + 1 not in codes)
    own = {one.value for one in worded() if one.namespace == namespace}
    plain = explain(max(codes - own), namespace=namespace)[0]
    return {
        "ranges": [list(ends) for ends in zip(firsts, lasts, strict=True)],
        "facility": plain.facility,
        "severity": plain.severity,
        "meaning": plain.meaning.replace(str(plain.value), "{}"),
        "own": {
            str(value): _told(explain(value, namespace=namespace)[0])
            for value in sorted(own)
        },
    }


def _facilities() -> dict[str, dict[str, str]]:
    """Return the names of facilities, by family and number."""
    hresult: dict[str, str] = {}
    for number in range(_FACILITIES):
        name = facilities.hresult_facility(number << 16 & 0x0FFF_0000)
        field = number & _HRESULT_FIELD
        if name not in (f"facility {field}", hresult.get(str(field))):
            hresult[str(number)] = name
    ntstatus = {
        str(number): name
        for number in range(_FACILITIES)
        if (name := facilities.ntstatus_facility(number << 16)) != f"facility {number}"
    }
    return {"hresult": hresult, "ntstatus": ntstatus}


def _causes() -> dict[str, str]:
    """Return the causes that Win32 codes tell."""
    return {
        str(code): cause
        for code in range(_SMALL)
        if (cause := cause_of("", code)) != "unknown"
    }


def _agents() -> dict[str, Any]:
    """Return the names of launchers, each with its agent."""
    file = tomllib.loads(library.text("agents.toml"))
    names: dict[str, str] = {}
    executables: dict[str, str] = {}
    prefixes: list[list[str]] = []
    suffixes: list[list[str]] = []
    folders: list[list[str]] = []
    for agent, entry in file.items():
        folders += [[f"\\{name.lower()}\\", agent] for name in entry.get("folders", ())]
        for launcher, known in entry["launchers"].items():
            names |= {name.lower(): agent for name in known.get("names", ())}
            for program in chain((launcher,), known.get("executables", ())):
                executables[program.lower()] = agent
            prefixes += [[text.lower(), agent] for text in known.get("prefixes", ())]
            suffixes += [[text.lower(), agent] for text in known.get("suffixes", ())]
    return {
        "all": {agent.id: members.agent_members(agent) for agent in agents()},
        "reporting": [agent.id for agent in agents() if agent.scope == "agent"],
        "names": names,
        "executables": executables,
        "prefixes": prefixes,
        "suffixes": suffixes,
        "folders": folders,
    }
