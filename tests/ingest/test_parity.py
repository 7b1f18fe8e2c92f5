# SPDX-License-Identifier: Apache-2.0
"""The shipper and the ingest pipeline say the same of a record."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipper.demo.fleet import Fleet
from shipper.knowledge import causes
from shipper.parse import Zones
from shipper.records import Encoding, Record
from tests.ingest import sides
from tests.ingest.engine import Engine
from tests.ingest.lines import lines
from tests.ingest.sides import PIPELINE, differences, record, records
from tests.parse.test_samples import EXPECTED, collected

pytestmark = pytest.mark.ingest

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
CHICAGO = "America/Chicago"
_SETTINGS = ("host_zone", "default_zone", "machine_zone")


def generated(seed: int, count: int, zone: str | None) -> list[Record]:
    """Return the records of generated lines that are one record each."""
    zones = Zones(host_zone=zone)
    found = [record(line, zones) for line in lines(seed, count)]
    return [one for one in found if one is not None]


@pytest.mark.parametrize(
    "path", sorted(GOLDEN.glob("*.log")), ids=lambda path: path.stem
)
def test_golden_logs(ingest: Engine, path: Path) -> None:
    """Every record of the golden logs that the sender hands over in one piece."""
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    settings = expected.get("zones", {"default_zone": CHICAGO})
    zone = next((settings[name] for name in _SETTINGS if name in settings), None)
    known = [
        # A neighbour's time is beyond the pipeline.
        record(one.original, Zones(host_zone=zone)) if _borrowed(one) else one
        for one in records(
            path.read_bytes(),
            zones=Zones(host_zone=zone),
            encoding=Encoding(expected.get("encoding", "ansi")),
            code_page=expected.get("code_page", "cp1252"),
        )
    ]

    assert differences(ingest, [one for one in known if one], zone) == []


def _borrowed(one: Record) -> bool:
    return one.moment.source == "neighbour"


def test_sample_lines(ingest: Engine) -> None:
    """Every line of the collection of article texts, where that is at hand."""
    rows = collected("samples.txt").splitlines()
    known = [
        record(rows[index + 1].replace("<TAB>", "\t"), Zones(host_zone=CHICAGO))
        for index, row in enumerate(rows)
        if row.startswith("[")
    ]
    found = [one for one in known if one]

    assert len(found) >= len(EXPECTED)
    assert differences(ingest, found, CHICAGO) == []


def test_fleet(ingest: Engine) -> None:
    """Every kind of record a fleet writes: zones, damage, trouble, other alphabets."""
    fleet = Fleet.plan(7, end=datetime(2004, 11, 9, 12, tzinfo=UTC), hosts=12)
    written = [entry.line for log in fleet.logs for entry in log.entries[::2]]
    known = records(b"".join(written), zones=Zones(host_zone=CHICAGO))

    assert len(known) > 2000
    assert differences(ingest, known, CHICAGO) == []


@pytest.mark.parametrize(("seed", "zone"), [(1, CHICAGO), (2, None)])
def test_generated_lines(ingest: Engine, seed: int, zone: str | None) -> None:
    """Ten thousand lines of all kinds, a third of them damaged; from two seeds."""
    known = generated(seed, 10_050, zone)

    assert len(known) >= 10_000
    assert differences(ingest, known, zone) == []


def test_lines_that_are_long(ingest: Engine) -> None:
    """Regular expressions stay within what the engine lets them look at."""
    known = [
        record(part * (16_384 // len(part)) + literal)
        for signature in SIGNATURES
        for literal in signature["literals"]
        for part in (literal, *' "*=-(1e')
    ]

    assert differences(ingest, [one for one in known if one]) == []


@pytest.mark.parametrize("letter", ["x", "\N{MUSICAL SYMBOL G CLEF}"])
def test_names_that_are_long(ingest: Engine, letter: str) -> None:
    """Names are cut alike, counted in characters."""
    name = letter * 300
    enveloped = (
        f'<![LOG[Failed]LOG]!><time="06:00:00.000+000" date="02-12-2003"'
        f' component="{name}" context="" type="3" thread="52" file="a.cpp:1">'
    )
    known = [
        record(text)
        for text in (
            f'***ERROR: Unable to launch "C:\\{name}.exe" - Error : 1314',
            f"*** {name} - Error launching (#0x522)",
            f"Processing SID list for account mask {name}",
            enveloped,
        )
    ]

    assert differences(ingest, [one for one in known if one]) == []


def _parameters(pipeline: dict[str, Any], tag: str) -> dict[str, Any]:
    for processor in pipeline["processors"]:
        ((_, options),) = processor.items()
        if options["tag"] == tag:
            found: dict[str, Any] = options["params"]
            return found
    raise LookupError(tag)


SIGNATURES = _parameters(PIPELINE, "script_meaning")["signatures"]


@pytest.mark.parametrize(
    ("tag", "table", "key", "instead"),
    [
        ("script_record", "zones", "central standard time", "Europe/Paris"),
        ("script_record", "levels", "2", "info"),
        ("script_meaning", "causes", "1314", "file"),
        ("script_meaning", "codes", "1314", [{"namespace": "win32"}]),
    ],
)
def test_a_rule_broken_in_the_pipeline_is_found(
    ingest: Engine,
    monkeypatch: pytest.MonkeyPatch,
    tag: str,
    table: str,
    key: str,
    instead: object,
) -> None:
    """The comparison sees it when one entry of a table is wrong."""
    broken = copy.deepcopy(PIPELINE)
    tables = _parameters(broken, tag)
    assert tables[table][key] != instead
    tables[table][key] = instead
    monkeypatch.setattr(sides, "PIPELINE", broken)

    assert differences(ingest, generated(1, 1500, CHICAGO), CHICAGO) != []


def test_a_rule_broken_in_the_shipper_is_found(
    ingest: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison sees it when the code changes and the pipeline does not."""
    monkeypatch.setattr(causes, "MEDIUM", causes.HIGH)

    assert differences(ingest, generated(1, 500, CHICAGO), CHICAGO) != []
