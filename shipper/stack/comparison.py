# SPDX-License-Identifier: Apache-2.0
"""Is what a server has what it was sent? It gives bodies back in a form of its own.

Settings come back as text and nested, words such as ``false`` as text, and defaults
nobody sent are added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

#: What the server adds to bodies that do not say it, by path; it is so without, too.
_DEFAULTS = {
    "": "{}",
    "allow_auto_create": "null",
    "applications": "[]",
    "composed_of": "[]",
    "data_stream.allow_custom_routing": "false",
    "data_stream.hidden": "false",
    "deprecated": "false",
    "indices[].allow_restricted_indices": "false",
    "run_as": "[]",
    "settings": "{}",
}
_NOTHING = "nothing"


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each difference as ``path: theirs, not ours``, in order of the paths.

    Args:
        ours: the body as it is sent.
        theirs: the body as the server gives it back.
    """
    wanted, found = flat(ours), flat(theirs)
    return tuple(
        f"{path}: {found.get(path, _NOTHING)}, not {wanted.get(path, _NOTHING)}"
        for path in sorted(wanted.keys() | found.keys())
        if found.get(path) != wanted.get(path) and not _implied(path, wanted, found)
    )


def _implied(path: str, wanted: Mapping[str, str], found: Mapping[str, str]) -> bool:
    if path not in wanted:
        return found[path] == _DEFAULTS.get(path)
    filled = path not in found and wanted[path] == "{}"
    return filled and any(each.startswith(f"{path}.") for each in found)


def flat(value: object, path: str = "") -> dict[str, str]:
    """Return each value of a body as text, by its dotted path."""
    if isinstance(value, Mapping) and value:
        below = f"{path}." if path else ""
        return {
            each: text
            for name, inside in value.items()
            for each, text in flat(inside, f"{below}{name}").items()
        }
    return {path: _text(_bare(value, path))}


def _bare(value: object, path: str) -> object:
    """Return a list without what the server adds to the objects in it."""
    if isinstance(value, (list, tuple)):
        return [_bare(one, f"{path}[]") for one in value]
    if isinstance(value, Mapping):
        return {
            name: _bare(inside, f"{path}.{name}")
            for name, inside in value.items()
            if _text(inside) != _DEFAULTS.get(f"{path}.{name}")
        }
    return value


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value):
        return f"[{', '.join(value)}]"
    return msgspec.json.encode(value, order="deterministic").decode()
