# SPDX-License-Identifier: Apache-2.0
"""The scripts of the pipeline, with expressions and constants filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.pipeline.regex import WHITE, alternatives, painless
from tools.pipeline.tables import patterns, private

#: The files each script is made of.
SCRIPTS = {
    "tidy": ("common", "tidy"),
    "record": ("common", "time", "record"),
    "meaning": ("common", "findings", "codes", "agents", "meaning"),
}

_FOLDER = Path(__file__).parent
#: What an expression may look at more, divided by six; see ``common.painless``.
_PAD = 2048
#: Elasticsearch's limit for one script.
_LARGEST = 65_535

_BLOCK = re.compile(
    r"^ *\{\{(each|hints|signatures) ?(\S*)\n(.*?)\n *\}\}\n", re.MULTILINE | re.DOTALL
)
_FIELD = re.compile(r"\{\{(\w+)(?: ([\w.:-]+)(?: ([+-])(\w+))?)?\}\}")
_ESCAPE = re.compile(r"(?<!\\)\\([nrt])")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
_NOTE = re.compile(r"^ *//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)


def script(name: str) -> str:
    """Return a script as Elasticsearch gets it.

    Args:
        name: one of :data:`SCRIPTS`.

    Raises:
        ValueError: it is too long.
    """
    written = "".join(
        (_FOLDER / f"{part}.painless").read_text("utf-8") for part in SCRIPTS[name]
    )
    written = _INDENT.sub("", _NOTE.sub("", written))
    # Painless knows no escapes for these in texts; the characters themselves will do.
    written = _ESCAPE.sub(lambda found: _CONTROLS[found[1]], written)
    written = _BLOCK.sub(lambda found: "".join(_block(*found.groups())), written)
    written = _FIELD.sub(_field, written).strip() + "\n"
    size = len(written.encode())
    if size > _LARGEST:
        raise ValueError(f"{name}.painless has {size} bytes of {_LARGEST}")
    return written


def _block(kind: str, place: str, body: str) -> Iterator[str]:
    """Repeat lines for each of several expressions."""
    match kind:
        case "each":
            for literal in alternatives(private(place)):
                yield body.replace("@", literal) + "\n"
        case "hints":
            for name, pattern in private("shipper.knowledge.findings:_HINTS"):
                filled = body.replace("@name", _quoted(name))
                yield filled.replace("@regex", painless(pattern)) + "\n"
        case _:
            for number, pattern in enumerate(patterns()):
                filled = body.replace("@number", str(number))
                yield filled.replace("@regex", painless(pattern)) + "\n"


def _field(found: re.Match[str]) -> str:
    kind, place, sign, name = found.groups()
    match kind:
        case "regex":
            given = (name, sign == "+") if sign else None
            return painless(private(place), given)
        case "value":
            value = private(place)
            return _quoted(value) if isinstance(value, str) else str(value)
        case "pad":
            return _quoted(" " * _PAD)
        case "white":
            return _quoted(WHITE)
        case "quote":
            return _quoted("\N{RIGHT SINGLE QUOTATION MARK}")
        case "failing":
            tops = private("shipper.knowledge.findings:_FAILING_TOPS")
            return _quoted("".join(sorted(tops)))
        case _:
            raise ValueError(f"{found[0]} is no field of a script")


def _quoted(text: str) -> str:
    inside = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{inside}'"
