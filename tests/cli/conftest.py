# SPDX-License-Identifier: Apache-2.0
"""What tests of the command line share."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest


@pytest.fixture
def closed_url() -> Iterator[str]:
    """Give an address where nobody listens, and nobody else can."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
