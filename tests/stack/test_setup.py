# SPDX-License-Identifier: Apache-2.0
"""Set-up with few rights or on other builds, against answers Elasticsearch gives.

The wording of refusals is that of Elasticsearch 9.2 with security switched on; what
needs no rights is tested on real servers in ``tests/live``.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shipper.errors import NotPermitted, SinkUnavailable
from shipper.stack import Ensured, Kind, Server, assets, ensure, plan, probe
from tests.fakes.answering import Answer, answering

_READ = ("GET", "/_index_template/*sms*")
_READ_COMPONENTS = ("GET", "/_component_template/logs-sms*")
_INFO = ("GET", "/")
_SIMULATE = ("POST", "/_index_template/_simulate")

Routes = dict[tuple[str, str], Answer | Callable[[dict[str, Any]], Answer]]
Connect = Callable[[Routes], AbstractContextManager[tuple[Elasticsearch, list[str]]]]


def _forbidden(action: str, level: str, privileges: str) -> Answer:
    reason = (
        f"action [{action}] is unauthorized for user [ship] with effective roles "
        f"[ship], this action is granted by the {level} privileges [{privileges}]"
    )
    error = {"type": "security_exception", "reason": reason}
    return Answer(status=403, body={"error": error, "status": 403})


_NO_READ = _forbidden(
    "indices:admin/index_template/get", "cluster", "manage_index_templates,monitor"
)
_NO_SIMULATE = _forbidden(
    "indices:admin/index_template/simulate", "cluster", "manage_index_templates,manage"
)
_NO_RESOLVE = _forbidden(
    "indices:admin/resolve/index", "index", "view_index_metadata,read"
)
_VERSION = Answer(body={"version": {"number": "9.2.0", "build_flavor": "default"}})
_ABSENT = Answer(status=404, body={"error": {"type": "x", "reason": "no such index"}})


def _templates(**labels: dict[str, Any]) -> Answer:
    return Answer(
        body={
            "index_templates": [
                {"name": f"logs-sms.{name}", "index_template": label}
                for name, label in labels.items()
            ]
        }
    )


def _ours(version: int) -> dict[str, Any]:
    meta = {"managed_by": "clisvc-shipper", "version": version}
    return {"version": version, "_meta": meta}


def _all_ours(**others: dict[str, Any]) -> Answer:
    """Return our templates as they are, but for some."""
    labels = {
        one.name.removeprefix("logs-sms."): _ours(one.version)
        for one in assets()
        if one.stream_patterns
    }
    return _templates(**(labels | others))


def _seen(*data_sets: str) -> Routes:
    """Return the answers that show data streams in the namespace ``lab``."""
    names = [f"logs-sms.{data_set}-lab" for data_set in data_sets]
    return {("GET", f"/_resolve/index/{name}"): _stream(name) for name in names}


def _stream(name: str) -> Answer:
    stream = {"name": name, "backing_indices": [f".ds-{name}-000001"]}
    return Answer(body={"indices": [], "aliases": [], "data_streams": [stream]})


@pytest.fixture
def connect() -> Connect:
    """Return a way to a server with these routes, and the list of its requests."""

    @contextmanager
    def to(routes: Routes) -> Iterator[tuple[Elasticsearch, list[str]]]:
        requests: list[str] = []

        def respond(method: str, path: str, body: bytes) -> Answer:
            requests.append(f"{method} {path}")
            answer = routes.get((method, path), _NO_READ)
            return answer if isinstance(answer, Answer) else answer(json.loads(body))

        with (
            answering(respond) as url,
            Elasticsearch(url, max_retries=0) as client,
        ):
            yield client, requests

    return to


def test_ensure_finds_everything(connect: Connect) -> None:
    """With our templates there, one question is asked and nothing is written."""
    routes: Routes = {_READ: _all_ours()}
    with connect(routes) as (client, requests):
        ensured = ensure(client, namespace="default")

    assert ensured == Ensured()
    assert requests == ["GET /_index_template/*sms*"]


def test_ensure_notes_other_versions_and_owners(connect: Connect) -> None:
    """Templates of another version or owner are noted, and the shipping goes on."""
    other = {"version": 1, "_meta": {"managed_by": "ops"}}
    routes: Routes = {_READ: _all_ours(clisvc=_ours(99), state=other)}
    with connect(routes) as (client, _):
        ensured = ensure(client, namespace="default")

    assert ensured.notes == (
        "logs-sms.clisvc: version 99 is installed, newer than 2.",
        "logs-sms.state: it belongs to 'ops' and is left alone.",
    )


def test_ensure_may_not_install(connect: Connect) -> None:
    """Missing templates that may not be installed name the privilege and the way."""
    routes: Routes = {
        _READ: _templates(clisvc=_ours(2), ccm=_ours(1), shipper=_ours(1)),
        _INFO: _VERSION,
        _SIMULATE: _NO_SIMULATE,
    }
    with (
        connect(routes) as (client, requests),
        pytest.raises(NotPermitted) as caught,
    ):
        ensure(client, namespace="default")

    assert caught.value.message.startswith("logs-sms.state is not installed at http:")
    assert "manage_index_templates" in caught.value.message
    assert "`clisvc setup`" in caught.value.remedy
    assert [request for request in requests if request.startswith("PUT")] == []


def test_ensure_sees_streams_instead(connect: Connect) -> None:
    """Without the right to read templates, existing data streams are enough."""
    routes: Routes = {
        _READ: _NO_READ,
        **_seen("ccm", "clisvc", "shipper", "state"),
    }
    with connect(routes) as (client, _):
        ensured = ensure(client, namespace="lab")

    assert ensured.notes == (
        "The credentials may not read index templates; the data streams exist.",
    )


@pytest.mark.parametrize("unseen", [_ABSENT, _NO_RESOLVE], ids=["absent", "forbidden"])
def test_ensure_can_learn_nothing(connect: Connect, unseen: Answer) -> None:
    """If nothing shows that a stream would be mapped, nothing is shipped."""
    routes: Routes = {
        _READ: _NO_READ,
        **_seen("ccm", "clisvc", "shipper"),
        ("GET", "/_resolve/index/logs-sms.state-lab"): unseen,
    }
    with connect(routes) as (client, _), pytest.raises(NotPermitted) as caught:
        ensure(client, namespace="lab")

    assert "logs-sms.state-lab cannot be seen" in caught.value.message
    assert "logs-sms.clisvc-lab" not in caught.value.message
    assert "manage_index_templates" in caught.value.remedy


def test_ensure_without_a_server() -> None:
    """A server that is not there is unavailable, not unpermitted."""
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        port = probe_socket.getsockname()[1]
    with (
        Elasticsearch(f"http://127.0.0.1:{port}", max_retries=0) as client,
        pytest.raises(SinkUnavailable, match="Connection refused"),
    ):
        ensure(client, namespace="default")


def test_ensure_with_a_stranger(connect: Connect) -> None:
    """A web server without such a page is not taken for an empty Elasticsearch."""
    page = Answer(status=404, body="<html>no such page</html>", product=False)
    with (
        connect({_READ: page, _INFO: page}) as (client, _),
        pytest.raises(SinkUnavailable, match="is not Elasticsearch"),
    ):
        ensure(client, namespace="default")


def test_plan_may_not_read(connect: Connect) -> None:
    """Set-up by a key without the right names it, even if it may ask nothing else."""
    routes: Routes = {_INFO: _forbidden("cluster:monitor/main", "cluster", "monitor")}
    routes[_SIMULATE] = _NO_SIMULATE
    with connect(routes) as (client, _), pytest.raises(NotPermitted) as caught:
        plan(client)

    assert caught.value.remedy == (
        "Grant one of the cluster privileges manage_index_templates, manage."
    )


def _old_build(request: dict[str, Any]) -> Answer:
    """Refuse the failure store, then what no basic build lacks, one at a time."""
    template = request["template"]
    types = {field["type"] for field in template["mappings"]["properties"].values()}
    if "data_stream_options" in template:
        reason = "[1:82] [template] unknown field [data_stream_options]"
    elif "match_only_text" in types:
        reason = (
            "Failed to parse mapping: No handler for type [match_only_text] declared "
            "on field [match_only_text]"
        )
    else:
        return Answer(body={"template": {}})
    error = {"type": "x_content_parse_exception", "reason": reason}
    return Answer(status=400, body={"error": error, "status": 400})


def test_probe_of_a_full_server(connect: Connect) -> None:
    """On a full server one simulation shows that all is supported."""
    routes: Routes = {_INFO: _VERSION, _SIMULATE: Answer(body={"template": {}})}
    with connect(routes) as (client, requests):
        server = probe(client)

    assert server == Server(version="9.2.0", flavor="default")
    assert requests == ["GET /", "POST /_index_template/_simulate"]


def test_probe_of_an_older_server(connect: Connect) -> None:
    """What a server does not know is found by what it refuses."""
    version = Answer(body={"version": {"number": "8.13.4", "build_flavor": "default"}})
    with connect({_INFO: version, _SIMULATE: _old_build}) as (client, _):
        server = probe(client)

    assert server == Server(
        version="8.13.4",
        flavor="default",
        missing_types=frozenset({"match_only_text"}),
        failure_store=False,
    )


def test_plan_for_an_older_server(connect: Connect) -> None:
    """A server gets no setting it lacks, and the plan says so."""
    version = Answer(body={"version": {"number": "8.13.4", "build_flavor": "default"}})
    routes: Routes = {_INFO: version, _SIMULATE: _old_build}
    routes[_READ] = Answer(body={})
    routes[_READ_COMPONENTS] = Answer(status=404, body={})
    routes["GET", "/_resolve/index/logs-sms.*"] = _ABSENT
    with connect(routes) as (client, _):
        steps = plan(client, only=[Kind.COMPONENT_TEMPLATE, Kind.INDEX_TEMPLATE])
    bodies = {step.name: step.asset.body for step in steps if step.asset is not None}
    mappings = bodies["logs-sms@mappings"]["template"]["mappings"]["properties"]

    assert "data_stream_options" not in bodies["logs-sms@settings"]["template"]
    assert mappings["message"] == {"type": "text"}
    assert mappings["event"]["properties"]["module"] == {
        "type": "constant_keyword",
        "value": "sms",
    }
    assert [(step.kind, step.reason) for step in steps if step.action == "skipped"] == [
        ("field-type", "Elasticsearch 8.13.4 lacks it and gets text instead"),
        ("failure-store", "Elasticsearch 8.13.4 has no failure store to switch off"),
    ]


def test_probe_reports_an_unexpected_refusal(connect: Connect) -> None:
    """A refusal that no adaptation explains is shown, never retried for ever."""
    error = {"type": "illegal_argument_exception", "reason": "out of sorts"}
    routes: Routes = {_INFO: _VERSION}
    routes[_SIMULATE] = Answer(status=400, body={"error": error, "status": 400})
    with (
        connect(routes) as (client, _),
        pytest.raises(SinkUnavailable, match="answered 400: out of sorts"),
    ):
        probe(client)
