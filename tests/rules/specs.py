# SPDX-License-Identifier: Apache-2.0
"""What Kibana and Elastic's own rules have to look like, by their makers' schemas.

The schemas are not part of the project; tests that need them say so when they skip.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

_SPECS = Path(__file__).parents[3] / "shared" / "specs"
_KIBANA = _SPECS / "kibana-oas-filtered-2025-11.json.gz"
_DETECTION = _SPECS / "detection"

kibana = pytest.mark.skipif(
    not _KIBANA.exists(), reason=f"{_KIBANA.name} is not beside the project"
)
detection = pytest.mark.skipif(
    not _DETECTION.is_dir(), reason="the rules' schemas are not beside the project"
)


def versions() -> list[str]:
    """Return the versions that the schemas of detection rules are for."""
    return sorted({file.name[:-11] for file in _DETECTION.glob("*.query.json")})


def complaints(body: object, schema: dict[str, Any]) -> list[str]:
    """Return what a schema has against a body, the most telling first."""
    validator = jsonschema.Draft202012Validator(schema)
    found = sorted(validator.iter_errors(body), key=jsonschema.exceptions.relevance)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


@cache
def detection_schema(version: str, kind: str) -> dict[str, Any]:
    """Return the schema of a kind of detection rule."""
    text = (_DETECTION / f"{version}.{kind}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _document() -> dict[str, Any]:
    text = gzip.decompress(_KIBANA.read_bytes()).decode()
    # Its alternatives overlap, which is no fault of a body that fits two of them.
    document: dict[str, Any] = json.loads(text.replace('"oneOf"', '"anyOf"'))
    return document


@cache
def component(name: str) -> dict[str, Any]:
    """Return a named schema of Kibana's interface, with all it refers to."""
    return {
        "$ref": f"#/components/schemas/{name}",
        "components": _document()["components"],
    }


@cache
def request(path: str, method: str = "post") -> dict[str, Any]:
    """Return the schema of a request's body, with all it refers to."""
    operation = _document()["paths"][path][method]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return {**schema, "components": _document()["components"]}
