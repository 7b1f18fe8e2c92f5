# SPDX-License-Identifier: Apache-2.0
"""Chance that falls the same way every time."""

from __future__ import annotations

import random


def dice(*key: object) -> random.Random:
    """Return a generator that depends on nothing but ``key``.

    Every host rolls its own, so that adding a host to a fleet leaves the logs of the
    others as they were.

    Args:
        key: what the numbers are for, such as a seed and a host's name.
    """
    name = "/".join(map(str, key))
    return random.Random(name)  # noqa: S311 - a story is told here, no secret kept
