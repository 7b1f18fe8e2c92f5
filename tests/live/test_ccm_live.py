# SPDX-License-Identifier: Apache-2.0
"""Logs of the newer client, from the file to their own data stream and back."""

from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from shipper.records import Stream
from tests.live.commands import clisvc, hits

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(240)]

_END = (
    '" date="11-24-2014" component="CcmExec" context="" type="1" thread="1876" file=""'
)
_PARTS = 3
_EACH = 40


def envelopes(begin: int) -> str:
    """Return records of one, two and three lines in turn."""
    return "".join(
        f"<![LOG[step {number}{chr(10).join([''] + ['more'] * (number % 3))}]LOG]!>"
        f'<time="06:{number // 60:02}:{number % 60:02}.000+480{_END}>\n'
        for number in range(begin, begin + _EACH)
    )


def test_shipped_verified_and_sent_again(
    elasticsearch_url: str, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """CCM records get to sms.ccm, each once; verify and replay know them there."""
    log, index = tmp_path / "CcmExec.log", f"logs-{Stream.CCM}-{namespace}"
    words = ("--elasticsearch-url", elasticsearch_url, "--namespace", namespace)
    whose = ("--host", "pc0417")
    state = ("--state", tmp_path / "state")
    codes = []
    for part in range(_PARTS):
        with log.open("a", newline="") as file:
            file.write(envelopes(part * _EACH))
        codes.append(clisvc("ship", log, *words, *whose, *state).code)
        if part == 1:
            client.indices.rollover(alias=index)
    lost = clisvc("ship", log, *words, *whose, "--state", tmp_path / "another")
    verified = clisvc("verify", log, *words, *whose, "--json")
    victim = next(iter(hits(client, index)))
    client.delete(index=victim["_index"], id=victim["_id"], refresh=True)
    missed = clisvc("verify", log, *words, *whose, "--json")
    replayed = clisvc("replay", log, *words, *whose, "--json")
    mended = clisvc("verify", log, *words, *whose, "--json")

    assert codes == [0, 0, 0]
    assert lost.code == 0
    assert (verified.code, verified.json["present"]) == (0, _PARTS * _EACH)
    assert (missed.code, missed.json["missing"]) == (1, 1)
    assert replayed.code == 0
    assert (mended.code, mended.json["present"]) == (0, _PARTS * _EACH)
    found = {hit["_source"]["message"]: hit["_source"] for hit in hits(client, index)}
    assert len(found) == _PARTS * _EACH
    assert found["step 0"]["@timestamp"] == "2014-11-24T14:00:00.000Z"
    assert found["step 0"]["event"]["dataset"] == "sms.ccm"
    assert "step 2\nmore\nmore" in found
