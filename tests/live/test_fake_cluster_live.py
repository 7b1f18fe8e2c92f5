# SPDX-License-Identifier: Apache-2.0
"""A real Elasticsearch keeps the contract that the model of it keeps."""

import pytest
from elasticsearch import Elasticsearch, NotFoundError

from shipper.stack import ensure
from tests.fakes.contract import check_cluster

pytestmark = pytest.mark.elasticsearch


def test_contract(client: Elasticsearch, namespace: str) -> None:
    """The server answers as the model does (see ``tests/fakes/test_cluster.py``)."""
    ensure(client, namespace=namespace)

    check_cluster(client, namespace)


def test_unknown_streams(client: Elasticsearch, namespace: str) -> None:
    """A data stream nobody has written to is an error, by name."""
    name = f"logs-sms.state-{namespace}"

    with pytest.raises(NotFoundError):
        client.indices.resolve_index(name=name)
