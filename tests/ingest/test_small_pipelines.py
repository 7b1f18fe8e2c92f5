# SPDX-License-Identifier: Apache-2.0
"""The pipelines of states, of status documents, and of what transforms write."""

from __future__ import annotations

import pytest

from shipper.stack import Kind
from shipper.stack.assets import asset
from tests.ingest.engine import Engine

pytestmark = [pytest.mark.ingest, pytest.mark.timeout(300)]


def test_arrival(ingest: Engine) -> None:
    """The time of arrival is the server's, whatever the collector's clock says."""
    pipeline = asset(Kind.INGEST_PIPELINE, "logs-sms.arrival-1").body
    late = "2003-02-12T10:00:00.000Z"
    source = {"event": {"ingested": late, "action": "agent-recovered"}, "message": "x"}

    (found,) = ingest.run(pipeline, [source])

    assert found["event"]["ingested"] > "2026"
    assert (found["event"]["action"], found["message"]) == ("agent-recovered", "x")


def test_current(ingest: Engine) -> None:
    """A metric that is missing comes as the word null, and is not there afterwards."""
    pipeline = asset(Kind.INGEST_PIPELINE, "logs-sms.current-1").body
    agent = {"state": "healthy", "cause": "null", "relapse": "null", "cycles": "0"}
    last = {"sms": {"agent": agent, "incident": {"root_code": "null"}}, "host": None}

    found = ingest.run(
        pipeline, [{"host": {"name": "null"}, "last": last}, {"host": {"name": "pc1"}}]
    )

    left = {"agent": {"state": "healthy", "cycles": "0"}, "incident": {}}
    assert found == [
        {"host": {"name": "null"}, "last": {"sms": left}},
        {"host": {"name": "pc1"}},
    ]
