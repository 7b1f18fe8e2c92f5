# SPDX-License-Identifier: Apache-2.0
"""The model of Elasticsearch keeps the server's contract, and fails as it is told."""

from __future__ import annotations

from typing import Any, cast

import pytest
from elastic_transport import ConnectionError  # noqa: A004  the client's own name
from elasticsearch import ApiError, Elasticsearch, NotFoundError

from tests.fakes import faults
from tests.fakes.cluster import Cluster, Fault, pruned
from tests.fakes.contract import CREATED, check_cluster, create, statuses

STREAM = "logs-sms.clisvc-t"


def client_of(cluster: Cluster) -> Elasticsearch:
    """Return the model as what it stands for."""
    return cast("Elasticsearch", cluster)


def stored(cluster: Cluster) -> list[str]:
    """Return the ids of all documents of all backing indices."""
    return [name for _, name, _ in cluster.documents()]


def test_contract() -> None:
    """The model answers as the server does (see ``test_fake_cluster_live``)."""
    check_cluster(client_of(Cluster()), "t")


def test_a_double_shows() -> None:
    """An id that is created again after a rollover is there twice."""
    cluster = Cluster()
    client = client_of(cluster)
    create(client, STREAM, "a")
    cluster.rollover(STREAM)
    create(client, STREAM, "a")

    assert stored(cluster) == ["a", "a"]


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (faults.cut(0), []),
        (faults.cut(0.5), ["a", "b"]),
        (faults.cut(1), ["a", "b", "c", "d"]),
    ],
)
def test_cut(fault: Fault, kept: list[str]) -> None:
    """The connection is cut before, amid or after indexing; nobody is told."""
    cluster = Cluster()
    cluster.faults.append(fault)
    with pytest.raises(ConnectionError):
        create(client_of(cluster), STREAM, "a", "b", "c", "d")

    assert stored(cluster) == kept
    assert cluster.answered == set()


@pytest.mark.parametrize("status", [401, 403, 413, 429, 503])
@pytest.mark.parametrize("indexed", [False, True])
def test_answer(status: int, indexed: bool) -> None:  # noqa: FBT001 - a parameter
    """A request is refused with the exception of the client, once."""
    cluster = Cluster()
    cluster.faults.append(faults.answer(status, indexed=indexed))
    with pytest.raises(ApiError) as caught:
        create(client_of(cluster), STREAM, "a")

    assert caught.value.status_code == status
    assert stored(cluster) == (["a"] if indexed else [])
    assert cluster.answered == set()
    assert cluster.refused == ({"a"} if status == 413 else set())
    again = [409] if indexed else [201]
    assert statuses(create(client_of(cluster), STREAM, "a")) == again
    assert cluster.answered == {"a"}


def test_items() -> None:
    """Every other document is refused, the others are taken."""
    cluster = Cluster()
    cluster.faults.append(faults.answer_items(429, "rejected_execution"))
    reply = create(client_of(cluster), STREAM, "a", "b", "c", "d")

    assert statuses(reply) == [429, 201, 429, 201]
    assert reply["items"][0]["create"]["error"]["type"] == "rejected_execution"
    assert stored(cluster) == ["b", "d"]
    assert cluster.answered == {"b", "d"}


@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        (faults.short, {"errors": False, "items": [CREATED]}),
        (
            faults.malformed,
            {"errors": False, "items": [{"index": {"status": 201}}] * 2},
        ),
        (faults.no_items, {"took": 2}),
    ],
)
def test_nonsense(fault: Fault, reply: dict[str, Any]) -> None:
    """All is taken, and the answer does not say so."""
    cluster = Cluster()
    cluster.faults.append(fault)

    assert create(client_of(cluster), STREAM, "a", "b") == reply
    assert stored(cluster) == ["a", "b"]
    assert cluster.answered == set()


def test_failure_store() -> None:
    """What goes to the failure store is answered 201, and no query finds it."""
    cluster = Cluster()
    cluster.faults.append(faults.failure_store)
    first, second = create(client_of(cluster), STREAM, "a", "b")["items"]

    assert first["create"] == {"status": 201, "failure_store": "used"}
    assert second == CREATED
    assert stored(cluster) == ["b"]
    assert (cluster.answered, cluster.refused) == ({"b"}, {"a"})


def test_look_ups() -> None:
    """Look-ups fail as told, then work; a name that stands for nothing is an error."""
    cluster = Cluster()
    client = client_of(cluster)
    create(client, STREAM, "a")
    cluster.look_up_faults.extend([0, 403])

    with pytest.raises(ConnectionError):
        client.indices.resolve_index(name=STREAM)
    with pytest.raises(ApiError):
        client.mget(index=STREAM, ids=["a"])
    with pytest.raises(NotFoundError):
        client.indices.resolve_index(name="logs-sms.state-t")
    assert client.indices.resolve_index(name="logs-sms.*-t")["data_streams"]


def test_pruning() -> None:
    """A filter keeps the members it names, whatever the names of the others."""
    body = {"docs": [{"_id": "a", "found": False, "_index": "i"}], "took": 3}

    assert pruned(body, "docs.found,docs._id") == {
        "docs": [{"_id": "a", "found": False}]
    }
    assert pruned(body, "") == body
