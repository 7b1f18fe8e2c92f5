# SPDX-License-Identifier: Apache-2.0
"""Golden pairs: a log, and the records worked out by hand from the documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipper.parse import Parser, Zones
from shipper.records import Chunk, Encoding, Record

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
READ_MS = 1_100_000_000_000  # 2004-11-09T11:33:20Z


def portrait(record: Record, chunk: Chunk) -> dict[str, Any]:
    """Show a record as the golden files write it: defaults are left out."""
    ansi = chunk.encoding is Encoding.ANSI
    codec = "latin-1" if ansi else chunk.encoding.value
    before = chunk.data[: record.start].decode(codec)
    shown = {
        "line": before.count("\n") + 1,
        "message": record.message,
        "time": f"{record.moment.text}.{record.millis:03}Z",
        "timezone": record.moment.timezone,
        "source": record.moment.source,
    }
    optional: dict[str, tuple[object, object]] = {
        "component": (record.component, ""),
        "thread": (record.thread, None),
        "level": (record.level, ""),
        "user": (record.user, ""),
        "origin": (record.origin, ""),
        "ambiguous": (record.moment.ambiguous, False),
        "dialect": (record.dialect, "legacy"),
        "quality": (record.quality, "exact"),
        "sub": (record.sub, 0),
        "flags": (list(record.flags), []),
    }
    shown |= {key: value for key, (value, usual) in optional.items() if value != usual}
    return shown


@pytest.mark.parametrize(
    "path", sorted(GOLDEN.glob("*.log")), ids=lambda path: path.stem
)
def test_golden_pair(path: Path) -> None:
    """A log yields exactly the records its companion file says."""
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    encoding = Encoding(expected.get("encoding", "ansi"))
    data = path.read_bytes()
    chunk = Chunk(start=0, data=data, end=len(data), encoding=encoding)
    zones = Zones(**expected.get("zones", {"default_zone": "America/Chicago"}))
    parser = Parser(zones, expected.get("code_page", "cp1252"))

    records = parser.parse(chunk, None, READ_MS).records

    shown = [portrait(record, chunk) for record in records]
    assert shown == expected["records"]


def test_every_golden_file_has_its_companion() -> None:
    """No log and no expectation stands alone."""
    logs = {path.stem for path in GOLDEN.glob("*.log")}

    assert {
        path.name.removesuffix(".expected.json") for path in GOLDEN.glob("*.json")
    } == logs
    assert logs
