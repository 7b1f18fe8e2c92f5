# SPDX-License-Identifier: Apache-2.0
"""What the rules are compiled into, for Kibana, Sigma and ElastAlert 2."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from shipper.alerts import Silence, every, silences
from shipper.alerts.kql import fields, parse
from shipper.alerts.rules import Rule
from shipper.stack import Kind, assets
from tests.enrich.ecs import DEFINITION, definition, mapping
from tests.rules import specs
from tests.stack.fields import leaves
from tools.rules.manual import MARK, manual
from tools.rules.outputs import outputs

_FOLDER = Path(__file__).parents[2] / "dashboards" / "rules" / "compiled"
_MANUAL = Path(__file__).parents[2] / "docs" / "alerts.md"
_SCHEMAS = {"query": "QueryRule", "threshold": "ThresholdRule"}
_PARAMS = {
    "esQuery": "params_es_query_dsl_rule",
    "esqlQuery": "params_es_query_esql_rule",
}
#: Kibana knows it, and the schemas of Elastic's own rules do not: none of them has it.
_UNKNOWN = "timestamp_override_fallback_disabled"
each_rule = pytest.mark.parametrize("name", list(every()))


@cache
def made() -> dict[str, str]:
    """Compile the rules once."""
    return outputs(silences())


def security(text: str = "") -> list[dict[str, Any]]:
    """Return the detection rules."""
    lines = (text or made()["security.ndjson"]).splitlines()
    return [json.loads(line) for line in lines]


def stack(text: str = "") -> list[dict[str, Any]]:
    """Return the bodies of Kibana's own rules."""
    found = json.loads(text or made()["stack.json"])
    return [rule["body"] for rule in found["rules"]]


def unmapped(rule: Rule) -> set[str]:
    """Return the fields a rule reads and one of its data sets does not have."""
    known = set.intersection(*({*mapping(data)} for data in rule.data))
    return rule.asked() - known


def test_committed() -> None:
    """What is committed is what the sources say, byte by byte, and nothing else."""
    committed = {
        file.relative_to(_FOLDER).as_posix(): file.read_bytes().decode()
        for file in _FOLDER.rglob("*")
        if file.is_file()
    }

    assert committed == made()


def test_manual() -> None:
    """What the documentation says of the rules is what the sources say."""
    text = _MANUAL.read_text(encoding="utf-8")

    assert text[text.index(MARK) :] == manual()


def test_which_forms_there_are() -> None:
    """Each rule has the forms it can have."""
    ids = {rule["rule_id"] for rule in security()}
    by_id = {rule.uuid.get("security"): rule.id for rule in every().values()}

    assert {by_id[name] for name in ids} == {
        *("R1", "R2", "R3", "R3-many", "R5", "R6b", "R6c")
    }
    assert {rule["tags"][1] for rule in stack()} == {*every()}
    for form in ("sigma", "elastalert"):
        assert {name for name in made() if name.startswith(form)} == {
            f"{form}/{name}.yml"
            for name in ("R1", "R2", "R3", "R3-many", "R5", "R6b", "R6c")
        }


@each_rule
def test_fields_are_mapped(name: str) -> None:
    """Each field a rule reads is in the mapping of its data sets; others are found."""
    rule = every()[name]

    assert unmapped(rule) == set()
    assert unmapped(replace(rule, query=f"{rule.query} and sms.agent.stat: x")) == {
        "sms.agent.stat"
    }


@each_rule
def test_fields_of_transforms_are_mapped(name: str) -> None:
    """What Kibana asks of a transform's documents is in their mapping."""
    if (current := every()[name].stack) is None:
        return
    (template,) = [
        asset.body["template"]["mappings"]["properties"]
        for asset in assets()
        if asset.kind is Kind.INDEX_TEMPLATE and asset.name == current.index
    ]
    times = {age.field for age in every()[name].times}
    asked = {*fields(parse(current.query)), *current.by, *times}

    assert asked <= {field for field, _ in leaves(template)}


@pytest.mark.skipif(
    not DEFINITION.exists(), reason="the definition of ECS is not beside the project"
)
@each_rule
def test_fields_are_of_ecs(name: str) -> None:
    """Each field of a rule is ours by its name, or ECS has it."""
    ours = {field for field in every()[name].asked() if field[:4] != "sms."}

    assert ours <= {*definition()}
    assert "host.nam" not in definition()


@specs.kibana
def test_kibana_takes_the_detection_rules() -> None:
    """Kibana's interface has nothing against them, and finds what is wrong."""
    for rule in security():
        schema = f"Security_Detections_API_{_SCHEMAS[rule['type']]}CreateProps"

        assert specs.complaints(rule, specs.component(schema)) == []
        wrong = rule | {"severity": "grave"}
        assert "'grave'" in "".join(specs.complaints(wrong, specs.component(schema)))


@specs.kibana
def test_kibana_takes_the_stack_rules() -> None:
    """Kibana's interface has nothing against them, and finds what is wrong."""
    request = specs.request("/api/alerting/rule/{id}")
    for rule in stack():
        params = rule["params"]
        schema = specs.component(_PARAMS[params["searchType"]])

        assert specs.complaints(rule, request) == []
        assert specs.complaints(params, schema) == []
        wrong = params | {"thresholdComparator": "above"}
        assert "'above'" in "".join(specs.complaints(wrong, schema))
        assert "'schedul'" in specs.complaints(rule | {"schedul": {}}, request)[0]


@specs.kibana
def test_kibana_takes_the_connector() -> None:
    """Kibana's interface has nothing against it, and finds what is wrong."""
    (connector,) = json.loads(made()["stack.json"])["connectors"]
    schema = specs.request("/s/{spaceId}/api/actions/connector/{id}")

    assert specs.complaints(connector["body"], schema) == []
    assert specs.complaints(connector["body"] | {"nam": "x"}, schema) != []


@specs.detection
def test_elastics_own_schemas_take_the_detection_rules() -> None:
    """All versions have nothing against them, and find what is wrong."""
    for version in specs.versions():
        for rule in security():
            schema = specs.detection_schema(version, rule["type"])
            known = {name: value for name, value in rule.items() if name != _UNKNOWN}

            assert specs.complaints(known, schema) == []
            assert "'interva'" in specs.complaints(known | {"interva": 1}, schema)[0]


def test_messages_say_who() -> None:
    """Groups are named by a summary; rows, which it does not see, by the alert."""
    rows = {
        rule["tags"][1]
        for rule in stack()
        for action in rule["actions"]
        if "context.hits" in action["params"]["documents"][0]["message"]
        and not action["frequency"]["summary"]
    }
    summaries = {
        rule["tags"][1]
        for rule in stack()
        for action in rule["actions"]
        if "alerts.new.data" in action["params"]["documents"][0]["message"]
        and action["frequency"]["summary"]
    }
    grouped = {r["tags"][1] for r in stack() if r["params"]["groupBy"] == "top"}

    assert rows == {"R2", "R3-many", "R5", "R6a", "R6d"}
    assert summaries == grouped == {*every()} - rows


def test_each_form_asks_for_the_same() -> None:
    """Window, archive and threshold of R2 are in every form."""
    (detection,) = [rule for rule in security() if "threshold" in rule["type"]][:1]
    (native,) = [rule for rule in stack() if rule["tags"][1] == "R2"]
    alert = yaml.safe_load(made()["elastalert/R2.yml"])
    _, correlation = yaml.safe_load_all(made()["sigma/R2.yml"])

    assert detection["from"] == "now-25h"
    assert detection["query"] == (
        "(sms.agent.cause: privilege and sms.agent.cycles: 1 and"
        " sms.agent.cycle_opened: true) and not data_stream.namespace:"
        ' "archive" and @timestamp >= "now-25h" and @timestamp <= "now+1h"'
    )
    assert detection["threshold"] == {
        "field": [],
        "value": 1,
        "cardinality": [{"field": "host.name", "value": 5}],
    }
    assert native["params"]["esqlQuery"]["esql"] == (
        "FROM logs-sms.state-*\n"
        '| WHERE data_stream.namespace != "archive" AND ((sms.agent.cause =='
        ' "privilege") AND (sms.agent.cycles == 1) AND (sms.agent.cycle_opened =='
        " true)) AND @timestamp >= NOW() - 25 hours AND @timestamp <= NOW() + 1 hours\n"
        "| STATS found = COUNT_DISTINCT(host.name), newest = MAX(@timestamp)"
        " BY host.domain\n"
        "| WHERE found >= 5"
    )
    assert native["params"]["timeWindowSize"] == 25
    assert native["params"]["timeWindowUnit"] == "h"
    assert correlation["correlation"]["condition"] == {"gte": 5, "field": "host.name"}
    # ElastAlert alerts beyond its threshold, not at it.
    assert (alert["max_threshold"], alert["buffer_time"]) == (4, {"hours": 25})
    assert alert["timestamp_field"] == "event.ingested"


def test_severities() -> None:
    """The ladder of R1 is in the detection rule, by what Kibana reads as a number."""
    (first, *_) = security()

    assert (first["severity"], first["risk_score"]) == ("medium", 47)
    assert [
        (step["field"], step["value"], step["severity"])
        for step in first["severity_mapping"]
    ] == [("event.severity", "73", "high")]


def test_exceptions_are_in_every_form() -> None:
    """An exception, with the day it ends on, is compiled into all forms of R1."""
    entry = Silence(host="lab-*", until=date(2027, 1, 31), reason="ticket 1")
    found = outputs([entry])
    clause = 'not (host.name: lab-* and @timestamp < "2027-01-31")'
    (detection, *_) = security(found["security.ndjson"])
    native = {rule["tags"][1]: rule["params"] for rule in stack(found["stack.json"])}
    (base,) = yaml.safe_load_all(found["sigma/R1.yml"])

    assert clause in detection["query"]
    assert '"wildcard": {"host.name": {"value": "lab-*"}}' in native["R1"]["esQuery"]
    assert (
        'AND NOT COALESCE(((host.name LIKE "lab-*") AND @timestamp < "2027-01-31"),'
        " FALSE)"
    ) in native["R2"]["esqlQuery"]["esql"]
    # 2027-01-31T00:00Z in milliseconds since 1970.
    selections = list(base["detection"].values())
    assert {"host.name": "lab-*"} in selections
    assert {"@timestamp|lt": 1_801_353_600_000} in selections
    assert "host.name:lab\\-*" in found["elastalert/R1.yml"]
    # A collector is no host.
    assert found["elastalert/R6b.yml"] == made()["elastalert/R6b.yml"]
