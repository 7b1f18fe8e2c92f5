# SPDX-License-Identifier: Apache-2.0
"""``clisvc deadletter``: refused documents looked at and sent again."""

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from tests.live.commands import clisvc, lines, originals, texts

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]


def test_refused_then_taken(
    elasticsearch_url: str, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """Letters are listed, refused again while the cause lasts, and taken after it."""
    clisvc("setup", "--elasticsearch-url", elasticsearch_url)
    log, state = tmp_path / "Clisvc.log", tmp_path / "state"
    log.write_bytes(lines(0, 3))
    server = ("--elasticsearch-url", elasticsearch_url)
    index = f"logs-sms.clisvc-{namespace}"
    template = f"refusing-{namespace}"
    client.indices.put_index_template(
        name=template,
        index_patterns=[index],
        data_stream={},
        priority=900,
        template={"mappings": {"properties": {"message": {"type": "long"}}}},
    )
    try:
        clisvc("ship", log, *server, "--namespace", namespace, "--state", state)
        listed = clisvc("deadletter", "list", "--state", state, "--json")
        # The letter itself says which namespace it belongs to.
        refused = clisvc("deadletter", "replay", *server, "--state", state, "--json")
    finally:
        client.indices.delete_index_template(name=template)
    client.indices.rollover(alias=index)  # with the mapping of now
    letters = listed.json["letters"]
    first = letters[0]["id"]
    shown = clisvc("deadletter", "show", first, "--state", state, "--json")
    one = clisvc("deadletter", "replay", first, *server, "--state", state, "--json")
    others = clisvc("deadletter", "replay", *server, "--state", state, "--json")
    after = clisvc("deadletter", "list", "--state", state, "--json")

    assert len(letters) == 3
    assert {letter["error_type"] for letter in letters} == {
        "document_parsing_exception"
    }
    assert (refused.code, refused.json["refused"]) == (1, 3)
    assert shown.json["document"]["event"]["original"] == texts(lines(0, 1))[0]
    assert (one.code, one.json["indexed"], one.json["refused"]) == (0, 1, 0)
    assert (others.code, others.json["indexed"], others.json["duplicates"]) == (0, 2, 0)
    assert after.json == {"letters": [], "damaged_lines": []}
    assert originals(client, namespace).total() == 3
