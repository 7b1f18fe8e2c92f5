# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of ``docs/knowledge.md`` anew, from the data files.

``python -m tools.knowledge`` after a change of the data; a test fails until then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from shipper.knowledge import (
    ROLES,
    Cause,
    Reading,
    Signature,
    Technique,
    agents,
    cause_of,
    for_cause,
    launchers,
    signatures,
    worded,
)

PAGE = Path(__file__).parents[1] / "docs" / "knowledge.md"
_TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return the page with all its tables as the data files have them.

    Args:
        page: text with pairs of markers ``<!-- table: name -->`` and ``<!-- end -->``.
    """
    return _TABLE.sub(lambda found: found[1] + _TABLES[found[2]]() + found[3], page)


def _signatures() -> str:
    rows = [
        (
            f"`{s.id}`",
            s.name,
            f"`{s.action}`",
            f"`{s.role}`",
            ROLES[s.role][1] or "-",
            s.status,
            ", ".join(s.source),
        )
        for s in signatures()
    ]
    names = ("Id", "Line", "`event.action`", "Role", "State", "Status", "Source")
    return _table(names, rows)


def _roles() -> str:
    rows = [(f"`{role}`", text, state or "-") for role, (text, state) in ROLES.items()]
    return _table(("Role", "The record says", "State of the agent"), rows)


def _techniques() -> str:
    named: dict[Technique, list[str]] = {}
    for signature in signatures():
        for technique in signature.threat:
            named.setdefault(technique, []).append(_id(signature))
    for reading in worded():
        for technique in reading.threat:
            named.setdefault(technique, []).append(_spelled(reading))
    rows = [
        (f"[{t.id}]({t.reference})", t.name, _versions(t), ", ".join(dict.fromkeys(of)))
        for t, of in sorted(named.items(), key=lambda item: item[0].id)
    ]
    return _table(("Technique", "Name", "ATT&CK", "Consistent with it"), rows)


def _codes() -> str:
    rows = [
        (
            _spelled(reading),
            f"`{reading.symbol}`" if reading.symbol else "-",
            reading.severity,
            reading.meaning,
        )
        for reading in worded()
    ]
    return _table(("Code", "Symbol", "Severity", "Means"), rows)


def _agents() -> str:
    rows = [
        (
            agent.name,
            "all agents of the host" if agent.scope == "host" else "itself",
            ", ".join(f"`{one.id}`" for one in launchers() if one.agent == agent),
        )
        for agent in agents()
    ]
    return _table(("Agent", "A failure concerns", "Programs"), rows)


def _causes() -> str:
    rows = []
    for cause in get_args(Cause):
        lines = [_id(s) for s in signatures() if cause_of(s.id, None) == cause]
        codes = [
            _spelled(reading)
            for reading in worded()
            if reading.namespace == "win32" and cause_of("", reading.value) == cause
        ]
        told = "everything else" if cause == "unknown" else ", ".join(lines + codes)
        remedy = for_cause(cause)
        rights = ", ".join(f"`{right}`" for right in remedy.rights)
        rows.append((f"`{cause}`", told, remedy.summary, rights or "-"))
    return _table(("Cause", "Told by", "Remedy", "Rights to look at"), rows)


def _id(signature: Signature) -> str:
    return f"`{signature.id}`"


def _spelled(reading: Reading) -> str:
    if reading.namespace == "win32":
        return f"`{reading.value}`"
    if reading.namespace == "msi":
        return f"`{reading.value}` of Windows Installer"
    if reading.namespace == "exit":
        return f"`{reading.value}` as an exit code"
    return f"`{reading.hex}`"


def _versions(technique: Technique) -> str:
    if technique.until:
        return f"up to v{technique.until}"
    return f"from v{technique.since}" if technique.since else "all versions"


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(names)
    lines = [names, ["---"] * len(names)]
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


_TABLES = {
    "signatures": _signatures,
    "roles": _roles,
    "techniques": _techniques,
    "codes": _codes,
    "agents": _agents,
    "causes": _causes,
}

if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
