# SPDX-License-Identifier: Apache-2.0
"""The members of documents, under the names ECS and our mapping have for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from shipper.enrich.incidents import OPENING, code_text
from shipper.enrich.trail import Incident
from shipper.knowledge import (
    Agent,
    Remedy,
    Signature,
    Technique,
    explain,
    role_of,
)
from shipper.records import Source, Stream

ECS_VERSION = "9.4.0"
_encode = msgspec.json.Encoder().encode


def rule_members(signature: Signature, version: str) -> dict[str, object]:
    """Return ``rule``.

    Args:
        signature: the one a record fits, or which is inferred.
        version: of the knowledge.
    """
    return {
        "id": signature.id,
        "name": signature.name,
        "ruleset": signature.ruleset,
        "version": version,
        "reference": signature.source[0],
    }


def threat_members(signature: Signature) -> dict[str, object]:
    """Return ``threat``: what a record is consistent with, under every id it has had.

    Args:
        signature: the one it fits.
    """
    techniques = _techniques(one for one in signature.threat if "." not in one.id)
    subs = _techniques(one for one in signature.threat if "." in one.id)
    if subs:
        techniques["subtechnique"] = subs
    return {"framework": "MITRE ATT&CK", "technique": techniques}


def _techniques(chosen: Iterable[Technique]) -> dict[str, object]:
    listed = list(chosen)
    if not listed:
        return {}
    return {
        "id": [one.id for one in listed],
        "name": [one.name for one in listed],
        "reference": [one.reference for one in listed],
    }


def text(value: str) -> str:
    """Return ``value`` as JSON text."""
    return _encode(value).decode()


def program(executable: str) -> str:
    """Return what is known of a program, inside of a process object."""
    if not executable:
        return ""
    return f'"name":{text(basename(executable))},"executable":{text(executable)}'


def agent_members(agent: Agent | None) -> dict[str, object]:
    """Return the part of ``sms.agent`` that says which one it is."""
    if agent is None:
        return {"id": "unresolved"}
    return {"id": agent.id, "name": agent.name}


def error_members(
    code: int, role: str, namespace: str | None
) -> dict[str, dict[str, object]]:
    """Return the members ``error`` and ``sms.error`` for a code.

    Args:
        code: unsigned.
        role: the signature's role in a launch, or empty.
        namespace: where the context tells it, else ``None``.
    """
    reading = explain(code, namespace=namespace)[0]
    error: dict[str, object] = {"code": code_text(code)}
    if reading.symbol:
        error["type"] = reading.symbol
    error["message"] = reading.meaning
    sms: dict[str, object] = {
        "value": reading.value,
        "hex": reading.hex,
        "signed": reading.signed,
        "namespace": reading.namespace,
    }
    if reading.symbol:
        sms["symbol"] = reading.symbol
    sms["facility"] = reading.facility
    if role in OPENING and role_of(code):
        sms["role"] = role_of(code)
    return {"error": error, "sms": sms}


def basename(path: str) -> str:
    """Return the last part of a Windows path."""
    return path.replace("/", "\\").rpartition("\\")[2]


def leading(members: Mapping[str, object]) -> str:
    """Return ``members`` as JSON text, each with a comma behind it."""
    inside = msgspec.json.encode(members).decode()[1:-1]
    return inside and inside + ","


def trailing(members: Mapping[str, object]) -> str:
    """Return ``members`` as JSON text, each with a comma before it."""
    inside = msgspec.json.encode(members).decode()[1:-1]
    return inside and "," + inside


def printable(path: str) -> str:
    """Return a path as valid text, whatever bytes the file system has in it."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def common_members(source: Source, namespace: str, stream: Stream) -> dict[str, object]:
    """Return the members every document of a source has."""
    host: dict[str, object] = {"name": source.host}
    if source.domain:
        host["domain"] = source.domain
    host["os"] = {"type": "windows"}
    return {
        "ecs": {"version": ECS_VERSION},
        "data_stream": {"type": "logs", "dataset": stream, "namespace": namespace},
        "host": host,
        "related": {"hosts": [source.host]},
    }


def incident_members(incident: Incident) -> dict[str, object]:
    """Return ``sms.incident``: what is known of it up to this record."""
    members: dict[str, object] = {"id": incident.id, "seq": incident.seq}
    if incident.root_code:
        members["root_code"] = incident.root_code
    return members


def remedy_members(remedy: Remedy) -> dict[str, object]:
    """Return ``sms.remedy``."""
    members: dict[str, object] = {"id": remedy.id, "summary": remedy.summary}
    if remedy.lasting:
        members["lasting"] = remedy.lasting
    if remedy.rights:
        members["rights"] = remedy.rights
        members["policies"] = remedy.policies
    if remedy.account:
        members["account"] = remedy.account
    if remedy.references:
        members["references"] = remedy.references
    if remedy.windows_events:
        members["events"] = remedy.windows_events
    return members
