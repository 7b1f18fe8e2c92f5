# SPDX-License-Identifier: Apache-2.0
"""The sources in ``dashboards/views``, as kb-dashboard reads them.

They are its YAML with additions that are resolved here. Names from ``shared.yaml`` are
written ``$name`` for a value and ``${name}`` within a text. On a metric, kb-dashboard
has no word for ``cumulative: true``, and version 0.4.1 reads ``filter`` and forgets it;
nor has it one for a panel's own ``time_range``.
A panel's id follows from its title, so that moving a panel or editing it keeps the id.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "dashboards" / "views"
COMPILED = FOLDER / "generated" / "views.ndjson"

_SHARED = "shared.yaml"
_OWN = frozenset({_SHARED, "data-views.yaml", "searches.yaml"})
_EXTRAS = ("cumulative", "filter")
_IDS = uuid.UUID("b0f0a1d2-7c3e-5b64-9a57-1f6f2a0c8d31")  # drawn once
_VALUE = re.compile(r"\$(\w+)")
_TEXT = re.compile(r"\$\{(\w+)\}")


class Sources(Struct, frozen=True, kw_only=True):
    """Everything that is compiled.

    Attributes:
        dashboards: documents for kb-dashboard, by file name.
        extras: by the id of a metric or a panel, what kb-dashboard cannot be told of
            it.
        views: data views, as ``data-views.yaml`` has them.
        labels: what fields are called.
        formats: how fields are shown.
        searches: saved searches, as ``searches.yaml`` has them.
        neutral: colours that mean nothing, the last one for what is left.
    """

    dashboards: dict[str, dict[str, Any]]
    extras: dict[str, dict[str, Any]]
    views: list[dict[str, Any]]
    labels: dict[str, str]
    formats: dict[str, dict[str, Any]]
    searches: list[dict[str, Any]]
    neutral: list[str]


def load(folder: Path = FOLDER) -> Sources:
    """Read all sources.

    Raises:
        KeyError: a name is not in ``shared.yaml``.
    """
    shared = _read(folder / _SHARED)
    views = _read(folder / "data-views.yaml")
    dashboards: dict[str, dict[str, Any]] = {}
    extras: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name in _OWN:
            continue
        document = _resolved(_read(path), shared)
        for dashboard in document["dashboards"]:
            for panel in dashboard["panels"]:
                panel["id"] = stable(dashboard["id"], panel["title"])
                extras |= _extras(panel)
        dashboards[path.name] = document
    return Sources(
        dashboards=dashboards,
        extras=extras,
        views=views["views"],
        labels=views["labels"],
        formats=views["formats"],
        searches=_read(folder / "searches.yaml")["searches"],
        neutral=shared["neutral"],
    )


def stable(*parts: str) -> str:
    """Return an id that depends on nothing but ``parts``."""
    return str(uuid.uuid5(_IDS, "/".join(parts)))


def _read(path: Path) -> Any:  # noqa: ANN401 - YAML of several shapes
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _extras(panel: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Take what kb-dashboard cannot be told from a panel and its metrics, by id."""
    found: dict[str, dict[str, Any]] = {}
    if "time_range" in panel:
        found[panel["id"]] = {"timeRange": panel.pop("time_range")}
    for metric in panel.get("lens", {}).get("metrics", ()):
        taken = {name: metric.pop(name) for name in _EXTRAS if name in metric}
        if taken:
            metric.setdefault("id", stable(panel["id"], metric["label"]))
            found[metric["id"]] = taken
    return found


def _resolved(value: Any, shared: dict[str, Any]) -> Any:  # noqa: ANN401 - any YAML
    match value:
        case dict():
            return {key: _resolved(one, shared) for key, one in value.items()}
        case list():
            return [_resolved(one, shared) for one in value]
        case str() if found := _VALUE.fullmatch(value):
            return _resolved(shared[found[1]], shared)
        case str():
            return _TEXT.sub(lambda name: shared[name[1]], value)
        case _:
            return value
