# SPDX-License-Identifier: Apache-2.0
"""The grouping of the transforms, run as a search, on hand-made histories."""

from datetime import datetime
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shipper.stack import apply, groups, plan

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]


@pytest.fixture
def prepared(client: Elasticsearch) -> Elasticsearch:
    """Return a client of a server that has been set up."""
    apply(client, plan(client))
    return client


def _state(
    host: str, agent: str, when: str, state: str, *, nth: int = 0, **more: object
) -> dict[str, Any]:
    order = round(datetime.fromisoformat(when).timestamp() * 1000) * 1000 + nth
    return {
        "@timestamp": when,
        "host": {"name": host},
        "sms": {"agent": {"id": agent, "state": state, "order": order, **more}},
    }


def _index(client: Elasticsearch, stream: str, *documents: dict[str, Any]) -> None:
    operations: list[dict[str, Any]] = []
    namespace = stream.rpartition("-")[2]
    for document in documents:
        whose = document.get("data_stream", {}) | {"namespace": namespace}
        operations += [{"create": {}}, document | {"data_stream": whose}]
    reply = client.bulk(
        index=stream, operations=operations, refresh=True, require_data_stream=True
    )
    assert reply.body["errors"] is False


def test_late_history_changes_nothing(prepared: Elasticsearch, namespace: str) -> None:
    """A new state, then an older one that arrives late: the new one stays."""
    stream = f"logs-sms.state-{namespace}"
    _index(
        prepared,
        stream,
        _state(
            "pc1",
            "advertised-programs",
            "2003-02-13T08:00:00.250Z",
            "install_pending",
            cycles=2,
            relapse=False,
            pending_since="2003-02-12T08:00:00.000Z",
        ),
    )
    before = list(groups(prepared, "sms-agent-state", namespace=namespace))
    _index(
        prepared,
        stream,
        _state(
            "pc1",
            "advertised-programs",
            "2003-02-01T08:00:00.000Z",
            "healthy",
            cause="privilege",
        ),
    )
    after = list(groups(prepared, "sms-agent-state", namespace=namespace))

    assert after == before
    assert after == [
        {
            "data_stream": {"namespace": namespace},
            "host": {"name": "pc1"},
            "sms": {"agent": {"id": "advertised-programs"}},
            "@timestamp": "2003-02-13T08:00:00.250Z",
            "last": {
                "sms": {
                    "agent": {
                        "state": "install_pending",
                        "cycles": 2,
                        "relapse": False,
                        "pending_since": "2003-02-12T08:00:00.000Z",
                    }
                }
            },
        }
    ]


@pytest.mark.parametrize("nths", [(0, 1), (1, 0)])
def test_changes_of_one_time(
    prepared: Elasticsearch, namespace: str, nths: tuple[int, int]
) -> None:
    """Of changes with one time the later one stays, whichever arrives first."""
    names = ["launch_failed", "install_pending"]
    when = "2003-02-12T06:00:10.253Z"
    for nth in nths:
        _index(
            prepared,
            f"logs-sms.state-{namespace}",
            _state("pc1", "inventory", when, names[nth], nth=nth),
        )

    (found,) = groups(prepared, "sms-agent-state", namespace=namespace)

    assert found["last"]["sms"]["agent"]["state"] == "install_pending"


def test_one_name_in_two_namespaces(prepared: Elasticsearch, namespace: str) -> None:
    """Hosts of two customers with one name stay two hosts."""
    when = "2003-02-12T06:00:10.253Z"
    for whose, state in (("a", "healthy"), ("b", "install_pending")):
        _index(
            prepared,
            f"logs-sms.state-{namespace}{whose}",
            _state("pc1", "inventory", when, state),
        )

    found = groups(prepared, "sms-agent-state", namespace=f"{namespace}*")

    assert [
        (one["data_stream"]["namespace"], one["last"]["sms"]["agent"]["state"])
        for one in found
    ] == [(f"{namespace}a", "healthy"), (f"{namespace}b", "install_pending")]


def test_one_group_an_agent_of_a_host(prepared: Elasticsearch, namespace: str) -> None:
    """Hosts and agents have a state each; more of them than one page come out once."""
    days = [f"2003-02-{day:02d}T08:00:00.000Z" for day in (1, 2)]
    _index(
        prepared,
        f"logs-sms.state-{namespace}",
        *(
            _state(f"pc{number:04d}", agent, day, f"{agent}-{day[8:10]}")
            for number in range(300)
            for agent in ("inventory", "remote-control")
            for day in days
        ),
    )

    found = list(groups(prepared, "sms-agent-state", namespace=namespace))
    keys = [(one["host"]["name"], one["sms"]["agent"]["id"]) for one in found]
    states = {one["last"]["sms"]["agent"]["state"] for one in found}

    assert len(set(keys)) == len(keys) == 600
    assert states == {"inventory-02", "remote-control-02"}


def test_host_state(prepared: Elasticsearch, namespace: str) -> None:
    """A host's newest record, and when its sources were read, in one document."""
    record = {
        "@timestamp": "2003-02-13T08:00:00.000Z",
        "host": {"name": "pc1"},
        "data_stream": {"dataset": "sms.clisvc"},
    }
    ccm = {
        "@timestamp": "2003-02-14T08:00:00.000Z",
        "host": {"name": "pc1"},
        "data_stream": {"dataset": "sms.ccm"},
    }
    source = {
        "first_seen": "2003-01-01T00:00:00.000Z",
        "last_record": "2003-02-14T08:00:00.000Z",
        "last_read_ok": "2003-02-15T07:59:00.000Z",
    }
    status = {
        "@timestamp": "2003-02-15T08:00:00.000Z",
        "host": {"name": "pc1"},
        "event": {"action": "source-status"},
        "data_stream": {"dataset": "sms.shipper"},
        "sms": {"source": source},
    }
    collector = {
        "@timestamp": "2003-02-16T08:00:00.000Z",
        "host": {"name": "collector1"},
        "event": {"action": "collector-status"},
        "data_stream": {"dataset": "sms.shipper"},
    }
    _index(prepared, f"logs-sms.ccm-{namespace}", ccm)
    _index(prepared, f"logs-sms.shipper-{namespace}", status, collector)
    _index(prepared, f"logs-sms.clisvc-{namespace}", record)

    assert list(groups(prepared, "sms-host-state", namespace=namespace)) == [
        {
            "data_stream": {"namespace": namespace},
            "host": {"name": "pc1"},
            "@timestamp": "2003-02-15T08:00:00.000Z",
            "records": {
                "newest": "2003-02-14T08:00:00.000Z",
                "oldest": "2003-02-13T08:00:00.000Z",
            },
            "sms": {"source": source},
        }
    ]


def test_no_documents(prepared: Elasticsearch, namespace: str) -> None:
    """Where nothing was shipped yet there is no state, and no error."""
    assert list(groups(prepared, "sms-host-state", namespace=namespace)) == []
