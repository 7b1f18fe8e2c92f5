# SPDX-License-Identifier: Apache-2.0
"""Which ``event.type`` goes with which ``event.category``, by ECS 9.4."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

TYPES = MappingProxyType(
    {
        category: frozenset(types.split())
        for category, types in {
            "api": "access admin allowed change creation deletion denied end info start"
            " user",
            "authentication": "end info start",
            "configuration": "access change creation deletion info",
            "database": "access change error info",
            "driver": "change end info start",
            "email": "info",
            "file": "access change creation deletion info",
            "host": "access change end info start",
            "iam": "admin change creation deletion group info user",
            "intrusion_detection": "allowed denied info",
            "library": "start",
            "malware": "info",
            "network": "access allowed connection denied end info protocol start",
            "package": "access change deletion info installation start",
            "process": "access change end info start",
            "registry": "access change creation deletion",
            "session": "end info start",
            "threat": "indicator",
            "vulnerability": "info",
            "web": "access error info",
        }.items()
    }
)


def misfit(categories: Sequence[str], types: Sequence[str]) -> str:
    """Say what is wrong with the categories and types of an event.

    Args:
        categories: ``event.category``.
        types: ``event.type``.

    Returns:
        One phrase, or empty if each type belongs to one of the categories, and each
        category has one of the types.
    """
    for category in categories:
        if category not in TYPES:
            return f"category {category!r} is none of {', '.join(sorted(TYPES))}"
    for kind in types:
        if not any(kind in TYPES[category] for category in categories):
            return f"type {kind!r} does not go with category {', '.join(categories)}"
    for category in categories:
        if not TYPES[category].intersection(types):
            return f"category {category!r} has none of its types"
    return ""
