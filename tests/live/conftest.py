# SPDX-License-Identifier: Apache-2.0
"""A real Elasticsearch for tests marked ``elasticsearch``, started on first use.

A server that cannot be had fails the tests that want it; it never skips them.
"""

import secrets
from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from shipper.stack import ensure
from shipper.stack.embedded import EmbeddedServer
from tests.live.planting import Planted
from tests.live.stories import stories

TIMEOUT_S = 300
"""Enough for the first test of a session to fetch and start the server."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give live tests time for the first fetch, unless they set their own limit."""
    for item in items:
        if item.get_closest_marker("elasticsearch") and not item.get_closest_marker(
            "timeout"
        ):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """Give the address of Elasticsearch 9, one server for the session."""
    with EmbeddedServer(version="9.2.0") as server:
        yield server.url


@pytest.fixture(scope="session")
def elasticsearch_8_url() -> Iterator[str]:
    """Give the address of Elasticsearch 8, one server for the session."""
    with EmbeddedServer(version="8.19.8") as server:
        yield server.url


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """Give a client of Elasticsearch 9 that never retries by itself."""
    with Elasticsearch(elasticsearch_url, max_retries=0) as made:
        yield made


@pytest.fixture
def client_8(elasticsearch_8_url: str) -> Iterator[Elasticsearch]:
    """Give a client of Elasticsearch 8 that never retries by itself."""
    with Elasticsearch(elasticsearch_8_url, max_retries=0) as made:
        yield made


@pytest.fixture
def namespace() -> str:
    """Give a data stream namespace that no other test has."""
    return f"t{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def fleet(elasticsearch_url: str) -> Planted:
    """Give a fleet with every story that raises an alert, and others, once indexed."""
    planted = stories("talerts")
    with Elasticsearch(elasticsearch_url) as client:
        ensure(client, namespace=planted.namespace)
        planted.index(client)
    return planted
