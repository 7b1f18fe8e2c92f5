# SPDX-License-Identifier: Apache-2.0
"""``clisvc verify`` against a real Elasticsearch that has been tampered with."""

from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.live.commands import Done, clisvc, hits, lines

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(300)]

_LINE = len(lines(0, 1))
"""Bytes of a record with a number below ten."""


class Shipped:
    """A log of ten records that has been shipped, and its documents by number."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self.index = f"logs-sms.clisvc-{namespace}"
        self.log = folder / "Clisvc.log"
        self.words = (
            *("--elasticsearch-url", url, "--namespace", namespace),
            *("--host", "pc0417"),
        )
        self.log.write_bytes(lines(0, 10))
        done = clisvc("ship", self.log, *self.words, "--state", folder / "state")
        assert done.code == 0

    def documents(self, client: Elasticsearch) -> list[dict[str, Any]]:
        """Return the documents in the order of the log."""
        found = list(hits(client, self.index))
        return sorted(found, key=lambda hit: hit["_source"]["sms"]["log"]["offset"])

    def verify(self, *words: object) -> Done:
        """Verify the log."""
        return clisvc("verify", self.log, *self.words, *words)


@pytest.fixture
def shipped(elasticsearch_url: str, namespace: str, tmp_path: Path) -> Shipped:
    """Give a shipped log."""
    return Shipped(elasticsearch_url, namespace, tmp_path)


def _numbers(done: Done) -> dict[str, int]:
    return {
        name: done.json[name] for name in ("records", "present", "missing", "extra")
    }


def test_all_there(shipped: Shipped) -> None:
    """Of a shipped log every record is there, and nothing is extra."""
    done = shipped.verify("--json")

    assert done.code == 0
    assert _numbers(done) == {"records": 10, "present": 10, "missing": 0, "extra": 0}
    assert done.json["notes"] == []


def test_deleted_and_added(shipped: Shipped, client: Elasticsearch) -> None:
    """A document deleted on purpose is missing, one added on purpose is extra."""
    documents = shipped.documents(client)
    client.delete(index=documents[3]["_index"], id=documents[3]["_id"])
    client.create(index=shipped.index, id="forged", document=documents[7]["_source"])

    done = shipped.verify("--json")

    assert done.code == 1
    assert _numbers(done) == {"records": 10, "present": 9, "missing": 1, "extra": 1}
    (file,) = done.json["files"]
    (missing,), (extra,) = file["first_missing"], file["first_extra"]
    assert (missing["id"], missing["offset"]) == (documents[3]["_id"], 3 * _LINE)
    assert missing["text"] == lines(3, 1).decode().strip()
    assert (extra["id"], extra["offset"]) == ("forged", 7 * _LINE)
    assert extra["indices"] == [documents[7]["_index"]]


def test_doubled_across_a_rollover(shipped: Shipped, client: Elasticsearch) -> None:
    """The same document in two backing indices is one too many, and both are named."""
    document = shipped.documents(client)[5]
    client.indices.rollover(alias=shipped.index)
    again = client.create(
        index=shipped.index, id=document["_id"], document=document["_source"]
    )

    done = shipped.verify("--json")

    assert done.code == 1
    assert _numbers(done) == {"records": 10, "present": 10, "missing": 0, "extra": 1}
    (extra,) = done.json["files"][0]["first_extra"]
    assert extra["id"] == document["_id"]
    assert extra["indices"] == [document["_index"], again["_index"]]


def test_written_meanwhile(shipped: Shipped) -> None:
    """A line without an end is left out, and it says so; a whole one counts."""
    with shipped.log.open("ab") as file:
        file.write(lines(10, 1) + b"unfinished")

    done = shipped.verify()

    assert done.code == 1
    headings, row, missing, left = done.out.splitlines()
    shown = dict(zip(headings.split("\t"), row.split("\t"), strict=True))
    assert (shown["records"], shown["missing"], shown["extra"]) == ("11", "1", "0")
    assert "10 jobs waiting" in missing
    assert left == (f"{shipped.log}: 10 bytes of an unfinished last line left out")


def test_first_index_gone(shipped: Shipped, client: Elasticsearch) -> None:
    """Where the oldest backing index has been deleted, the note says since when."""
    (first,) = {hit["_index"] for hit in shipped.documents(client)}
    client.indices.rollover(alias=shipped.index)
    client.indices.delete(index=first)

    done = shipped.verify("--json")

    assert (done.code, done.json["missing"]) == (1, 10)
    (note,) = done.json["notes"]
    assert "-000002" in note
    assert first[-17:-7] in note  # the day in the name; both were made today


def test_never_shipped(elasticsearch_url: str, namespace: str, tmp_path: Path) -> None:
    """Without a data stream all records are missing, and that is said."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(lines(0, 3))
    words = ("--elasticsearch-url", elasticsearch_url, "--namespace", namespace)

    done = clisvc("verify", log, *words, "--json")

    assert (done.code, done.json["missing"]) == (1, 3)
    assert done.json["notes"] == [
        f"logs-sms.clisvc-{namespace}: there is no such data stream."
    ]


def test_long_file(
    elasticsearch_url: str, client: Elasticsearch, namespace: str, tmp_path: Path
) -> None:
    """More than a page of documents is compared to the last one."""
    log = tmp_path / "Clisvc.log"
    log.write_bytes(lines(0, 21_000))
    words = (
        *("--elasticsearch-url", elasticsearch_url, "--namespace", namespace),
        *("--host", "pc0417"),
    )
    clisvc("ship", log, *words, "--state", tmp_path / "state")
    last = max(
        hits(client, f"logs-sms.clisvc-{namespace}", source=["sms.log.offset"]),
        key=lambda hit: hit["_source"]["sms"]["log"]["offset"],
    )
    before = clisvc("verify", log, *words, "--json")
    client.delete(index=last["_index"], id=last["_id"])
    after = clisvc("verify", log, *words, "--json")

    assert (before.code, before.json["present"]) == (0, 21_000)
    assert (after.code, after.json["missing"], after.json["extra"]) == (1, 1, 0)
