# SPDX-License-Identifier: Apache-2.0
"""What the knowledge advises where agents fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from shipper.knowledge import Remedy, for_cause
from tests.views.facts import Change, Facts


def remedied(
    facts: Facts, what: Callable[[Remedy], Iterable[str]]
) -> Iterator[tuple[Change, str]]:
    """Yield changes to a failing state, each with every piece of its advice.

    Args:
        facts: what is true.
        what: the part of a remedy that is wanted.
    """
    for one in facts.changes:
        if one.failing and one.cause:
            for piece in what(for_cause(one.cause)):
                yield one, piece
