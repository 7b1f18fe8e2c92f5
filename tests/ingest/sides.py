# SPDX-License-Identifier: Apache-2.0
"""One record on both sides: as the shipper documents it, and as the pipeline does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from shipper.enrich.enricher import Enricher
from shipper.enrich.sense import Senses
from shipper.enrich.trail import Trail
from shipper.knowledge import explain, find, match, worded
from shipper.parse import Parser, Zones
from shipper.records import Chunk, Encoding, Generation, Record, Source
from tests.ingest.engine import Engine
from tools.pipeline.body import NAME

ROOT = Path(__file__).parents[2]
PIPELINE: dict[str, Any] = json.loads(
    (ROOT / "pipelines" / "ingest-pipelines" / f"{NAME}.json").read_text("utf-8")
)
READ_MS = 1_100_000_000_000
READ = "2004-11-09T11:33:20.000Z"
HOST = "pc0417"

_PARITY: dict[str, list[str]] = yaml.safe_load(
    (ROOT / "pipelines" / "parity.yml").read_text("utf-8")
)
_SOURCE = Source(host=HOST, log="clisvc", directory="", path="")
_GENERATION = Generation(gen_id="0" * 16)
_BATCH = 1000
_CONTEXTS = ("msi", "exit")
_WORDED = {
    code
    for one in worded()
    if one.namespace not in _CONTEXTS
    for code in (one.value, int(one.twin or "0", 16))
}


def records(
    data: bytes,
    *,
    zones: Zones | None = None,
    encoding: Encoding = Encoding.ANSI,
    code_page: str = "cp1252",
) -> list[Record]:
    """Return the records of a whole log that are one line, or one envelope, each."""
    parser = Parser(zones or Zones(), code_page)
    chunk = Chunk(start=0, data=data, end=len(data), encoding=encoding)
    parsed = parser.parse(chunk, None, READ_MS, final=True).records
    return [record for record in parsed if not record.sub]


def record(line: str, zones: Zones | None = None) -> Record | None:
    """Return the record of a line that stands alone, unless it is several, or blank."""
    found = records(line.encode("utf-8", "surrogatepass"), zones=zones)
    return found[0] if len(found) == 1 else None


def shipped(known: Record, senses: Senses) -> dict[str, Any]:
    """Return the shipper's document of a record it knows nothing else but."""
    enricher = Enricher(_SOURCE, _GENERATION, "default", Trail(), senses)
    document: dict[str, Any] = json.loads(enricher.enrich([known])[0].document)
    return document


def raw(known: Record, timezone: str | None = None) -> dict[str, Any]:
    """Return what another shipper sends of the same record."""
    sent: dict[str, Any] = {
        "@timestamp": READ,
        "message": known.original,
        "host": {"name": HOST},
    }
    if timezone:
        sent["event"] = {"timezone": timezone}
    return sent


def differences(
    engine: Engine, known: list[Record], timezone: str | None = None
) -> list[str]:
    """Say where the two sides differ.

    Args:
        engine: runs the pipeline.
        known: the records, parsed with that zone as the host's.
        timezone: ``event.timezone`` as the sender sets it.
    """
    senses = Senses()
    found = []
    for start in range(0, len(known), _BATCH):
        batch = known[start : start + _BATCH]
        ingested = engine.run(PIPELINE, [raw(one, timezone) for one in batch])
        for one, theirs in zip(batch, ingested, strict=True):
            ours = shipped(one, senses)
            for name in compared(one):
                a, b = value(ours, name), value(theirs, name)
                if a != b:
                    found.append(f"{name}: {a!r} != {b!r} in {one.original!r}")
    return found


def compared(known: Record) -> list[str]:
    """Return the fields in which the two sides have to agree on a record."""
    fields = _PARITY["fields"]
    matched = match(known.message)
    finding = None if matched else find(known.message)
    told = matched or finding
    if told is None:
        return fields
    code = matched.code if matched else finding.value if finding else None
    if code is None:
        return fields
    reading = explain(code, namespace=told.namespace)[0]
    if code in _WORDED or reading.namespace in _CONTEXTS:
        return fields + _PARITY["fields_of_codes_with_words"]
    if finding and _bare(finding.text):
        undecided = _PARITY["fields_that_bare_digits_decide"]
        return [name for name in fields if name not in undecided]
    return fields


def _bare(code: str) -> bool:
    """Tell whether nothing but the table of all codes makes digits a code."""
    return code[0] not in "-\u2212" and code[1:2] not in ("x", "X") and len(code) >= 8


def value(document: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a field of a document, or ``None``."""
    found: Any = document
    for part in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found
