# SPDX-License-Identifier: Apache-2.0
"""Set-up of Kibana against one played at the wire, in the shapes of 8.17 and 9.x."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from shipper.config import KibanaSettings, Secret
from shipper.errors import NotPermitted, SinkUnavailable
from shipper.kibana import Kibana, apply, plan, plan_removal, probe
from shipper.kibana.objects import SAVED, Kind, Object, objects
from shipper.stack import Step, first_error
from tests.fakes.kibana import FakeKibana, Said, detected, imported, refused

Rules = Literal["stack", "security", "both", "none"]

IMPORT = "POST /api/saved_objects/_import"
DETECTION_IMPORT = "POST /api/detection_engine/rules/_import"
VERSIONS = pytest.mark.parametrize(
    "version", ["8.17.4", "8.19.7", "9.0.0", "9.2.0", "9.5.1"]
)
DASHBOARD = next(one for one in objects() if one.id == "sms-fleet-overview")
DATA_VIEW = next(one for one in objects() if one.id == "sms-records")
CONNECTOR = next(one for one in objects() if one.kind is Kind.CONNECTOR)
RULE = next(one for one in objects() if one.kind is Kind.RULE)
DETECTION = next(one for one in objects() if one.kind is Kind.DETECTION)
RULE_PLACE = ("/api/alerting/rule", RULE.id)
DETECTION_PLACE = ("/api/detection_engine/rules", DETECTION.id)


@contextmanager
def connected(
    fake: FakeKibana, space: str = "default", waits: list[float] | None = None
) -> Iterator[Kibana]:
    """Serve a Kibana, and connect to one of its spaces; ``waits`` gets the pauses."""
    noted: list[float] = [] if waits is None else waits
    with fake.serving() as url:
        settings = KibanaSettings(url=url, space=space, api_key=Secret("a2V5"))
        with Kibana(settings, pause=noted.append) as client:
            yield client


def set_up(
    fake: FakeKibana, rules: Rules = "both", space: str = "default"
) -> list[Step]:
    """Plan, and carry the plan out."""
    with connected(fake, space) as client:
        return apply(client, plan(client, rules=rules))


def actions(steps: list[Step]) -> set[str]:
    """Return what was done at all."""
    return {step.action for step in steps}


def step_of(steps: list[Step], one: Object) -> Step:
    """Return what was done with one object."""
    (found,) = (s for s in steps if (s.kind, s.name) == (one.kind, one.name))
    return found


@VERSIONS
def test_everything_is_installed_once(version: str) -> None:
    """All objects are created; a second run finds them unchanged and sends nothing."""
    fake = FakeKibana(version)

    first = set_up(fake)
    sent = list(fake.changes)
    second = set_up(fake)

    assert actions(first) == {"create"}
    assert len(first) == len(objects())
    assert sent == [
        IMPORT,
        DETECTION_IMPORT,
        *(
            f"POST /api/{place}/{one.id}"
            for kind, place in (
                (Kind.CONNECTOR, "actions/connector"),
                (Kind.RULE, "alerting/rule"),
            )
            for one in objects()
            if one.kind is kind
        ),
    ]
    assert actions(second) == {"unchanged"}
    assert fake.changes == sent


def test_plan_changes_nothing() -> None:
    """A plan, and a plan of the removal, only ask."""
    fake = FakeKibana()
    with connected(fake) as client:
        planned = plan(client, rules="both")
        removal = plan_removal(client)

    assert actions(planned) == {"create"}
    assert removal == []
    assert fake.changes == []


@pytest.mark.parametrize(
    ("rules", "kinds"),
    [
        ("none", set(SAVED)),
        ("stack", {*SAVED, Kind.CONNECTOR, Kind.RULE}),
        ("security", {*SAVED, Kind.DETECTION}),
    ],
)
def test_form_of_the_rules(rules: Rules, kinds: set[str]) -> None:
    """Only the form that is asked for is installed."""
    assert {step.kind for step in set_up(FakeKibana(), rules)} == kinds


def test_headers() -> None:
    """Requests carry the key and the header against forgery, files their name."""
    fake = FakeKibana()
    set_up(fake)

    assert {each.headers["authorization"] for each in fake.requests} == {"ApiKey a2V5"}
    assert all("kbn-xsrf" in each.headers for each in fake.requests)
    upload = next(each for each in fake.requests if each.line == IMPORT)
    assert [line["id"] for line in upload.body] == [
        one.id for one in objects() if one.kind in SAVED
    ]


def test_basic_authentication() -> None:
    """Without a key the user's name and password are sent (base64 of name:word)."""
    fake = FakeKibana()
    with fake.serving() as url:
        settings = KibanaSettings(url=url, username="soc", password=Secret("word"))
        with Kibana(settings) as client:
            probe(client)

    assert fake.requests[0].headers["authorization"] == "Basic c29jOndvcmQ="


def test_base_path() -> None:
    """Behind a proxy the base path stands before everything else, and the space."""
    fake = FakeKibana(base="/kibana", spaces=("soc",))
    with fake.serving() as url:
        with Kibana(KibanaSettings(url=f"{url}/", space="soc")) as client:
            title = probe(client).title
            done = apply(client, plan(client, rules="none"))
        with (
            Kibana(KibanaSettings(url=url.removesuffix("/kibana"))) as client,
            pytest.raises(SinkUnavailable, match="base path"),
        ):
            probe(client)

    assert title == "Kibana 9.2.0, space soc"
    assert actions(done) == {"create"}
    assert {space for space, _, _ in fake.saved} == {"soc"}


def test_second_space() -> None:
    """Where another space has our ids, the ids there are told, and known again."""
    fake = FakeKibana(spaces=("soc",))
    set_up(fake, "stack")
    rules = set(fake.single)
    first = set_up(fake, "stack", "soc")
    second = set_up(fake, "stack", "soc")
    with connected(fake, "soc") as client:
        removed = apply(client, plan_removal(client))

    assert actions(first) == {"create"}
    assert "soc-sms-fleet-overview" in step_of(first, DASHBOARD).reason
    assert actions(second) == {"unchanged"}
    assert actions(removed) == {"remove"}
    assert {space for space, _, _ in fake.saved} == {"default"}
    assert set(fake.single) == rules


def test_changed_object_is_updated() -> None:
    """What was changed by hand is named, and put right."""
    fake = FakeKibana()
    set_up(fake)
    attributes = fake.saved["default", "dashboard", DASHBOARD.id]["attributes"]
    panels = json.loads(attributes["panelsJSON"])
    panels[0]["gridData"]["w"] = 7
    attributes["panelsJSON"] = json.dumps(panels)
    fake.single[RULE_PLACE]["schedule"] = {"interval": "9m"}
    with connected(fake) as client:
        planned = plan(client, rules="both")
        done = apply(client, planned)

    assert [s.name for s in planned if s.action != "unchanged"] == [
        DASHBOARD.name,
        RULE.name,
    ]
    assert "schedule.interval: 9m, not 30m" in step_of(planned, RULE).changes
    assert actions(done) == {"update", "unchanged"}
    assert fake.changes[-2:] == [IMPORT, f"PUT /api/alerting/rule/{RULE.id}"]
    assert actions(set_up(fake)) == {"unchanged"}


def test_what_people_added_stays() -> None:
    """An action, an exception, and a rule switched on or off outlive an update."""
    fake = FakeKibana()
    set_up(fake)
    mail = {"id": "mail", "group": "query matched", "params": {"to": ["soc@x"]}}
    rule = fake.single[RULE_PLACE]
    rule["actions"].append(mail | {"uuid": "1", "connector_type_id": ".email"})
    rule |= {"enabled": False, "name": "renamed"}
    exceptions = [{"id": "e", "list_id": "l", "type": "detection"}]
    fake.single[DETECTION_PLACE] |= {
        "enabled": True,
        "exceptions_list": exceptions,
        "note": "changed",
    }

    done = set_up(fake)

    assert step_of(done, RULE).action == "update"
    assert rule["enabled"] is False
    assert [action["id"] for action in rule["actions"]] == [CONNECTOR.id, "mail"]
    put = next(each for each in fake.requests if each.method == "PUT")
    assert put.body["actions"][-1] == mail | {"uuid": "1"}
    found = fake.single[DETECTION_PLACE]
    assert found["enabled"] is True
    assert found["exceptions_list"] == exceptions
    assert found["note"] == DETECTION.body["note"]


def test_foreign_object_is_left_alone() -> None:
    """An object that has our id, but another title, is not overwritten or removed."""
    fake = FakeKibana()
    foreign = {
        "type": "dashboard",
        "id": DASHBOARD.id,
        "references": [],
        "attributes": {"title": "Trucks"},
    }
    fake.saved["default", "dashboard", DASHBOARD.id] = foreign

    done = set_up(fake)
    with connected(fake) as client:
        removal = plan_removal(client)

    assert step_of(done, DASHBOARD).action == "skipped"
    assert "'Trucks'" in step_of(done, DASHBOARD).reason
    assert step_of(removal, DASHBOARD).action == "kept"
    assert fake.saved["default", "dashboard", DASHBOARD.id] is foreign


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"type": "conflict", "destinationId": "d1"}, "dashboard d1 is in its place"),
    (
        {"type": "ambiguous_conflict", "destinations": [{"id": "d1"}, {"id": "d2"}]},
        "several were made of it in this space (d1, d2)",
    ),
    (
        {
            "type": "missing_references",
            "references": [{"type": "index-pattern", "id": "sms-records"}],
        },
        "it refers to index-pattern sms-records, which this space has not",
    ),
    ({"type": "unsupported_type"}, "this Kibana has no dashboard"),
    (
        {
            "type": "unknown",
            "statusCode": 422,
            "message": 'Document "sms-fleet-overview" belongs to a more recent version'
            " of Kibana [8.9.0] when the last known version is [8.8.0].",
        },
        "belongs to a more recent version of Kibana [8.9.0]",
    ),
]


@VERSIONS
@pytest.mark.parametrize(("problem", "words"), PROBLEMS, ids=lambda p: str(p)[:20])
def test_refused_import_behind_200(
    version: str, problem: dict[str, Any], words: str
) -> None:
    """A refused object is told in words, though the answer is 200.

    With an error that could be resolved, Kibana writes none of the file, and still
    lists the others as if it had.
    """
    error = {"type": "dashboard", "id": DASHBOARD.id, "meta": {}, "error": problem}
    others = [
        {"type": one.kind, "id": one.id, "meta": {}}
        for one in objects()
        if one.kind in SAVED and one is not DASHBOARD
    ]
    said = {IMPORT: imported(others, [error], success=False)}

    done = set_up(FakeKibana(version, said=said), "none")

    step = step_of(done, DASHBOARD)
    assert step.action == "refused"
    assert words in step.reason
    assert isinstance(step.error, SinkUnavailable)
    kept = problem["type"] in {"unknown", "unsupported_type"}
    assert step_of(done, DATA_VIEW).action == ("create" if kept else "refused")


def test_object_without_an_account() -> None:
    """An object the answer does not mention was not imported."""
    done = set_up(FakeKibana(said={IMPORT: imported([])}), "none")

    assert actions(done) == {"refused"}
    assert "does not say why" in done[0].reason


def test_overwritten_object() -> None:
    """What was there after all is reported as updated."""
    result = {"type": "index-pattern", "id": "sms-records", "overwrite": True}

    done = set_up(FakeKibana(said={IMPORT: imported([result])}), "none")

    assert step_of(done, DATA_VIEW).action == "update"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (
            refused(400, "Non-unique import objects detected: [dashboard:x]"),
            SinkUnavailable,
            "Non-unique import objects detected: [dashboard:x]",
        ),
        (
            refused(403, "Unable to bulk_create dashboard,search"),
            NotPermitted,
            "Unable to bulk_create dashboard,search",
        ),
        (
            Said(status=413, body="<html><h1>Request Entity Too Large</h1></html>"),
            SinkUnavailable,
            "Request Entity Too Large",
        ),
    ],
)
def test_refused_file(said: Said, kind: type[Exception], words: str) -> None:
    """A file that is refused as a whole is told with Kibana's words, page or JSON."""
    fake = FakeKibana(said={IMPORT: said})

    done = set_up(fake, "stack")

    saved = [step for step in done if step.kind in SAVED]
    assert actions(saved) == {"refused"}
    assert words in saved[0].reason
    assert "<" not in saved[0].reason
    assert isinstance(first_error(done), kind)
    assert step_of(done, RULE).action == "create"


def test_refused_connector() -> None:
    """Rules are not tried without the connector they write with."""
    words = "Action type .index is disabled because your basic license has expired."
    fake = FakeKibana(
        said={f"POST /api/actions/connector/{CONNECTOR.id}": refused(403, words)}
    )

    done = set_up(fake, "stack")

    error = first_error(done)
    assert isinstance(error, NotPermitted)
    assert "The licence does not include it" in error.remedy
    assert words.rstrip(".") in step_of(done, CONNECTOR).reason
    assert (
        step_of(done, RULE).reason == f"not tried, because {CONNECTOR.name} was refused"
    )
    assert step_of(done, DASHBOARD).action == "create"


def test_refused_rule() -> None:
    """One rule that is refused does not keep the others from being installed."""
    words = "[request body.params]: [termField]: expected value of type [string]"
    said = {f"POST /api/alerting/rule/{RULE.id}": refused(400, words)}

    done = set_up(FakeKibana(said=said), "stack")

    assert [step.name for step in done if step.error] == [RULE.name]
    assert words in step_of(done, RULE).reason


def test_rule_of_another_type() -> None:
    """The type of a rule cannot be changed; that is said instead of tried."""
    fake = FakeKibana()
    set_up(fake)
    fake.single[RULE_PLACE]["rule_type_id"] = ".index-threshold"

    done = set_up(fake)

    assert step_of(done, RULE).action == "refused"
    assert "is there as .index-threshold, not .es-query" in step_of(done, RULE).reason


def test_rules_that_may_not_be_seen() -> None:
    """Missing rights to rules are told; dashboards are installed all the same."""
    words = "Unauthorized to get a rule"
    said = {
        f"GET /api/alerting/rule/{one.id}": refused(403, words)
        for one in objects()
        if one.kind is Kind.RULE
    }

    done = set_up(FakeKibana(said=said), "stack")

    assert words in step_of(done, RULE).reason
    assert isinstance(first_error(done), NotPermitted)
    assert step_of(done, DASHBOARD).action == "create"


def test_refused_detection_rules() -> None:
    """An import of rules is judged rule by rule, though the answer is 200."""
    words = "alert suppression needs another license"
    errors = [
        {"rule_id": DETECTION.id, "error": {"status_code": 403, "message": words}}
    ]
    fake = FakeKibana()
    set_up(fake, "security")
    fake.single[DETECTION_PLACE]["note"] = "changed"
    fake.said[DETECTION_IMPORT] = detected(0, errors)

    done = set_up(fake, "security")

    assert [step.name for step in done if step.error] == [DETECTION.name]
    assert words in step_of(done, DETECTION).reason
    assert isinstance(step_of(done, DETECTION).error, NotPermitted)


def test_refused_file_of_detection_rules() -> None:
    """An error that names no rule is one of all of them."""
    words = "Unexpected token in JSON"
    errors = [
        {"rule_id": "(unknown id)", "error": {"status_code": 400, "message": words}}
    ]
    said = {DETECTION_IMPORT: detected(0, errors)}

    done = set_up(FakeKibana(said=said), "security")

    rules = [step for step in done if step.kind == Kind.DETECTION]
    assert actions(rules) == {"refused"}
    assert words in rules[0].reason


def test_no_detection_engine() -> None:
    """A Kibana without the detection engine gets the rest."""
    done = set_up(FakeKibana(detection=False))

    step = step_of(done, DETECTION)
    assert (step.action, step.reason) == (
        "skipped",
        "this Kibana has no detection rules",
    )
    assert first_error(done) is None


def test_removal() -> None:
    """Everything of ours is removed, users before what they use; others' stays."""
    fake = FakeKibana()
    set_up(fake)
    others = {
        "type": "lens",
        "id": "x",
        "attributes": {"title": "Mine"},
        "references": [{"name": "r", "type": "index-pattern", "id": DATA_VIEW.id}],
    }
    fake.saved["default", "lens", "x"] = others
    fake.single["/api/alerting/rule", "theirs"] = {"actions": [{"id": CONNECTOR.id}]}
    before = len(fake.changes)

    with connected(fake) as client:
        steps = plan_removal(client)
        planned = len(fake.changes)
        done = apply(client, steps)

    assert planned == before
    kept = {s.name: s.reason for s in done if s.action == "kept"}
    assert kept == {
        DATA_VIEW.name: "the lens 'Mine' uses it",
        CONNECTOR.name: "1 more of your objects use it",
    }
    assert set(fake.saved) == {
        ("default", "lens", "x"),
        ("default", "index-pattern", DATA_VIEW.id),
    }
    assert set(fake.single) == {
        ("/api/actions/connector", CONNECTOR.id),
        ("/api/alerting/rule", "theirs"),
    }
    with connected(fake) as client:
        assert actions(plan_removal(client)) == {"kept"}


def test_removal_of_what_other_spaces_share() -> None:
    """What Kibana does not remove is told in its words, and the rest is removed."""
    words = (
        "Unable to delete saved object that exists in multiple namespaces, use the"
        " `force` option to delete it anyway"
    )
    fake = FakeKibana()
    set_up(fake, "none")
    fake.said[f"DELETE /api/saved_objects/index-pattern/{DATA_VIEW.id}"] = refused(
        400, words
    )

    with connected(fake) as client:
        done = apply(client, plan_removal(client))

    assert words in step_of(done, DATA_VIEW).reason
    assert [step.name for step in done if step.error] == [DATA_VIEW.name]


def test_removal_without_rights() -> None:
    """Nothing is removed by somebody who may not see everything."""
    fake = FakeKibana()
    set_up(fake)
    before = len(fake.changes)
    fake.said[f"GET /api/alerting/rule/{RULE.id}"] = refused(403, "Unauthorized")

    with connected(fake) as client, pytest.raises(NotPermitted):
        plan_removal(client)

    assert len(fake.changes) == before


def test_names_are_unique() -> None:
    """Steps name an object by kind and name, so no two share them, nor an id."""
    named = {(one.kind, one.name) for one in objects()}

    assert len(named) == len(objects())
    assert len({(one.kind, one.id) for one in objects()}) == len(objects())
    assert "" not in {one.name for one in objects()}
