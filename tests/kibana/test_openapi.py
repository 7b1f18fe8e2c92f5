# SPDX-License-Identifier: Apache-2.0
"""What is sent to Kibana, against its published OpenAPI document."""

from __future__ import annotations

import copy
import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from msgspec.structs import replace

from shipper.kibana import apply, plan_removal
from tests.fakes.kibana import FakeKibana, Request, detected, imported
from tests.kibana.test_setup import RULE, RULE_PLACE, connected, set_up

Json = Any  # as json reads it
SPEC = (
    Path(__file__).parents[3]
    / "shared"
    / "specs"
    / "kibana-oas-filtered-2025-11.json.gz"
)
#: What people add to a rule, as Kibana gives it back: every member an action can have.
ADDED = (
    {
        "id": "mail",
        "group": "query matched",
        "params": {"to": ["soc@siem.example"]},
        "connector_type_id": ".email",
        "uuid": "8a9f3c52",
        "frequency": {
            "summary": False,
            "notify_when": "onActionGroupChange",
            "throttle": None,
        },
        "use_alert_data_for_template": True,
        "alerts_filter": {
            "query": {"kql": "host.name: a*", "filters": [], "dsl": "{}"},
            "timeframe": {
                "days": [1, 5],
                "hours": {"start": "08:00", "end": "17:00"},
                "timezone": "UTC",
            },
        },
    },
    # An action of the system has no group.
    {
        "id": "system-connector-.cases",
        "params": {"subAction": "run"},
        "connector_type_id": ".cases",
        "uuid": "5b1d77e0",
    },
)
ARTIFACTS = {
    "dashboards": [{"id": "sms-fleet-overview"}],
    "investigation_guide": {"blob": "Ask the service desk."},
}
#: Members of a detection rule newer than the document.
NEWER = ("timestamp_override_fallback_disabled",)

pytestmark = pytest.mark.skipif(
    not SPEC.exists(), reason="needs the OpenAPI document of Kibana"
)


@cache
def specification() -> Json:
    """Return the document, with ``nullable`` in the words of JSON Schema."""
    return repaired(json.loads(gzip.decompress(SPEC.read_bytes())))


def repaired(node: Json) -> Json:
    """Return a schema without what only OpenAPI 3.0 has."""
    if isinstance(node, list):
        return [repaired(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {
        "anyOf" if key == "oneOf" else key: repaired(value)
        for key, value in node.items()
        if key not in {"nullable", "discriminator"}
    }
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") else plain


def operation(request: Request) -> Json:
    """Return what the document says of a request.

    Raises:
        KeyError: it does not know it.
    """
    for path, methods in specification()["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/_][^/]*", path.removeprefix("/s/{spaceId}"))
        if re.fullmatch(pattern, request.path) and request.method.lower() in methods:
            return methods[request.method.lower()]
    raise KeyError(request.line)


def check(schema: Json, value: Json) -> None:
    """Check a value.

    Raises:
        ValidationError: it does not fit.
    """
    components = {"components": specification()["components"]}
    Draft202012Validator(schema | components).validate(value)


def check_request(request: Request) -> None:
    """Check path, parameters, and a body of JSON; the document leaves files open."""
    found = operation(request)
    known = {each["name"] for each in found.get("parameters", ()) if "name" in each}
    if set(request.query) - known:
        raise ValidationError(f"{request.line}: {set(request.query) - known}")
    content = found.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        check(content["application/json"]["schema"], request.body)


@cache
def sent() -> tuple[Request, ...]:
    """Return every request of an installation, an update and a removal."""
    fake = FakeKibana()
    set_up(fake)
    rule = fake.single[RULE_PLACE]
    rule["actions"] += ADDED
    rule |= {"name": "renamed", "artifacts": ARTIFACTS}
    fake.single["/api/actions/connector", "clisvc-alerts"]["name"] = "renamed"
    set_up(fake)
    with connected(fake) as client:
        apply(client, plan_removal(client))
    return tuple(fake.requests)


def test_requests_fit() -> None:
    """All that is sent is what the API takes, deleting saved objects excepted.

    The document names that only as ``/api/saved_objects/_bulk_delete``; Kibana has had
    the address for single ones since 5.0.
    """
    requests = [
        each
        for each in sent()
        if not re.match(r"DELETE /api/saved_objects/", each.line)
    ]
    for request in requests:
        check_request(request)

    kinds = {request.method for request in requests}
    assert kinds == {"GET", "POST", "PUT", "DELETE"}


def test_what_people_added_fits() -> None:
    """An update sends back what people added, in the shape the API takes."""
    (update,) = (
        each for each in sent() if each.line == f"PUT /api/alerting/rule/{RULE.id}"
    )

    ids = [action["id"] for action in update.body["actions"]]
    assert ids == ["clisvc-alerts", "mail", "system-connector-.cases"]
    assert update.body["artifacts"] == ARTIFACTS
    with pytest.raises(ValidationError):
        check_request(replace(update, body=update.body | {"actions": [*ADDED]}))


def test_detection_rules_fit() -> None:
    """Each line of the file is a rule the API can make."""
    (upload,) = (
        each for each in sent() if each.path == "/api/detection_engine/rules/_import"
    )
    schema = {
        "$ref": "#/components/schemas/Security_Detections_API_RuleCreateProps",
    }
    rules = [{k: v for k, v in one.items() if k not in NEWER} for one in upload.body]
    for rule in rules:
        check(schema, rule)

    with pytest.raises(ValidationError):
        check(schema, rules[0] | {"risk_score": "high"})


def test_answers_fit() -> None:
    """The Kibana the tests play answers imports as the document says."""
    paths = specification()["paths"]
    for path, said in (
        ("/api/saved_objects/_import", imported([{"type": "dashboard"}], [{}])),
        ("/api/detection_engine/rules/_import", detected(1, [])),
    ):
        answer = paths[path]["post"]["responses"]["200"]["content"]
        # ``warnings`` is in every answer of Kibana, and missing in the document.
        body = {k: v for k, v in said.body.items() if k != "warnings"}
        check(answer["application/json"]["schema"], body)


@pytest.mark.parametrize(
    ("member", "planted"),
    [
        ("schedul", {"interval": "1m"}),
        ("schedule", {"interval": 5}),
        ("actions", [{"params": {}}]),
        ("rule_type_id", None),
        ("tags", "clisvc"),
    ],
)
def test_planted_error_is_found(member: str, planted: Json) -> None:
    """A misspelt member, or a value of the wrong kind, does not pass."""
    body = copy.deepcopy(RULE.body) | {member: planted}
    request = Request(
        method="POST",
        path=f"/api/alerting/rule/{RULE.id}",
        body=body,
    )

    with pytest.raises(ValidationError):
        check_request(request)


def test_planted_address_is_found() -> None:
    """A wrong address, or a wrong parameter, does not pass."""
    wrong = Request(method="PUT", path="/api/status")
    misspelt = Request(
        method="GET", path="/api/saved_objects/_find", query={"typ": ["x"]}
    )

    with pytest.raises(KeyError):
        check_request(wrong)
    with pytest.raises(ValidationError):
        check_request(misspelt)
