# SPDX-License-Identifier: Apache-2.0
"""The line of KB828371: three records on one line, one incident, one pending agent."""

from __future__ import annotations

import base64
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

import pytest

from shipper.records import Stream
from tests.enrich.story import OFFERS, READ_MS, StillClock, ship

ARTICLE = Path(__file__).parents[3] / "shared" / "data" / "kb828371.txt"
LINE = (
    rf'"{OFFERS.exe} " - Error : 1314'
    f"*** {OFFERS.app} - Error launching (#0x3EB)"
    "!!!WARNING: Problem starting App (1003). Doing App Verify."
).encode()


def generation(covered: bytes) -> str:
    """Reckon the life's id: 96 bits over host, log name and its first bytes."""
    named = blake2b(b"pc0417\0clisvc\0" + covered, digest_size=12).digest()
    return base64.b32hexencode(named).decode().rstrip("=").lower()


def test_ids() -> None:
    """Ids tell life, offset, checksum, piece of the line, and number of the state."""
    log = LINE + b"\r\n"
    stem = f"{generation(log)}-000000000-{crc32(LINE):08x}"

    assert [one.id for one in ship(log)] == [
        f"{stem}.1",
        f"{stem}.1.s1",
        f"{stem}.2",
        f"{stem}.3",
        f"{stem}.3.s1",
    ]


def test_records() -> None:
    """Three records share one incident, whose cause is 1314 and never 1003."""
    shipped = [one for one in ship(LINE) if one.stream is Stream.CLISVC]

    assert [one.incident for one in shipped] == [
        {"id": shipped[0].id, "seq": seq, "root_code": "1314"} for seq in (1, 2, 3)
    ]
    assert [
        (
            one.body["event"]["code"],
            one.body["error"]["code"],
            one.body["error"]["type"],
        )
        for one in shipped
    ] == [
        ("S01b", "1314", "ERROR_PRIVILEGE_NOT_HELD"),
        ("S02", "1003", "ERROR_CAN_NOT_COMPLETE"),
        ("S03", "1003", "ERROR_CAN_NOT_COMPLETE"),
    ]
    assert {one.agent["name"] for one in shipped} == {
        "Advertised Programs Client Agent"
    }
    assert {one.body["event"]["original"] for one in shipped} == {LINE.decode()}
    assert {tuple(one.body["sms"]["log"]["flags"]) for one in shipped} >= {
        ("glued", "partial")
    }


def test_states() -> None:
    """The agent is refused, then pending; rights and articles say what to do."""
    refused, pending = (one for one in ship(LINE) if one.stream is Stream.STATE)

    assert (refused.agent["state"], refused.agent["previous_state"]) == (
        "launch_failed",
        "unknown",
    )
    assert (pending.agent["state"], pending.agent["previous_state"]) == (
        "install_pending",
        "launch_failed",
    )
    for one in (refused, pending):
        remedy = one.body["sms"]["remedy"]
        assert one.agent["name"] == "Advertised Programs Client Agent"
        assert one.agent["confidence"] == "inferred"
        assert one.agent["cause"] == "privilege"
        assert one.body["error"]["type"] == "ERROR_PRIVILEGE_NOT_HELD"
        assert one.body["file"] == {"path": OFFERS.exe}
        assert remedy["account"] == ["SMSCliSvcAcct&", "SMS&_<dc>"]
        assert set(remedy["rights"]) == {
            "SeAssignPrimaryTokenPrivilege",
            "SeIncreaseQuotaPrivilege",
            "SeTcbPrivilege",
        }
        assert {"KB828371", "KB295771"} <= set(remedy["references"])


def test_time_of_a_log_without_times() -> None:
    """With no time anywhere a record has that of its reading, and says so."""
    shipped = ship(LINE, clock=StillClock(READ_MS + 1))

    assert {one.body["@timestamp"] for one in shipped} == {"2004-11-09T11:33:20.001Z"}
    assert {one.body["sms"]["time"]["source"] for one in shipped} == {"read"}


def test_whole_article() -> None:
    """The article as a log: its line is an incident, every other line plain text."""
    if not ARTICLE.is_file():
        pytest.skip("the article's text is not beside this folder")
    data = ARTICLE.read_bytes()
    rows = [row.strip() for row in data.splitlines()]
    written = [row for row in rows if row]
    at = data.index(LINE)
    stem = f"-{at:09x}-{crc32(LINE):08x}"

    shipped = ship(data)
    meant = [one for one in shipped if stem in one.id]
    others = [one for one in shipped if stem not in one.id]

    assert [one.id.partition(stem)[2] for one in meant] == [
        ".1",
        ".1.s1",
        ".2",
        ".3",
        ".3.s1",
    ]
    assert len(others) == len(written) - 1
    assert [one.body["event"]["original"].strip().encode() for one in others] == [
        row for row in written if row != LINE
    ]
    assert {one.body["event"]["kind"] for one in others} == {"event"}
    assert not any("agent" in one.body["sms"] for one in others)
    assert {one.body["event"].get("code") for one in others} == {None, "S27"}
