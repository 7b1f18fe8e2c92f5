# SPDX-License-Identifier: Apache-2.0
"""Whether what saved objects refer to is there, under the names they ask for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_LINK = re.compile(r"#/view/([\w-]+)")


def references(
    where: str, one: Mapping[str, Any], there: frozenset[tuple[str, str]]
) -> Iterator[str]:
    """Yield references that are named twice, or lead out of the file."""
    names = Counter(reference["name"] for reference in one["references"])
    for name, count in names.items():
        if count > 1:
            yield f"{where}: {count} references are named {name}"
    for reference in one["references"]:
        if (reference["type"], reference["id"]) not in there:
            yield f"{where}: refers to {reference['id']}, which is not in the file"


def exactly(
    where: str, references: Iterable[Mapping[str, Any]], wanted: Mapping[str, str]
) -> Iterator[str]:
    """Compare references with those that are wanted: id, or any, by name."""
    given = {reference["name"]: reference["id"] for reference in references}
    for name in sorted(wanted.keys() - given.keys()):
        yield f"{where}: the reference {name} is missing"
    for name in sorted(given.keys() - wanted.keys()):
        yield f"{where}: nothing asks for the reference {name}"
    for name in sorted(given.keys() & wanted.keys()):
        if wanted[name] not in {"", given[name]}:
            yield f"{where}: the reference {name} is to {given[name]}"


def wanted(panel: Mapping[str, Any]) -> dict[str, str]:
    """Return the references a panel needs on its dashboard: id, or any, by name."""
    index = panel["panelIndex"]
    inner = panel["embeddableConfig"].get("attributes", {}).get("references", ())
    wanted = {f"{index}:{one['name']}": one["id"] for one in inner}
    if "panelRefName" in panel:
        wanted[f"{index}:{panel['panelRefName']}"] = ""
    return wanted


def linked(where: str, text: str, there: frozenset[tuple[str, str]]) -> Iterator[str]:
    """Yield links, in texts and in formats of fields, to dashboards that are not there.

    Args:
        where: what has them.
        text: all of it.
        there: type and id of each object.
    """
    for name in sorted(set(_LINK.findall(text))):
        if ("dashboard", name) not in there:
            yield f"{where}: leads to {name}, which is not in the file"
