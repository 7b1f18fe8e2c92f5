# SPDX-License-Identifier: Apache-2.0
r"""Takes apart records that stand on one line.

KB828371 prints three records of Clisvc.log as one line; its SMS 2.0 sibling Q320235
prints them apart::

    …ODPUSR32.exe " - Error : 1314*** WNet User Groups … - Error launching (#0x3EB)!!!W…

The four records that occur together in a failed launch are known by how they begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

_LAUNCHING = " - Error launching (#0x"
_STARS = "*** "
_INTEGRITY = "ERROR: The Client Service is not authori"  # …sed and …zed occur
# Every piece carries the whole line, so a line made of beginnings must not multiply.
_MOST = 16
_PLAIN_HEADS = (
    "!!!WARNING: Problem starting App (",
    '***ERROR: Unable to launch "',
)


def split(text: str) -> list[str]:
    """Split a message before every known beginning that is not at its start.

    Args:
        text: a message without its trailer.

    Returns:
        The pieces in order, none of them blank; mostly the text alone. What is beyond
        the sixteenth beginning stays with it.
    """
    if "***" not in text and "!!!" not in text and "#$" not in text:
        return [text]
    cuts = {0}
    for head in _PLAIN_HEADS:
        cuts.update(_occurrences(text, head))
    cuts.update(_before(text, _LAUNCHING, _launcher))
    cuts.update(_before(text, _INTEGRITY, _noise))
    edges = [*sorted(cuts)[:_MOST], len(text)]
    pieces = [
        piece
        for begin, end in pairwise(edges)
        if (piece := text[begin:end]).strip(" \t~")
    ]
    return pieces or [text]


def _occurrences(text: str, literal: str) -> Iterator[int]:
    at = text.find(literal)
    while at >= 0:
        yield at
        at = text.find(literal, at + len(literal))


def _before(
    text: str, literal: str, begin_of: Callable[[str], int | None]
) -> Iterator[int]:
    """Yield where the records begin that hold a literal further on.

    The stretches looked at do not overlap, so the time is linear.
    """
    behind = 0
    for at in _occurrences(text, literal):
        begin = begin_of(text[behind:at])
        if begin is not None:
            yield behind + begin
        behind = at + len(literal)


def _launcher(stretch: str) -> int | None:
    at = stretch.rfind(_STARS)
    return None if at < 0 else len(stretch[:at].rstrip("*"))


def _noise(stretch: str) -> int | None:
    kept = len(stretch.rstrip("#$ "))
    noise = stretch[kept:]
    return len(stretch) - len(noise.lstrip()) if "#$" in noise else None
