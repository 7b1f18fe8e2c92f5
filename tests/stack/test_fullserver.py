# SPDX-License-Identifier: Apache-2.0
"""Set-up against full servers of both majors, played at the wire."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import pytest
from elasticsearch import Elasticsearch

from shipper.config import SetupSettings
from shipper.errors import NotPermitted, SinkUnavailable, UsageProblem
from shipper.stack import (
    OWNER,
    Kind,
    Step,
    apply,
    assets,
    create_key,
    ensure,
    first_error,
    plan,
    plan_removal,
)
from shipper.stack.assets import asset
from shipper.stack.tailoring import LOGSDB
from tests.fakes.answering import Answer, answering
from tests.fakes.fullserver import FullServer, problem

both_majors = pytest.mark.parametrize("version", ["8.17.4", "9.2.0"])
_ILM = "_ilm/policy"
_COMPONENT = "_component_template"
_TEMPLATE = "_index_template"
_FORBIDDEN = problem(
    403,
    "security_exception",
    "action [cluster:admin/transform/put] is unauthorized for user [ops] with"
    " effective roles [ops], this action is granted by the cluster privileges"
    " [manage_data_frame_transforms,manage_transform,manage,all]",
)
_NO_LICENCE = problem(
    403, "security_exception", "current license is non-compliant for [transform]"
)
_ARRIVAL = {"default_pipeline": "logs-sms.arrival-1"}
_PIPELINES = [one.name for one in assets() if one.kind is Kind.INGEST_PIPELINE]
#: What everything is on a server that has it all, by kind, in order.
_ALL = {
    Kind.ILM_POLICY: ["logs-sms.records", "logs-sms.shipper", "logs-sms.state"],
    Kind.INGEST_PIPELINE: _PIPELINES,
    Kind.COMPONENT_TEMPLATE: [
        "logs-sms.ccm@mappings",
        "logs-sms.ccm@settings",
        "logs-sms.clisvc@mappings",
        "logs-sms.clisvc@settings",
        "logs-sms.shipper@mappings",
        "logs-sms.shipper@settings",
        "logs-sms.state@mappings",
        "logs-sms.state@settings",
        "logs-sms@mappings",
        "logs-sms@settings",
    ],
    Kind.INDEX_TEMPLATE: [
        "logs-sms.ccm",
        "logs-sms.clisvc",
        "logs-sms.shipper",
        "logs-sms.state",
        "sms-agent-state",
        "sms-host-state",
    ],
    Kind.TRANSFORM: ["sms-agent-state", "sms-host-state"],
    Kind.ROLE: ["clisvc_reader", "clisvc_setup", "clisvc_verifier", "clisvc_writer"],
}


@contextmanager
def connected(server: FullServer) -> Iterator[Elasticsearch]:
    """Yield a client of a played server."""
    with answering(server) as url, Elasticsearch(url, max_retries=0) as client:
        yield client


def _taken(steps: list[Step], action: str) -> dict[str, list[str]]:
    taken: dict[str, list[str]] = {}
    for step in steps:
        if step.action == action:
            taken.setdefault(step.kind, []).append(step.name)
    return taken


@both_majors
def test_everything_in_order(version: str) -> None:
    """A full server gets it all: what is referred to before what refers to it."""
    server = FullServer(version)
    with connected(server) as client:
        steps = apply(client, plan(client))

    expected = [
        *(f"PUT /_ilm/policy/{name}" for name in _ALL[Kind.ILM_POLICY]),
        *(f"PUT /_ingest/pipeline/{name}" for name in _PIPELINES),
        *(f"PUT /{_COMPONENT}/{name}" for name in _ALL[Kind.COMPONENT_TEMPLATE]),
        *(f"PUT /{_TEMPLATE}/{name}" for name in _ALL[Kind.INDEX_TEMPLATE]),
        "PUT /_transform/sms-agent-state",
        "POST /_transform/sms-agent-state/_start",
        "PUT /_transform/sms-host-state",
        "POST /_transform/sms-host-state/_start",
        *(f"PUT /_security/role/{name}" for name in _ALL[Kind.ROLE]),
    ]
    assert server.changes == expected
    assert _taken(steps, "create") == _ALL
    assert first_error(steps) is None


@both_majors
def test_second_run(version: str) -> None:
    """A second run finds everything unchanged and writes nothing."""
    server = FullServer(version)
    with connected(server) as client:
        apply(client, plan(client))
        server.changes.clear()
        steps = apply(client, plan(client))

    assert {step.action for step in steps} == {"unchanged"}
    assert server.changes == []


def test_changes_by_hand() -> None:
    """What somebody changed is shown value by value, and put right."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        delete = server.objects[_ILM]["logs-sms.state"]["policy"]["phases"]["delete"]
        delete["min_age"] = "9d"
        settings = server.objects[_COMPONENT]["logs-sms@settings"]["template"]
        settings["settings"]["index"]["mapping"]["total_fields"]["limit"] = 5
        settings["settings"]["index"]["number_of_replicas"] = 0
        changes = {step.name: step.changes for step in plan(client) if step.changes}
        apply(client, plan(client))
        after = {step.action for step in plan(client)}

    assert changes == {
        "logs-sms.state": ("policy.phases.delete.min_age: 9d, not 730d",),
        "logs-sms@settings": (
            "template.settings.index.mapping.total_fields.limit: 5, not 1000",
            "template.settings.index.number_of_replicas: 0, not nothing",
        ),
    }
    assert after == {"unchanged"}


def test_changed_transform_is_made_anew() -> None:
    """What a transform groups by cannot be updated: it is replaced, its index kept."""
    server = FullServer("8.17.4")
    with connected(server) as client:
        apply(client, plan(client))
        server.objects["_transform"]["sms-host-state"]["frequency"] = "1h"
        server.changes.clear()
        apply(client, plan(client))

    assert server.changes == [
        "POST /_transform/sms-host-state/_stop",
        "DELETE /_transform/sms-host-state",
        "PUT /_transform/sms-host-state",
        "POST /_transform/sms-host-state/_start",
    ]


def test_retention() -> None:
    """Documents are kept as long as the settings say."""
    server = FullServer("9.2.0")
    settings = SetupSettings(records_days=14, states_days=400, shipper_days=7)
    with connected(server) as client:
        apply(client, plan(client, settings=settings))

    ages = {
        name: body["policy"]["phases"]["delete"]["min_age"]
        for name, body in server.objects[_ILM].items()
    }
    assert ages == {
        "logs-sms.records": "14d",
        "logs-sms.shipper": "7d",
        "logs-sms.state": "400d",
    }


def test_stream_lifecycle_when_asked() -> None:
    """A data stream's own lifecycle takes the policy's place, and wins over others'."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        steps = plan(client, settings=SetupSettings(lifecycle="dsl"))
        apply(client, steps)

    template = server.objects[_COMPONENT]["logs-sms.state@settings"]["template"]
    assert template == {
        "lifecycle": {"enabled": True, "data_retention": "730d"},
        "settings": {"index": _ARRIVAL | {"lifecycle": {"prefer_ilm": False}}},
    }
    assert server.objects[_ILM] == {}
    assert _taken(steps, "skipped") == {
        Kind.ILM_POLICY: _ALL[Kind.ILM_POLICY],
    }


def test_serverless() -> None:
    """Without policies the data streams' own lifecycle is found by asking."""
    gone = problem(410, "api_not_available_exception", "Not available on serverless")
    server = FullServer(
        "9.2.0",
        flavor="serverless",
        refused={"GET /_ilm/policy/logs-sms*": gone},
    )
    with connected(server) as client:
        steps = apply(client, plan(client))

    template = server.objects[_COMPONENT]["logs-sms.shipper@settings"]["template"]
    assert template == {
        "lifecycle": {"enabled": True, "data_retention": "30d"},
        "settings": {"index": _ARRIVAL},
    }
    # It does not know the privilege to manage policies either.
    assert server.objects["_security/role"]["clisvc_setup"]["cluster"] == [
        *("monitor", "manage_index_templates"),
        *("manage_ingest_pipelines", "manage_transform"),
    ]
    assert first_error(steps) is None


def test_no_lifecycle_at_all() -> None:
    """A server with neither gets templates without it, and the plan says so."""
    server = FullServer("9.2.0", lacking=(_ILM, "_data_stream"))
    with connected(server) as client:
        steps = apply(client, plan(client))

    body = server.objects[_COMPONENT]["logs-sms.shipper@settings"]
    reasons = {step.reason for step in steps if step.action == "skipped"}
    assert body["template"] == {"settings": {"index": _ARRIVAL}}
    assert reasons == {"Elasticsearch 9.2.0 has no index lifecycle management"}


def test_logsdb_is_opted_in_to_and_out_of() -> None:
    """The index mode is a component of its own: there when asked for, else not."""
    server = FullServer("8.17.4")
    installed = []
    with connected(server) as client:
        for logsdb in (False, True, False):
            apply(client, plan(client, settings=SetupSettings(logsdb=logsdb)))
            installed.append(LOGSDB in server.objects[_COMPONENT])

    assert installed == [False, True, False]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_FORBIDDEN, "cluster:admin/transform/put"),
        (_NO_LICENCE, "current license is non-compliant for [transform]"),
    ],
    ids=["right", "licence"],
)
def test_refusals_are_told_object_by_object(answer: Answer, words: str) -> None:
    """What is refused is named with the reason, and the rest is installed."""
    server = FullServer("9.2.0", refused={"PUT /_transform/sms-agent-state": answer})
    with connected(server) as client:
        steps = apply(client, plan(client))

    (refused,) = (step for step in steps if step.action == "refused")
    assert (refused.kind, refused.name) == ("transform", "sms-agent-state")
    assert words in refused.reason
    assert isinstance(first_error(steps), NotPermitted)
    assert set(server.objects["_transform"]) == {"sms-host-state"}
    assert len(server.objects["_security/role"]) == 4


def test_a_kind_may_not_be_read() -> None:
    """Objects of a kind the credentials may not read are refused before any try."""
    server = FullServer("9.2.0", refused={"GET /_transform/sms-*": _FORBIDDEN})
    with connected(server) as client:
        steps = apply(client, plan(client))

    assert _taken(steps, "refused") == {Kind.TRANSFORM: _ALL[Kind.TRANSFORM]}


def test_no_template_before_its_pipeline() -> None:
    """Where a pipeline is refused, no template is installed that would name it."""
    request = f"PUT /_ingest/pipeline/{_PIPELINES[0]}"
    server = FullServer("9.2.0", refused={request: _FORBIDDEN})
    with connected(server) as client:
        steps = apply(client, plan(client))

    refused = _taken(steps, "refused")
    assert refused[Kind.INDEX_TEMPLATE] == _ALL[Kind.INDEX_TEMPLATE]
    assert server.objects[_TEMPLATE] == {}
    assert isinstance(first_error(steps), NotPermitted)


def test_pipeline_without_its_processors() -> None:
    """A pipeline that could not run is left out, and the plan says why."""
    server = FullServer("9.2.0")
    server.processors.remove("script")
    with connected(server) as client:
        steps = apply(client, plan(client))

    settings = server.objects[_COMPONENT]["logs-sms.clisvc@settings"]["template"]
    assert _taken(steps, "skipped") == {Kind.INGEST_PIPELINE: _PIPELINES}
    assert {step.reason for step in steps if step.action == "skipped"} == {
        "Elasticsearch 9.2.0 cannot run it: No processor type exists with name [script]"
    }
    assert "default_pipeline" not in settings["settings"]["index"]
    assert first_error(steps) is None


def test_pipeline_whose_scripts_are_forbidden() -> None:
    """What a server forbids to run is left out as well, in the server's words."""
    words = "Regexes are disabled. Set [script.painless.regex.enabled] to [true]"
    account = {
        "type": "script_exception",
        "reason": "compile error",
        "caused_by": {"type": "illegal_state_exception", "reason": words},
    }
    server = FullServer(
        "8.17.4",
        refused={
            "POST /_ingest/pipeline/_simulate": Answer(
                status=400, body={"error": account, "status": 400}
            )
        },
    )
    with connected(server) as client:
        steps = apply(client, plan(client))

    assert {(s.kind, s.reason) for s in steps if s.action == "skipped"} == {
        (Kind.INGEST_PIPELINE, f"Elasticsearch 8.17.4 cannot run it: {words}")
    }
    written = server.objects[_TEMPLATE]["sms-agent-state"]["template"]["settings"]
    assert "default_pipeline" not in written["index"]
    assert set(server.objects[_TEMPLATE]) == set(_ALL[Kind.INDEX_TEMPLATE])


def test_pipeline_that_may_not_be_tried() -> None:
    """Without the right to try a pipeline it is installed, which will tell."""
    server = FullServer(
        "9.2.0", refused={"POST /_ingest/pipeline/_simulate": _FORBIDDEN}
    )
    with connected(server) as client:
        steps = plan(client)

    assert _taken(steps, "create") == _ALL


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_transform_that_does_not_run(state: str) -> None:
    """A transform that is as it should be, but for running, is started."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        server.stopped["sms-agent-state"] = state
        server.changes.clear()
        (step,) = (step for step in plan(client) if step.action != "unchanged")
        apply(client, [step])
        after = {step.action for step in plan(client)}

    assert (step.action, step.name) == ("start", "sms-agent-state")
    assert step.reason == f"it is {state}"
    assert server.changes == [
        "POST /_transform/sms-agent-state/_stop",
        "POST /_transform/sms-agent-state/_start",
    ]
    assert after == {"unchanged"}


@pytest.mark.parametrize(
    ("only", "needed"),
    [
        ([Kind.COMPONENT_TEMPLATE], "--only ilm-policies --only ingest-pipelines"),
        (
            [Kind.COMPONENT_TEMPLATE, Kind.INDEX_TEMPLATE],
            "--only ilm-policies --only ingest-pipelines",
        ),
        (
            [Kind.ILM_POLICY, Kind.INGEST_PIPELINE, Kind.INDEX_TEMPLATE],
            "--only component-templates",
        ),
    ],
    ids=["components", "templates", "index templates"],
)
def test_templates_without_what_they_refer_to(only: list[Kind], needed: str) -> None:
    """Documents for a pipeline that is not there would be refused: not done."""
    server = FullServer("9.2.0")
    with (
        connected(server) as client,
        pytest.raises(UsageProblem, match="not installed") as caught,
    ):
        plan(client, only=only)

    assert caught.value.remedy == f"Add {needed}."


def test_templates_alone_where_the_rest_is_installed() -> None:
    """What is there already need not be named."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        steps = plan(client, only=[Kind.INDEX_TEMPLATE])

    assert {step.action for step in steps} == {"unchanged"}


def test_template_of_others_with_our_name() -> None:
    """One that has none of our fields is no set-up: told, and nothing is shipped."""
    server = FullServer("9.2.0")
    server.objects[_TEMPLATE]["logs-sms.clisvc"] = {"index_patterns": ["logs-sms.*"]}
    with connected(server) as client:
        steps = plan(client)
        with pytest.raises(SinkUnavailable, match="name is somebody else's"):
            apply(client, steps)
        with pytest.raises(SinkUnavailable, match=r"logs-sms\.clisvc"):
            ensure(client, namespace="lab")


def test_template_of_others_with_our_fields() -> None:
    """A copy of ours that somebody else takes care of is left alone, and will do."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        server.objects[_TEMPLATE]["logs-sms.clisvc"]["_meta"]["managed_by"] = "ops"
        steps = apply(client, plan(client))
        ensured = ensure(client, namespace="lab")

    assert _taken(steps, "skipped") == {Kind.INDEX_TEMPLATE: ["logs-sms.clisvc"]}
    assert ensured.notes == ("logs-sms.clisvc: it belongs to 'ops' and is left alone.",)


@pytest.mark.parametrize(
    ("only", "action"), [((), "skipped"), ((Kind.ROLE,), "refused")]
)
def test_roles_need_a_right_only_if_asked_for(
    only: tuple[Kind, ...], action: str
) -> None:
    """Roles are a convenience: left out without the right, refused if asked for."""
    names = ",".join(_ALL[Kind.ROLE])
    server = FullServer("9.2.0", refused={f"GET /_security/role/{names}": _FORBIDDEN})
    with connected(server) as client:
        steps = plan(client, only=only)

    assert _taken(steps, action) == {Kind.ROLE: _ALL[Kind.ROLE]}


def test_only_one_kind() -> None:
    """Set-up of one kind leaves the others alone."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client, only=[Kind.ILM_POLICY]))

    assert server.changes == [
        f"PUT /_ilm/policy/{name}" for name in _ALL[Kind.ILM_POLICY]
    ]


def test_ensure_installs_what_streams_need() -> None:
    """Before shipping, templates and policies are installed; transforms are not."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        ensured = ensure(
            client, namespace="lab", settings=SetupSettings(records_days=5)
        )

    assert list(ensured.installed) == [
        *_ALL[Kind.ILM_POLICY],
        *_PIPELINES,
        *_ALL[Kind.COMPONENT_TEMPLATE],
        *_ALL[Kind.INDEX_TEMPLATE],
    ]
    phases = server.objects[_ILM]["logs-sms.records"]["policy"]["phases"]
    assert phases["delete"]["min_age"] == "5d"


def test_old_stream_is_rolled_over() -> None:
    """A data stream whose write index lacks fields gets a new write index."""
    server = FullServer("9.2.0")
    server.streams["logs-sms.state-lab"] = {"properties": {"sms": {"type": "object"}}}
    server.streams["logs-sms.other-lab"] = {"properties": {}}
    with connected(server) as client:
        (step,) = (step for step in plan(client) if step.action == "roll over")
        apply(client, [step])

    assert (step.kind, step.name) == ("data-stream", "logs-sms.state-lab")
    assert "otherwise" in step.reason
    assert server.changes == ["POST /logs-sms.state-lab/_rollover"]


@pytest.mark.parametrize(
    ("place", "name", "meta"),
    [
        (_TEMPLATE, "logs-sms.clisvc", {"managed_by": "ops"}),
        (_COMPONENT, "logs-sms@mappings", {"managed_by": OWNER, "version": 99}),
    ],
    ids=["of others", "newer"],
)
def test_stream_of_templates_left_alone(
    place: str, name: str, meta: dict[str, object]
) -> None:
    """A stream that would not become what ours say is not rolled over each time."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        server.objects[place][name]["_meta"] = meta
        server.streams["logs-sms.clisvc-lab"] = {"properties": {}}
        actions = {step.action for step in plan(client)}

    assert actions == {"unchanged", "skipped"}


def test_type_that_somebody_wants() -> None:
    """A type given by ``@custom`` is what a write index should have: no rollover."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        wanted = {"message": {"type": "wildcard"}, "shelf": {"type": "keyword"}}
        server.objects[_COMPONENT]["logs-sms.clisvc@custom"] = {
            "template": {"mappings": {"properties": wanted}}
        }
        ours = asset(Kind.COMPONENT_TEMPLATE, "logs-sms@mappings").body
        made = deepcopy(ours["template"]["mappings"]["properties"])
        for whose in ("data_stream", "event"):
            made[whose]["properties"]["dataset"] = {"type": "constant_keyword"}
        server.streams["logs-sms.clisvc-lab"] = {"properties": made}
        before = _taken(plan(client), "roll over")
        made["message"] = {"type": "wildcard"}
        after = {step.action for step in plan(client)}

    assert before == {"data-stream": ["logs-sms.clisvc-lab"]}
    assert after == {"unchanged"}


def test_uninstall() -> None:
    """All that was installed is removed again, users of a thing before the thing."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        foreign = {"_meta": {"managed_by": "ops"}, "index_patterns": ["x"]}
        server.objects[_TEMPLATE]["ops-sms"] = foreign
        steps = apply(client, plan_removal(client))

    assert {name for kind in server.objects.values() for name in kind} == {"ops-sms"}
    assert list(dict.fromkeys(step.kind for step in steps)) == [
        Kind.TRANSFORM,
        Kind.INDEX_TEMPLATE,
        Kind.COMPONENT_TEMPLATE,
        Kind.INGEST_PIPELINE,
        Kind.ILM_POLICY,
        Kind.ROLE,
    ]


def test_uninstall_leaves_what_is_used() -> None:
    """A data stream keeps its template, its parts and its policy; the rest goes."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        server.streams["logs-sms.ccm-lab"] = {}
        server.indices.append("sms-agent-state-v1")
        server.objects[_TEMPLATE]["ops"] = {
            "_meta": {"managed_by": "ops"},
            "composed_of": ["logs-sms.state@mappings"],
        }
        steps = apply(client, plan_removal(client))

    kept = {
        step.name: step.reason
        for step in steps
        if step.action == "kept" and step.kind != Kind.INGEST_PIPELINE
    }
    assert kept == {
        "logs-sms.ccm-lab": "it holds data: --purge-data removes it",
        "sms-agent-state-v1": "it holds data: --purge-data removes it",
        "logs-sms.ccm": "the data stream logs-sms.ccm-lab uses it",
        "logs-sms.ccm@mappings": "logs-sms.ccm uses it",
        "logs-sms.ccm@settings": "logs-sms.ccm uses it",
        "logs-sms@mappings": "logs-sms.ccm uses it",
        "logs-sms@settings": "logs-sms.ccm uses it",
        "logs-sms.state@mappings": "the template ops uses it",
        "logs-sms.records": "logs-sms.ccm@settings uses it",
    }
    assert "DELETE /_data_stream/logs-sms.ccm-lab" not in server.changes


def test_uninstall_leaves_what_others_name() -> None:
    """Policies and pipelines that others use stay, and it is known beforehand."""
    server = FullServer("9.2.0")
    named = {"lifecycle": {"name": "logs-sms.shipper"}}
    with connected(server) as client:
        apply(client, plan(client))
        server.settings = {
            ".ds-logs-sms.state-lab-000001": {"index.lifecycle.name": "logs-sms.state"},
            "web": {"index.default_pipeline": _PIPELINES[0]},
        }
        server.streams["logs-sms.state-lab"] = {}
        server.objects[_COMPONENT]["ops@settings"] = {
            "template": {"settings": {"index": named}}
        }
        server.objects[_TEMPLATE]["ops"] = {
            "composed_of": [],
            "template": {"settings": {"index.lifecycle.name": "logs-sms.records"}},
        }
        steps = plan_removal(client, purge=True)
        server.changes.clear()
        apply(client, steps)

    kept = {step.name: step.reason for step in steps if step.action == "kept"}
    assert kept == {
        _PIPELINES[0]: "the index web uses it",
        "logs-sms.shipper": "the component template ops@settings uses it",
        "logs-sms.records": "the template ops uses it",
    }
    assert "DELETE /_ilm/policy/logs-sms.state" in server.changes


def test_one_refused_removal() -> None:
    """A pipeline that stays does not keep policies and roles from being removed."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        words = "cannot be deleted because it is the default pipeline for 1 index(es)"
        server.refused[f"DELETE /_ingest/pipeline/{_PIPELINES[0]}"] = problem(
            400, "illegal_argument_exception", words
        )
        steps = apply(client, plan_removal(client))

    assert [step.name for step in steps if step.error] == [_PIPELINES[0]]
    assert server.objects[_ILM] == {}


def test_uninstall_with_data() -> None:
    """Data goes only when asked for: streams before their templates."""
    server = FullServer("8.17.4")
    with connected(server) as client:
        apply(client, plan(client))
        server.streams |= {"logs-sms.ccm-lab": {}, "logs-other-lab": {}}
        server.indices += ["sms-agent-state-v1", "others"]
        server.changes.clear()
        apply(client, plan_removal(client, purge=True))

    assert (list(server.streams), server.indices) == (["logs-other-lab"], ["others"])
    gone = server.changes
    stream = gone.index("DELETE /_data_stream/logs-sms.ccm-lab")
    assert stream < gone.index("DELETE /_index_template/logs-sms.ccm")
    assert gone.index("DELETE /_transform/sms-agent-state") < stream


def test_purge_after_an_uninstall() -> None:
    """What transforms wrote that are gone already is known by what is noted in it."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        server.indices += ["sms-agent-state-v1", "sms-host-state-v1"]
        apply(client, plan_removal(client))
        first = list(server.indices)
        apply(client, plan_removal(client, purge=True))

    assert first == ["sms-agent-state-v1", "sms-host-state-v1"]
    assert server.indices == []


def test_what_uninstall_cannot_see_or_does_not_own() -> None:
    """Roles that may not be seen, and objects of others with our names, are told."""
    roles = "GET /_security/role/" + ",".join(_ALL[Kind.ROLE])
    server = FullServer("9.2.0", refused={roles: _FORBIDDEN})
    server.objects[_COMPONENT]["logs-sms@settings"] = {"_meta": {"managed_by": "ops"}}
    with connected(server) as client:
        steps = plan_removal(client)

    assert [(step.name, step.action, step.reason) for step in steps] == [
        ("logs-sms@settings", "kept", "it belongs to ops"),
        ("roles", "kept", "these credentials may not see whether there are any"),
    ]


def test_purge_leaves_the_indices_of_others() -> None:
    """An index is ours if a transform of ours writes it, whatever its name is like."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        apply(client, plan(client))
        server.objects["_transform"]["sms-host-state"]["_meta"]["managed_by"] = "ops"
        server.indices += [
            *("sms-agent-state-v1", "sms-agent-state-vendor", "sms-agent-state-v10"),
            "sms-host-state-v1",
        ]
        apply(client, plan_removal(client, purge=True))

    assert server.indices == [
        *("sms-agent-state-vendor", "sms-agent-state-v10"),
        "sms-host-state-v1",
    ]


def test_key() -> None:
    """A key has the writer's rights and no others."""
    server = FullServer("9.2.0")
    with connected(server) as client:
        key = create_key(client, "collector-7")

    (asked,) = server.keys
    assert key.name == "collector-7"
    assert key.encoded.reveal() == "VnVhQ2ZHY0I6dWkybHAyYXg="
    assert key.plain.reveal() == "VuaCfGcB:ui2lp2ax"
    assert asked["role_descriptors"] == {
        "clisvc_writer": {
            "cluster": ["monitor"],
            "indices": [
                {
                    "names": ["logs-sms.*"],
                    "privileges": ["auto_configure", "create_doc"],
                }
            ],
        }
    }


def test_no_keys() -> None:
    """A server without security says so instead of failing in riddles."""
    server = FullServer("9.2.0", lacking=("_security",))
    with connected(server) as client, pytest.raises(SinkUnavailable, match="no API"):
        create_key(client, "x")


def test_everything_is_planned_for() -> None:
    """No object in ``pipelines`` is forgotten, except what has to be asked for."""
    known = {name for names in _ALL.values() for name in names}

    assert {asset.name for asset in assets()} == known | {LOGSDB}
