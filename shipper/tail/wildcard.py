# SPDX-License-Identifier: Apache-2.0
"""Finding files by ``*``, ``?`` and ``[…]`` where folders are huge and hosts hang.

Folders are listed entry by entry, so that a million other files cost no memory; and
below the first level each folder is a call of its own, so that one may hang.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from shipper.tail.candidates import flavour

#: Most paths one pattern may match; a larger fleet is shared out among collectors.
MOST_LOGS = 100_000

#: Calls that may hang, by the path they ask for.
Calls = Iterable[tuple[str, Callable[[], list[str]]]]
#: Makes the calls and yields what they return, in any order; may leave out those that
#: hang.
Ask = Callable[[Calls], Iterator[list[str]]]

#: The name under which a file counts, by its own.
CountsAs = Callable[[str], str]

_SPECIAL = re.compile(r"[*?\[]")
_ESCAPED = re.compile(r"\[([*?\[])\]")


def in_turn(calls: Calls) -> Iterator[list[str]]:
    """Make the calls here, one after the other."""
    for _, call in calls:
        yield call()


def fixed_part(path: str) -> str:
    """Return the folder before the first special character of ``path``."""
    fixed = _SPECIAL.split(path)[0]
    return str(flavour(path).split(fixed)[0])


def searches(root: str, pattern: str, counts_as: CountsAs = str) -> Calls:
    """Yield the calls that find what matches.

    Args:
        root: a folder; nothing in its name is special.
        pattern: path below it, as for :mod:`glob`; hidden names must be asked for.
        counts_as: under which name a file counts; if that matches, it is yielded.
    """
    parts = re.split(r"[\\/]+" if os.name == "nt" else "/+", pattern.strip("/\\"))
    if len(parts) == 1 or _literal(parts[0]) is not None:
        yield root, partial(_some, root, parts, counts_as)
        return
    for folder in _level(root, parts[0], folders=True):
        yield folder, partial(_some, folder, parts[1:], counts_as)


def _some(folder: str, parts: list[str], counts_as: CountsAs) -> list[str]:
    """Return what matches, but not many more than are allowed."""
    found: list[str] = []
    for path in _below(folder, parts, counts_as):
        found.append(path)
        if len(found) > MOST_LOGS:
            break
    return found


def _below(folder: str, parts: list[str], counts_as: CountsAs) -> Iterator[str]:
    part, *rest = parts
    name = _literal(part)
    path = folder if name is None else os.path.join(folder, name)  # noqa: PTH118 - text
    if not rest:
        if name is not None and os.path.lexists(path):
            yield path
        else:
            yield from _level(folder, part, counts_as)
    elif name is not None:
        yield from _below(path, rest, counts_as)
    else:
        for below in _level(folder, part, folders=True):
            yield from _below(below, rest, counts_as)


def _level(
    folder: str, part: str, counts_as: CountsAs = str, *, folders: bool = False
) -> Iterator[str]:
    """Yield the entries of ``folder`` that match; one that cannot be listed has none.

    Args:
        folder: where.
        part: the pattern.
        counts_as: under which name an entry counts.
        folders: only what may have something below it. Links may; they are not asked.
    """
    matches = re.compile(fnmatch.translate(os.path.normcase(part))).match
    hidden = part.startswith(".")
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not matches(os.path.normcase(name)):
                name = counts_as(name)
                if not matches(os.path.normcase(name)):
                    continue
            if entry.name.startswith(".") and not hidden:
                continue
            if folders and not (
                entry.is_symlink() or entry.is_dir(follow_symlinks=False)
            ):
                continue
            if name == entry.name:
                yield entry.path
            else:
                yield os.path.join(folder, name)  # noqa: PTH118 - text in, text out


def _literal(part: str) -> str | None:
    """Return what ``part`` stands for if nothing in it is special."""
    if _SPECIAL.search(_ESCAPED.sub("", part)):
        return None
    return _ESCAPED.sub(r"\1", part)
