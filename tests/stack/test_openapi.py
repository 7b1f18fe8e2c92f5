# SPDX-License-Identifier: Apache-2.0
"""What is sent to Elasticsearch, against its published OpenAPI document."""

from __future__ import annotations

import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

Json = Any  # as json reads it
ROOT = Path(__file__).parents[2]
SPEC = ROOT.parent / "shared" / "specs" / "es-openapi-8.17.json.gz"
PATHS = {
    "component-templates": "/_component_template/{name}",
    "index-templates": "/_index_template/{name}",
    "ilm-policies": "/_ilm/policy/{policy}",
    "ingest-pipelines": "/_ingest/pipeline/{id}",
    "roles": "/_security/role/{name}",
    "transforms": "/_transform/{transform_id}",
}
BODIES = [
    path
    for path in sorted((ROOT / "pipelines").glob("*/*.json"))
    if path.parent.name in PATHS
]

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="needs the OpenAPI document of Elasticsearch 8.17"
)


@cache
def specification() -> Json:
    """Return the document, with what it gets wrong put right."""
    found = repaired(json.loads(gzip.decompress(SPEC.read_bytes())))
    # Fields of a mapping are a choice of forty kinds at each level, too much for a
    # validator that tries them all; `python -m tools.typecheck` looks at them.
    found["components"]["schemas"]["_types.mapping:Property"] = {}
    return found


def repaired(node: Json) -> Json:
    """Return a schema in which free values are free, and choices may overlap.

    It also lacks short forms such as ``dynamic: false``, and takes an aggregation's
    own aggregations for a second kind of it.
    """
    if isinstance(node, list):
        return [repaired(each) for each in node]
    if not isinstance(node, dict):
        return node
    bare = node.get("type") == "object" and not node.keys() - {"type", "description"}
    if bare or "true" in node.get("enum", ()):
        return {}
    return {
        "anyOf" if key == "oneOf" else key: repaired(value)
        for key, value in node.items()
        if key != "maxProperties"
    }


def validate(kind: str, body: object) -> None:
    """Check the body of a request.

    Raises:
        ValidationError: it does not fit.
    """
    whole = specification()
    request = whole["paths"][PATHS[kind]]["put"]["requestBody"]
    if "$ref" in request:
        *_, name = request["$ref"].split("/")
        request = whole["components"]["requestBodies"][name]
    schema = request["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": whole["components"]}).validate(body)


def content(path: Path) -> Json:
    """Return a body."""
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("path", BODIES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_body_fits(path: Path) -> None:
    """Each body is what the API takes."""
    validate(path.parent.name, content(path))


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("component-templates", {"template": []}),
        ("index-templates", {"priority": "high"}),
        ("ilm-policies", {"policy": {"phases": "hot"}}),
        ("ingest-pipelines", {"processors": {}}),
        ("roles", {"indices": [{"names": 1}]}),
        ("transforms", {"pivot": []}),
    ],
)
def test_planted_error_is_found(kind: str, planted: dict[str, object]) -> None:
    """A value of the wrong kind does not pass."""
    body: Json = next((content(p) for p in BODIES if p.parent.name == kind), {})

    with pytest.raises(ValidationError):
        validate(kind, copy.deepcopy(body) | planted)
