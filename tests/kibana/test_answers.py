# SPDX-License-Identifier: Apache-2.0
"""Answers of Kibana that are no plain yes, and what people have changed meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.config import KibanaSettings
from shipper.errors import ConfigError, NotPermitted, SinkUnavailable
from shipper.kibana import Kibana, apply, plan, plan_removal
from shipper.kibana.objects import SAVED, Kind, objects
from shipper.stack import first_error
from tests.fakes.kibana import FakeKibana, Request, Said, detected, imported, refused
from tests.kibana.test_setup import (
    CONNECTOR,
    DASHBOARD,
    DATA_VIEW,
    DETECTION,
    DETECTION_IMPORT,
    DETECTION_PLACE,
    IMPORT,
    RULE,
    RULE_PLACE,
    actions,
    connected,
    set_up,
    step_of,
)


class Reluctant(FakeKibana):
    """Writes what it is sent, but for some objects, and complains in its own way.

    Args:
        without: ids that it does not write.
        errors: what it complains of when it is sent saved objects.
        unread: the same of detection rules.
    """

    def __init__(
        self,
        without: tuple[str, ...],
        errors: list[dict[str, Any]],
        unread: tuple[dict[str, Any], ...] = (),
    ) -> None:
        super().__init__()
        self.without = without
        self.errors = errors
        self.unread = unread

    def _import(self, request: Request, space: str) -> Said:
        kept = [line for line in request.body if line["id"] not in self.without]
        results = super()._import(
            Request(method="POST", path="", query=request.query, body=kept), space
        )
        found = results.body["successResults"]
        return imported(found, self.errors, success=bool(self.unread))

    def _detection(self, request: Request) -> Said:
        if not request.path.endswith("_import"):
            return super()._detection(request)
        kept = [each for each in request.body if each["rule_id"] not in self.without]
        super()._detection(Request(method="POST", path=request.path, body=kept))
        return detected(len(kept), [*self.unread])


def test_conflict_after_the_rest_was_written() -> None:
    """Somebody was faster with one object: the others are there, and told as such."""
    error = {"type": "dashboard", "id": DASHBOARD.id, "error": {"type": "conflict"}}
    fake = Reluctant((DASHBOARD.id,), [error])

    done = set_up(fake, "none")

    assert [step.name for step in done if step.error] == [DASHBOARD.name]
    assert step_of(done, DATA_VIEW).action == "create"


def test_failure_without_an_error() -> None:
    """Of an import that failed and says nothing, what is there counts."""
    done = set_up(Reluctant((DATA_VIEW.id,), []), "none")

    assert [step.name for step in done if step.error] == [DATA_VIEW.name]
    assert "does not say why" in step_of(done, DATA_VIEW).reason


def test_alias_that_could_not_be_made() -> None:
    """Links to an object in another space would lead nowhere: the object is refused."""
    problem = {"type": "unknown", "statusCode": 409, "message": "alias conflict"}
    name = f"default:dashboard:{DASHBOARD.id}"
    error = {"type": "legacy-url-alias", "id": name, "error": problem}

    done = set_up(Reluctant((), [error]), "none")

    assert "alias conflict" in step_of(done, DASHBOARD).reason
    assert [step.name for step in done if step.error] == [DASHBOARD.name]


def test_complaint_about_something_else() -> None:
    """An error about what was not sent is told all the same."""
    problem = {"type": "unknown", "statusCode": 500, "message": "index is closed"}
    error = {"type": "tag", "id": "t1", "error": problem}

    done = set_up(Reluctant((), [error]), "none")

    (wrong,) = (step for step in done if step.error)
    assert (wrong.kind, wrong.name, wrong.action) == ("tag", "t1", "refused")
    assert "index is closed" in wrong.reason


def test_detection_rule_that_could_not_be_read() -> None:
    """An error without a rule's id is that of the rule that is not there."""
    problem = {"status_code": 400, "message": "risk_score: Expected number"}
    unread = ({"rule_id": "(unknown id)", "error": problem},)

    done = set_up(Reluctant((DETECTION.id,), [], unread), "security")

    assert [step.name for step in done if step.error] == [DETECTION.name]
    assert "risk_score: Expected number" in step_of(done, DETECTION).reason


@pytest.mark.parametrize("named", [DETECTION.id, f"{DETECTION.id},another"])
def test_file_of_detection_rules_that_was_held_back(named: str) -> None:
    """8.17 writes no rule where some lack a connector, and names those in one id."""
    problem = {"status_code": 404, "message": "1 connector is missing: c1"}
    unread = ({"rule_id": named, "error": problem},)
    every = tuple(one.id for one in objects() if one.kind is Kind.DETECTION)

    done = set_up(Reluctant(every, [], unread), "security")

    rules = [step for step in done if step.kind == Kind.DETECTION]
    assert actions(rules) == {"refused"}
    assert all("1 connector is missing: c1" in step.reason for step in rules)
    assert not any("address" in step.error.remedy for step in rules if step.error)


def test_two_detection_rules_that_could_not_be_read() -> None:
    """Errors without a name are told one and all."""
    words = ("risk_score: Expected number", "name: Required")
    unread = tuple(
        {"rule_id": "(unknown id)", "error": {"status_code": 400, "message": each}}
        for each in words
    )

    done = set_up(Reluctant((DETECTION.id,), [], unread), "security")

    assert "; ".join(words) in step_of(done, DETECTION).reason


def test_detection_rules_that_are_missing_without_an_error() -> None:
    """A count that is short is an answer that leaves something out."""
    done = set_up(Reluctant((DETECTION.id,), []), "security")

    assert [step.name for step in done if step.error] == [DETECTION.name]
    assert "does not say why" in step_of(done, DETECTION).reason


@pytest.mark.parametrize(
    ("place", "last"),
    [
        (IMPORT, None),
        (DETECTION_IMPORT, Kind.DASHBOARD),
        (f"POST /api/alerting/rule/{RULE.id}", Kind.CONNECTOR),
    ],
    ids=["saved objects", "detection rules", "a rule"],
)
def test_connection_lost_half_way(place: str, last: Kind | None) -> None:
    """What was done is told, and what was not; the rest is not tried."""
    fake = FakeKibana(said={place: Said(status=0)})

    done = set_up(fake)

    created = [step for step in done if step.action == "create"]
    assert [step.kind for step in created][-1:] == ([last] if last else [])
    refusals = done[len(created) :]
    assert actions(refusals) == {"refused"}
    assert refusals[-1].reason.startswith("not tried")
    assert isinstance(first_error(done), SinkUnavailable)
    assert fake.changes[-1] == place


def test_actions_artifacts_and_tags_of_people_stay() -> None:
    """Actions through our connector, a guide and a tag outlive an update."""
    fake = FakeKibana("9.5.1")
    set_up(fake)
    rule = fake.single[RULE_PLACE]
    ours = rule["actions"][0] | {"uuid": "ours"}
    added = {
        "id": CONNECTOR.id,
        "group": "recovered",
        "params": {"documents": [{}]},
        "frequency": {"summary": False, "notify_when": "onActionGroupChange"},
    }
    again = RULE.body["actions"][0] | {"uuid": "again", "params": {"documents": []}}
    rule["actions"] = [
        added | {"connector_type_id": ".index", "uuid": "added"},
        ours,
        again,
    ]
    guide = {"blob": "ask Kim"}
    rule["artifacts"] = {"dashboards": [], "investigation_guide": guide}
    rule["tags"] = [*rule["tags"], "team: desk"]
    unchanged = set_up(fake)
    rule["name"] = "renamed"

    done = set_up(fake)

    assert actions(unchanged) == {"unchanged"}
    assert step_of(done, RULE).action == "update"
    put = next(each.body for each in fake.requests if each.method == "PUT")
    own = RULE.body["actions"][0] | {"uuid": "ours"}
    assert put["actions"] == [own, added | {"uuid": "added"}, again]
    assert put["artifacts"] == {"investigation_guide": guide}
    assert put["tags"] == [*RULE.body["tags"], "team: desk"]
    assert put["name"] == RULE.body["name"]


def test_what_people_add_to_detection_rules_stays() -> None:
    """A change in bulk is no reason for an update, and no update takes it back."""
    fake = FakeKibana()
    set_up(fake)
    rule = fake.single[DETECTION_PLACE]
    added = {
        "alert_suppression": {"duration": {"unit": "h", "value": 1}},
        "investigation_fields": {"field_names": ["host.name"]},
        "response_actions": [{"action_type_id": ".osquery", "params": {}}],
        "timeline_id": "t1",
        "timeline_title": "Desk",
    }
    rule |= added | {"version": 4}
    rule["tags"] = [*rule["tags"], "team: desk"]
    unchanged = set_up(fake)
    rule["note"] = "changed"

    done = set_up(fake)

    assert actions(unchanged) == {"unchanged"}
    assert step_of(done, DETECTION).action == "update"
    found = fake.single[DETECTION_PLACE]
    assert {name: found[name] for name in added} == added
    assert found["tags"] == [*DETECTION.body["tags"], "team: desk"]
    assert found["note"] == DETECTION.body["note"]


def test_connector_that_only_others_use() -> None:
    """Our action was taken out of a rule: the one use left is somebody else's."""
    fake = FakeKibana()
    set_up(fake, "stack")
    fake.single[RULE_PLACE]["actions"] = []
    fake.single["/api/alerting/rule", "theirs"] = {"actions": [{"id": CONNECTOR.id}]}

    with connected(fake) as client:
        removal = plan_removal(client)

    assert step_of(removal, CONNECTOR).action == "kept"


def test_connector_that_our_own_rules_use_more_than_once() -> None:
    """Actions people added to our rules go with the rules, and keep nothing."""
    fake = FakeKibana()
    set_up(fake)
    more = {"id": CONNECTOR.id, "group": "recovered", "params": {}}
    fake.single[RULE_PLACE]["actions"].append(more)
    fake.single[DETECTION_PLACE]["actions"] = [more | {"action_type_id": ".index"}]

    with connected(fake) as client:
        removal = plan_removal(client)

    assert actions(removal) == {"remove"}


def test_data_view_that_a_rule_searches() -> None:
    """A rule of others on a data view of ours keeps it, and is named."""
    fake = FakeKibana()
    set_up(fake)
    search = {"index": DATA_VIEW.id, "query": {"language": "kuery", "query": ""}}
    theirs = {"name": "Mine", "params": {"searchConfiguration": search}}
    fake.single["/api/alerting/rule", "theirs"] = theirs

    with connected(fake) as client:
        removal = plan_removal(client)

    kept = {step.name: step.reason for step in removal if step.action == "kept"}
    assert kept == {DATA_VIEW.name: "the alerting-rule 'Mine' uses it"}


def test_object_that_is_gone_when_it_is_read() -> None:
    """What is found and gone a moment later is not installed."""
    ghost = {"type": "dashboard", "id": DASHBOARD.id, "attributes": {}}
    found = Said(body={"saved_objects": [ghost]})
    fake = FakeKibana(said={"GET /api/saved_objects/_find": found})

    with connected(fake) as client:
        planned = plan(client)

    assert step_of(planned, DASHBOARD).action == "create"


@pytest.mark.parametrize("rules", ["stack", "none"])
def test_removal_without_rights_to_detection_rules(rules: Any) -> None:  # noqa: ANN401
    """Who never had detection rules need not be allowed to see them."""
    fake = FakeKibana()
    set_up(fake, "stack")
    fake.said["GET /api/detection_engine/rules"] = refused(403, "Unauthorized")
    with connected(fake) as client:
        done = apply(client, plan_removal(client, rules=rules))
        with pytest.raises(NotPermitted):
            plan_removal(client, rules="security")

    (skipped,) = (step for step in done if step.action == "skipped")
    assert skipped.kind == Kind.DETECTION
    assert fake.saved == {}


def test_removal_without_rights_to_rules() -> None:
    """Who never had rules need not be allowed to see them, and is told so."""
    fake = FakeKibana()
    set_up(fake, "none")
    hidden = refused(403, "Unauthorized to find rules for any rule types")
    fake.said["GET /api/alerting/rules/_find"] = hidden
    fake.said[f"GET /api/alerting/rule/{RULE.id}"] = refused(403, "Unauthorized")

    with connected(fake) as client:
        done = apply(client, plan_removal(client, rules="none"))

    (skipped,) = (step for step in done if step.action == "skipped")
    assert skipped.kind == Kind.RULE
    assert fake.saved == {}


def test_already_gone() -> None:
    """What somebody has removed meanwhile is removed."""
    fake = FakeKibana()
    set_up(fake, "stack")
    with connected(fake) as client:
        steps = plan_removal(client)
        fake.said[f"DELETE /api/alerting/rule/{RULE.id}"] = refused(404, "not found")
        done = apply(client, steps)

    assert first_error(done) is None


@pytest.mark.parametrize("one", [CONNECTOR, RULE], ids=lambda one: one.kind)
def test_id_that_another_space_has(one: Any) -> None:  # noqa: ANN401  an object of ours
    """A conflict that cannot be seen from here is told with what to do about it."""
    place = "actions/connector" if one is CONNECTOR else "alerting/rule"
    said = {f"POST /api/{place}/{one.id}": refused(409, f"[{one.id}] conflict")}

    done = set_up(FakeKibana(said=said), "stack")

    error = step_of(done, one).error
    assert error is not None
    assert "Another space has its id" in error.remedy


class Busy(FakeKibana):
    """Has too much to do the first time it is sent something.

    Args:
        said: what it says then.
    """

    def __init__(self, said: Said) -> None:
        super().__init__()
        self.busy = said

    def _known(self, request: Request, space: str) -> Said:
        first = [each.line for each in self.requests].count(request.line) == 1
        return self.busy if first else super()._known(request, space)


@pytest.mark.parametrize(
    ("asked", "waited"), [("", 1.0), ("7", 7.0), ("3600", 30.0), ("soon", 1.0)]
)
def test_busy_at_first(asked: str, waited: float) -> None:
    """What Kibana was too busy for is sent again, when it asks for it but soon."""
    waits: list[float] = []
    busy = Said(status=429, body={"message": "Too Many"}, retry_after=asked)

    with connected(Busy(busy), waits=waits) as client:
        done = apply(client, plan(client, rules="both"))

    assert actions(done) == {"create"}
    assert set(waits) == {waited}


def test_unavailable_at_first() -> None:
    """A rule that may have been created is not created again."""
    fake = Busy(refused(503, "unavailable"))

    done = set_up(fake, "stack")

    saved = [step for step in done if step.kind in SAVED]
    assert actions(saved) == {"create"}
    assert step_of(done, CONNECTOR).action == "refused"
    sent = [each.line for each in fake.requests]
    assert sent.count(IMPORT) == 2
    assert sent.count(f"POST /api/actions/connector/{CONNECTOR.id}") == 1


def test_too_busy() -> None:
    """A Kibana that stays busy is told with what to do about it."""
    fake = FakeKibana(said={IMPORT: refused(429, "Too Many Requests")})

    error = first_error(set_up(fake, "none"))

    assert [each.line for each in fake.requests].count(IMPORT) == 3
    assert error is not None
    assert "Try again later" in error.remedy


def test_form_that_was_asked_for_and_is_not_there() -> None:
    """Detection rules alone were wanted, and none can be had: that is no success."""
    done = set_up(FakeKibana(detection=False), "security")

    error = step_of(done, DETECTION).error
    assert error is not None
    assert "kibana.rules" in error.remedy


@pytest.mark.parametrize(
    ("path", "words", "remedy"),
    [
        ("/s/soc", "the space soc", "--kibana-space soc"),
        ("/kibana/s/soc/app/home", "the space soc", "--kibana-space soc"),
        ("/app/dashboards#/list", "a page", "https://siem.example/kibana"),
    ],
)
def test_address_from_a_browser(path: str, words: str, remedy: str) -> None:
    """An address that leads into Kibana is refused, and the right one named."""
    with pytest.raises(ConfigError) as caught:
        Kibana(KibanaSettings(url=f"https://siem.example{path}", space="soc"))

    assert f"it leads to {words} of Kibana" in caught.value.message
    assert remedy in caught.value.remedy


def test_rule_that_runs_with_our_key() -> None:
    """Rules set up with an API key run with it, and end with it: that is said."""
    body = RULE.body | {"id": RULE.id, "api_key_created_by_user": True}
    fake = FakeKibana(said={f"POST /api/alerting/rule/{RULE.id}": Said(body=body)})

    with connected(fake) as client:
        done = apply(client, plan(client, rules="stack"))

    assert step_of(done, RULE).reason.startswith("it runs with the API key")
