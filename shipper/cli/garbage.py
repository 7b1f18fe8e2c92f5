# SPDX-License-Identifier: Apache-2.0
"""The cycle collector of a process that makes many objects and no cycles."""

from __future__ import annotations

import gc

_OBJECTS = 50_000  # instead of 700; a batch's worth of them is alive anyway


def collect_seldom() -> None:
    """Let the collector look less often, and never at what start-up has made."""
    gc.freeze()
    gc.set_threshold(_OBJECTS)
