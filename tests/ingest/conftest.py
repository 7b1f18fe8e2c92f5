# SPDX-License-Identifier: Apache-2.0
"""A real ingest engine for tests marked ``ingest``, started on first use.

One that cannot be had fails the tests that want it; it never skips them.
"""

from collections.abc import Iterator

import pytest

from tests.ingest.engine import Engine, engine

TIMEOUT_S = 300
"""Enough for the first test of a session to fetch and start the engine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests with an engine time for the first fetch."""
    for item in items:
        if item.get_closest_marker("ingest"):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="session")
def ingest() -> Iterator[Engine]:
    """Give an engine, one for the session, that leaves nothing behind."""
    with engine() as started:
        yield started
    assert not started.process.alive()
    assert not started.home.exists()
