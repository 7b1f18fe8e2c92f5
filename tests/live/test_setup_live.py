# SPDX-License-Identifier: Apache-2.0
"""Set-up on real servers of both majors."""

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shipper.errors import SinkUnavailable
from shipper.records import Stream
from shipper.stack import (
    Ensured,
    Kind,
    apply,
    assets,
    ensure,
    plan,
    plan_removal,
    probe,
)
from shipper.stack.embedded import VERSIONS, EmbeddedServer
from shipper.stack.objects import installed
from tests.stack.fields import DESIGNED, leaves

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_SMALLER = {"match_only_text": "text", "constant_keyword": "keyword"}
_TEMPLATES = (Kind.COMPONENT_TEMPLATE, Kind.INDEX_TEMPLATE)
_NAMES = [
    asset.name
    for asset in assets()
    if asset.kind in _TEMPLATES and asset.name != "logs-sms@logsdb"
]
_JSON = {"accept": "application/json", "content-type": "application/json"}
both_majors = pytest.mark.parametrize(
    "server_url", ["elasticsearch_url", "elasticsearch_8_url"], indirect=True
)
each_data_set = pytest.mark.parametrize("data_set", list(Stream))


@pytest.fixture
def server_url(request: pytest.FixtureRequest) -> str:
    """Return the address of the session's server of one major."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def prepared(server_url: str) -> Iterator[Elasticsearch]:
    """Yield a client of a server that has been set up."""
    with Elasticsearch(server_url, max_retries=0) as client:
        apply(client, plan(client))
        yield client


def _actions(client: Elasticsearch) -> dict[str, str]:
    return {step.name: step.action for step in plan(client) if step.kind in _TEMPLATES}


def _body(name: str) -> dict[str, Any]:
    """Return an asset that needs no adapting to a smaller server."""
    (asset,) = (asset for asset in assets() if asset.name == name)
    return asset.body


def _put_component(client: Elasticsearch, name: str, body: dict[str, Any]) -> None:
    client.perform_request(
        "PUT", f"/_component_template/{name}", headers=_JSON, body=body
    )


def _installed(client: Elasticsearch, name: str) -> dict[str, Any]:
    reply = client.cluster.get_component_template(name=name)
    component: dict[str, Any] = reply.body["component_templates"][0]
    template: dict[str, Any] = component["component_template"]
    return template


def _document(data_set: str, namespace: str) -> dict[str, Any]:
    """Return a document that has every field of the design."""
    samples: dict[str, Any] = {
        "keyword": "x" * 2000,
        "match_only_text": "Error launching a program",
        "long": 2**32 - 1,
        "boolean": True,
        "date": "2003-02-12T05:06:07.089Z",
    }
    constants = {
        "data_stream.type": "logs",
        "data_stream.dataset": data_set,
        "data_stream.namespace": namespace,
        "event.module": "sms",
        "event.dataset": data_set,
    }
    document: dict[str, Any] = {}
    for name, kind in DESIGNED.items():
        *path, leaf = name.split(".")
        place = document
        for part in path:
            place = place.setdefault(part, {})
        place[leaf] = constants[name] if name in constants else samples[kind]
    return document


def _create(
    client: Elasticsearch, stream: str, document: dict[str, Any]
) -> dict[str, Any]:
    reply = client.bulk(
        operations=[{"create": {"_index": stream, "_id": "1"}}, document],
        require_data_stream=True,
        refresh=True,
    )
    item: dict[str, Any] = reply.body["items"][0]["create"]
    return item


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_empty_server(version: str) -> None:
    """An empty server gets everything, components first; then nothing is left to do."""
    with (
        EmbeddedServer(version=version) as server,
        Elasticsearch(server.url, max_retries=0) as client,
    ):
        before = _actions(client)
        refused = _create(client, "logs-sms.clisvc-empty", {"@timestamp": 0})
        first = ensure(client, namespace="default")
        after = _actions(client)
        second = ensure(client, namespace="default")
        identity = probe(client)

    assert before == dict.fromkeys(_NAMES, "create")
    assert (refused["status"], refused["error"]["type"]) == (
        404,
        "index_not_found_exception",
    )
    assert list(first.installed) == _NAMES
    assert after == dict.fromkeys(_NAMES, "unchanged")
    assert second == Ensured()
    assert (identity.version, identity.flavor) == (version, "minimal")


@both_majors
@each_data_set
def test_every_field(prepared: Elasticsearch, namespace: str, data_set: str) -> None:
    """A document with every field is taken, and each field gets its type."""
    stream = f"logs-{data_set}-{namespace}"

    created = _create(prepared, stream, _document(data_set, namespace))
    mapping = next(iter(prepared.indices.get_mapping(index=stream).body.values()))
    types = {
        name: field["type"] for name, field in leaves(mapping["mappings"]["properties"])
    }

    assert created["status"] == 201
    assert "failure_store" not in created
    assert types == {name: _SMALLER.get(kind, kind) for name, kind in DESIGNED.items()}
    assert mapping["mappings"]["dynamic"] == "false"


@both_majors
def test_unknown_and_malformed_values(prepared: Elasticsearch, namespace: str) -> None:
    """An unknown field is kept unmapped; a malformed number costs only itself."""
    stream = f"logs-sms.clisvc-{namespace}"
    document = {
        "@timestamp": "2003-02-12T05:06:07.089Z",
        "surprise": {"depth": 1},
        "sms": {"surprise": 1, "log": {"offset": "many", "name": "clisvc"}},
    }

    created = _create(prepared, stream, document)
    mapping = next(iter(prepared.indices.get_mapping(index=stream).body.values()))
    names = {name for name, _ in leaves(mapping["mappings"]["properties"])}
    (hit,) = prepared.search(
        index=stream, query={"term": {"sms.log.name": "clisvc"}}
    ).body["hits"]["hits"]

    assert created["status"] == 201
    assert names == set(DESIGNED)
    assert hit["_source"] == document
    assert hit["_ignored"] == ["sms.log.offset"]


@both_majors
def test_refused_document(prepared: Elasticsearch, namespace: str) -> None:
    """A document without a valid time is refused in the open, not put aside."""
    stream = f"logs-sms.state-{namespace}"

    refused = _create(prepared, stream, {"@timestamp": "yesterday"})

    assert (refused["status"], refused["error"]["type"]) == (
        400,
        "document_parsing_exception",
    )
    assert "failure_store" not in refused


@both_majors
def test_failure_store_is_off(prepared: Elasticsearch) -> None:
    """What a new data stream would get has the failure store switched off."""
    reply = prepared.indices.simulate_index_template(name="logs-sms.clisvc-new")

    assert reply.body["template"]["data_stream_options"] == {
        "failure_store": {"enabled": False}
    }


@both_majors
@pytest.mark.parametrize(
    ("owner", "version", "reason"),
    [
        ("ops", 1, "it belongs to 'ops' and is left alone"),
        ("clisvc-shipper", 99, "version 99 is installed, newer than 1"),
    ],
)
def test_left_alone(
    prepared: Elasticsearch, owner: str, version: int, reason: str
) -> None:
    """What belongs to others, or to a newer release, is left as it is."""
    name = "logs-sms@settings"
    meta = {"managed_by": owner, "version": version}
    foreign = {**_body(name), "version": version, "_meta": meta}
    _put_component(prepared, name, foreign)
    try:
        (step,) = (step for step in plan(prepared) if step.name == name)
        apply(prepared, plan(prepared))
        found = _installed(prepared, name)
    finally:
        _put_component(prepared, name, _body(name))

    assert (step.action, step.reason, step.asset) == ("skipped", reason, None)
    assert (found["version"], found["_meta"]) == (version, meta)


@both_majors
@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (0, "version 0 is installed, older than 1"),
        (1, "version 1 is installed with other content"),
    ],
)
def test_brought_up_to_date(prepared: Elasticsearch, version: int, reason: str) -> None:
    """What is ours and older, or was put there by hand, is replaced."""
    name = "logs-sms@settings"
    meta = {"managed_by": "clisvc-shipper", "version": version}
    _put_component(prepared, name, {**_body(name), "version": version, "_meta": meta})

    (step,) = (step for step in plan(prepared) if step.name == name)
    apply(prepared, plan(prepared))

    assert (step.action, step.reason) == ("update", reason)
    assert _installed(prepared, name)["version"] == 1
    assert _actions(prepared) == dict.fromkeys(_NAMES, "unchanged")


@both_majors
def test_template_for_everything(server_url: str) -> None:
    """A template that matches every name, without a priority, is in nobody's way."""
    with Elasticsearch(server_url, max_retries=0) as client:
        settings = {"settings": {"number_of_replicas": 0}}
        client.indices.put_index_template(
            name="defaults", index_patterns=["*"], template=settings
        )
        try:
            steps = apply(client, plan(client))
        finally:
            client.indices.delete_index_template(name="defaults")

    assert [step.name for step in steps if step.error] == []


@both_majors
def test_shadowed(prepared: Elasticsearch) -> None:
    """A template that would win over ours is named instead of making bare streams."""
    prepared.indices.put_index_template(
        name="ops-logs",
        index_patterns=["logs-sms.clisvc-*"],
        data_stream={},
        priority=900,
    )
    try:
        with pytest.raises(SinkUnavailable) as caught:
            apply(prepared, plan(prepared))
    finally:
        prepared.indices.delete_index_template(name="ops-logs")

    assert caught.value.message.endswith("ops-logs takes its place.")
    assert caught.value.remedy.endswith("lower its priority below 250.")


@both_majors
def test_index_templates_are_last(prepared: Elasticsearch) -> None:
    """Set-up follows the order in which Elasticsearch accepts the objects."""
    kinds = [step.kind for step in plan(prepared) if step.kind in _TEMPLATES]

    assert kinds == [Kind.COMPONENT_TEMPLATE] * 10 + [Kind.INDEX_TEMPLATE] * 6


@both_majors
def test_changed_by_hand(prepared: Elasticsearch) -> None:
    """A change somebody made is found in the server's own form, and put right."""
    body = _body("logs-sms.ccm")
    changed = {**body, "priority": 251, "composed_of": body["composed_of"][:-1]}
    prepared.perform_request(
        "PUT", "/_index_template/logs-sms.ccm", headers=_JSON, body=changed
    )

    (step,) = (step for step in plan(prepared) if step.action == "update")
    apply(prepared, [step])

    assert (step.name, len(step.changes)) == ("logs-sms.ccm", 2)
    assert step.changes[1] == "priority: 251, not 250"
    assert _actions(prepared) == dict.fromkeys(_NAMES, "unchanged")


@both_majors
def test_what_a_small_build_lacks(prepared: Elasticsearch) -> None:
    """What this build cannot have is skipped, with the reason."""
    skipped = {
        step.kind: step.reason for step in plan(prepared) if step.action == "skipped"
    }
    title = probe(prepared).title

    assert skipped[Kind.ILM_POLICY] == f"{title} has no index lifecycle management"
    assert skipped[Kind.TRANSFORM] == f"{title} has no transforms"
    assert skipped[Kind.ROLE] == f"{title} has no roles, or its security is off"


@both_majors
def test_old_stream_is_rolled_over(prepared: Elasticsearch, namespace: str) -> None:
    """A data stream made before a field was mapped gets a new write index, once."""
    stream = f"logs-sms.ccm-{namespace}"
    name = "logs-sms@mappings"
    prepared.indices.put_index_template(
        name="logs-sms.ccm",
        index_patterns=["logs-sms.ccm-*"],
        data_stream={},
        priority=250,
        template={"mappings": {"dynamic": False}},
        meta={"managed_by": "clisvc-shipper", "version": 1},
    )
    _create(prepared, stream, {"@timestamp": "2003-02-12T05:06:07.089Z"})

    apply(prepared, plan(prepared))
    again = [step.name for step in plan(prepared) if step.action == "roll over"]
    indices = prepared.indices.resolve_index(name=stream).body["data_streams"][0]

    assert again == []
    assert len(indices["backing_indices"]) == 2
    assert _actions(prepared)[name] == "unchanged"


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_uninstall(version: str) -> None:
    """Set-up is taken back: what a data stream needs stays, and is told."""
    with (
        EmbeddedServer(version=version) as server,
        Elasticsearch(server.url, max_retries=0) as client,
    ):
        apply(client, plan(client))
        all_of_it = apply(client, plan_removal(client))
        empty = _actions(client)
        apply(client, plan(client))
        _create(client, "logs-sms.state-x", {"@timestamp": 0})
        rest = apply(client, plan_removal(client, purge=True))
        left = installed(client, Kind.INDEX_TEMPLATE)

    assert {step.action for step in all_of_it} == {"remove"}
    assert empty == dict.fromkeys(_NAMES, "create")
    assert {step.name for step in rest if step.action == "kept"} == {
        "logs-sms.state-x",
        "logs-sms.state",
        "logs-sms.state@mappings",
        "logs-sms.state@settings",
        "logs-sms@mappings",
        "logs-sms@settings",
    }
    assert [step for step in rest if step.error] == []
    assert list(left) == ["logs-sms.state"]
