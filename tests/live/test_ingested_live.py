# SPDX-License-Identifier: Apache-2.0
"""What the ingest pipeline makes of anything, indexed into our templates."""

from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shipper.stack import apply, plan
from tests.ingest.engine import engine
from tests.ingest.lines import malformed
from tests.ingest.sides import PIPELINE

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.ingest,
    pytest.mark.timeout(300),
]


def test_nothing_is_refused(client: Elasticsearch, namespace: str) -> None:
    """Whatever is sent, the index takes what comes out of the pipeline."""
    apply(client, plan(client))
    with engine() as ingest:
        documents = ingest.run(PIPELINE, list(malformed(1, 1000)))

    operations: list[dict[str, Any]] = []
    for document in documents:
        operations += [{"create": {}}, document]
    reply = client.bulk(
        index=f"logs-sms.clisvc-{namespace}",
        operations=operations,
        require_data_stream=True,
    )

    assert [
        item["create"]["error"]
        for item in reply.body["items"]
        if "error" in item["create"]
    ] == []
