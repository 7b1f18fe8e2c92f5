# SPDX-License-Identifier: Apache-2.0
"""``clisvc replay``: a file's records sent again into a real Elasticsearch."""

import os
import pty
import subprocess
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from tests.enrich.story import DAY, OFFERS, lines, triple
from tests.live.commands import COMMAND, PATIENCE_S, clisvc, environment, hits

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_REFUSED = lines(triple(OFFERS), 0)
_REFUSED_AGAIN = lines(triple(OFFERS), DAY)


@pytest.fixture
def words(elasticsearch_url: str, namespace: str) -> tuple[str, ...]:
    """Give the options that stay the same."""
    return (
        *("--elasticsearch-url", elasticsearch_url, "--namespace", namespace),
        *("--host", "pc0417"),
    )


@pytest.fixture
def log(tmp_path: Path, words: tuple[str, ...]) -> Path:
    """Give a log of a refusal and another one a day later, shipped with its history."""
    log = tmp_path / "Clisvc.log"
    log.with_suffix(".lo_").write_bytes(_REFUSED)
    log.write_bytes(_REFUSED_AGAIN)
    pattern = tmp_path / "Clisvc.*"
    done = clisvc("ship", pattern, *words, "--state", tmp_path / "state")
    assert done.code == 0
    return log


def _bodies(
    client: Elasticsearch, namespace: str, stream: str
) -> dict[str, dict[str, object]]:
    """Return the documents by id, without what each sending stamps on them."""
    found = {}
    for hit in hits(client, f"logs-sms.{stream}-{namespace}"):
        assert hit["_id"] not in found
        body = hit["_source"]
        for name in ("agent", "observer"):
            del body[name]
        found[hit["_id"]] = body
    return found


def test_nothing_doubled(
    log: Path, words: tuple[str, ...], client: Elasticsearch, namespace: str
) -> None:
    """Records and states that are there already stay as they are; missing ones come."""
    before = _bodies(client, namespace, "clisvc")
    index = f"logs-sms.state-{namespace}"
    states = sorted(
        hits(client, index), key=lambda hit: str(hit["_source"]["@timestamp"])
    )
    last = states[-1]
    client.delete(index=last["_index"], id=last["_id"])

    done = clisvc("replay", log, *words, "--json")

    assert done.code == 0
    assert (done.json["records"], done.json["states"]) == (3, 1)
    assert (done.json["indexed"], done.json["duplicates"]) == (1, 3)
    assert _bodies(client, namespace, "clisvc") == before
    # Its second cycle: what the older file says counts, though it is not sent.
    again = _bodies(client, namespace, "state")[last["_id"]]
    assert again["sms"] == last["_source"]["sms"]
    assert again["sms"]["agent"]["cycles"] == 2  # type: ignore[index]  # JSON


def test_rewrite(
    log: Path, words: tuple[str, ...], client: Elasticsearch, namespace: str
) -> None:
    """In another zone documents are made anew from --from on; all others stay."""
    before = _bodies(client, namespace, "clisvc")
    begin = len(lines(triple(OFFERS)[:1], DAY))

    done = clisvc(
        *("replay", log, *words, "--rewrite", "--yes", "--json"),
        *("--from", begin, "--timezone", "Asia/Tokyo"),
    )
    after = _bodies(client, namespace, "clisvc")
    kept = clisvc("verify", log, *words, "--json")

    assert done.code == 0
    assert done.json["deleted"] == done.json["indexed"] == 2
    assert done.json["duplicates"] == 0
    assert after.keys() == before.keys()
    assert sum(after[ident] != before[ident] for ident in before) == 2
    assert (kept.code, kept.json["present"]) == (0, 3)


def test_rewrite_across_a_rollover(
    log: Path, words: tuple[str, ...], client: Elasticsearch, namespace: str
) -> None:
    """What is deleted in an older backing index is sent into the one of now."""
    index = f"logs-sms.clisvc-{namespace}"
    client.indices.rollover(alias=index)
    plain = clisvc("replay", log, *words, "--json")

    done = clisvc("replay", log, *words, "--rewrite", "--yes", "--json")
    kept = clisvc("verify", log, *words, "--json")

    assert (plain.json["indexed"], plain.json["duplicates"]) == (0, 4)
    assert (done.json["deleted"], done.json["indexed"]) == (4, 4)
    assert (kept.code, kept.json["present"]) == (0, 3)


@pytest.mark.parametrize(("answer", "deleted"), [("n", 0), ("y", 4)])
def test_asks_on_a_terminal(
    log: Path,
    words: tuple[str, ...],
    client: Elasticsearch,
    namespace: str,
    answer: str,
    deleted: int,
) -> None:
    """Before anything is deleted it says how much, and no means no."""
    before = _numbers(client, namespace)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "replay", str(log), *words, "--rewrite"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    os.close(theirs)
    try:
        os.write(ours, f"{answer}\n".encode())
        _, said = process.communicate(timeout=PATIENCE_S)
    finally:
        os.close(ours)
    changed = sum(
        before[ident] != number for ident, number in _numbers(client, namespace).items()
    )

    assert f"4 documents of {log} will be deleted" in said.decode()
    assert (process.returncode, changed) == (0 if deleted else 130, deleted)


def _numbers(client: Elasticsearch, namespace: str) -> dict[str, int]:
    """Return a number of each document that is another once it is written anew."""
    found: dict[str, int] = {}
    for stream in ("clisvc", "state"):
        index = f"logs-sms.{stream}-{namespace}"
        client.indices.refresh(index=index)
        reply = client.search(index=index, size=100, seq_no_primary_term=True)
        found |= {hit["_id"]: hit["_seq_no"] for hit in reply["hits"]["hits"]}
    return found
