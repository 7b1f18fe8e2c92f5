# SPDX-License-Identifier: Apache-2.0
"""What becomes of documents, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ingest.engine import Engine
from tests.ingest.lines import malformed
from tests.ingest.sides import PIPELINE, value

pytestmark = pytest.mark.ingest

SENT = "2004-11-09T11:33:20.000Z"
TRAILER = (
    r"$$<C:\WINNT\MS\SMS\CORE\BIN\CLISVCL.EXE><Mon Nov 15 16:54:10.112 1999>"
    "<thread=52 (0x34)>"
)
LAUNCH = (
    r'***ERROR: Unable to launch "C:\WINNT\MS\SMS\clicomp\SWDist32\bin\ODPUSR32.exe "'
    " - Error : 1314"
)


def ingested(engine: Engine, message: object, **more: object) -> dict[str, Any]:
    """Return what the pipeline makes of a raw line."""
    sent = {"@timestamp": SENT, "message": message, **more}
    return engine.run(PIPELINE, [sent])[0]


def test_refused_launch(ingest: Engine) -> None:
    """KB828371's record has its time in UTC, its code, its agent and its remedy."""
    document = ingested(
        ingest, f"{LAUNCH}~  {TRAILER}", event={"timezone": "America/Chicago"}
    )

    seen = {
        name: value(document, name)
        for name in (
            "@timestamp", "message", "event.code", "event.action", "event.outcome",
            "event.severity", "event.timezone", "error.code", "error.type",
            "sms.error.hex", "sms.error.role", "sms.agent.id", "sms.remedy.id",
            "sms.time.source", "sms.parse.dialect", "sms.parse.quality", "process.name",
            "process.parent.name", "process.parent.thread.id", "log.level",
        )
    }  # fmt: skip
    assert seen == {
        "@timestamp": "1999-11-15T22:54:10.112Z",
        "message": LAUNCH,
        "event.code": "S01",
        "event.action": "launch-failed",
        "event.outcome": "failure",
        "event.severity": 47,
        "event.timezone": "America/Chicago",
        "error.code": "1314",
        "error.type": "ERROR_PRIVILEGE_NOT_HELD",
        "sms.error.hex": "0x00000522",
        "sms.error.role": "cause",
        "sms.agent.id": "advertised-programs",
        "sms.remedy.id": "privilege",
        "sms.time.source": "host",
        "sms.parse.dialect": "legacy",
        "sms.parse.quality": "exact",
        "process.name": "ODPUSR32.exe",
        "process.parent.name": "CLISVCL.EXE",
        "process.parent.thread.id": 52,
        "log.level": "error",
    }


def test_glued_line(ingest: Engine) -> None:
    """A line of three records stays one document that says so."""
    line = (
        LAUNCH + "*** WNet User Groups Offer Data Provider - Error launching (#0x3EB)"
        "!!!WARNING: Problem starting App (1003). Doing App Verify."
    )

    document = ingested(ingest, line)

    assert value(document, "sms.log.flags") == ["glued"]
    assert document["message"] == line
    assert value(document, "event.code") == "S01"


def test_line_without_a_time(ingest: Engine) -> None:
    """It keeps the time its sender gave it."""
    document = ingested(ingest, "Working")

    assert document["@timestamp"] == SENT
    assert value(document, "sms.time.source") == "read"
    assert value(document, "sms.parse.quality") == "plain"


@pytest.mark.parametrize(
    ("bias", "utc"),
    [
        ("+480", "2014-11-24T09:52:13.827Z"),
        ("-330", "2014-11-23T20:22:13.827Z"),
        ("", "2014-11-24T01:52:13.827Z"),
    ],
)
def test_envelope(ingest: Engine, bias: str, utc: str) -> None:
    """A record of several lines; the bias is minutes to add."""
    message = "First\nsecond failed, error 5"
    line = (
        f'<![LOG[{message}]LOG]!><time="01:52:13.827{bias}" date="11-24-2014" '
        'component="PeerDPAgent" context="CORP\\anna" type="2" thread="2444" '
        'file="somefile.cpp:100">'
    )

    document = ingested(ingest, line)

    assert document["@timestamp"] == utc
    assert document["message"] == message
    assert document["log"] == {
        "level": "warning",
        "logger": "PeerDPAgent",
        "origin": {"file": {"name": "somefile.cpp", "line": 100}},
    }
    assert document["user"] == {"name": "CORP\\anna"}
    assert value(document, "sms.record.thread") == 2444
    assert value(document, "error.code") == "5"


@pytest.mark.parametrize(
    ("zone", "utc", "source"),
    [
        ("Central Standard Time", "1999-11-15T22:54:10.112Z", "host"),
        ("+05:30", "1999-11-15T11:24:10.112Z", "host"),
        ("Nowhere/Land", "1999-11-15T16:54:10.112Z", "assumed-utc"),
        (17, "1999-11-15T16:54:10.112Z", "assumed-utc"),
    ],
)
def test_zone_of_the_sender(
    ingest: Engine, zone: object, utc: str, source: str
) -> None:
    """It counts where the record names none: Windows' name, IANA's or an offset."""
    document = ingested(ingest, f"Working  {TRAILER}", event={"timezone": zone})

    assert document["@timestamp"] == utc
    assert value(document, "sms.time.source") == source


@pytest.mark.parametrize(
    "mark",
    [{"agent": {"type": "clisvc-shipper"}}, {"sms": {"log": {"generation": "0" * 20}}}],
)
def test_the_shippers_own_documents(ingest: Engine, mark: dict[str, Any]) -> None:
    """They get the time of ingestion, and nothing else is touched."""
    sent = {
        "@timestamp": SENT,
        "message": f"{LAUNCH}  {TRAILER}",
        "event": {"kind": "event", "original": "as it was"},
        "process": "odd",
        **mark,
    }

    document = ingest.run(PIPELINE, [sent])[0]
    stamped = document["event"].pop("ingested")

    assert document == sent
    assert stamped.endswith("Z")


def test_what_the_sender_knows_stays(ingest: Engine) -> None:
    """Members the record says nothing about are the sender's."""
    document = ingested(
        ingest,
        "Working",
        log={"file": {"path": "C:\\x.log"}, "offset": 7},
        host={"name": "pc0417", "ip": ["10.0.0.1"]},
        tags=["forwarded"],
    )

    assert document["log"]["file"] == {"path": "C:\\x.log"}
    assert document["log"]["offset"] == 7
    assert document["host"] == {"name": "pc0417", "ip": ["10.0.0.1"]}
    assert document["related"] == {"hosts": ["pc0417"]}
    assert document["tags"] == ["forwarded"]


def test_misplaced_values(ingest: Engine) -> None:
    """What no field of its name can hold is kept as text; the record is understood."""
    document = ingested(
        ingest,
        f"Working~  {TRAILER}",
        process="odd",
        tags={"a": 1},
        host={"name": {}, "os": 7, "ip": ["10.0.0.1"]},
        threat={"tactic": {"id": [{}]}},
        event={"module": "other", "kind": None},
    )

    assert document["message"] == "Working"
    assert value(document, "event.kind") == "event"
    assert sorted(value(document, "sms.misplaced")) == [
        "event.module: other",
        "host.name: {}",
        "host.os: 7",
        "process: odd",
        "tags: {a=1}",
        "threat.tactic.id: [{}]",
    ]
    assert document["host"] == {"ip": ["10.0.0.1"]}
    assert document["tags"] == ["misplaced"]


@pytest.mark.parametrize(
    "sent",
    [
        *("2026-11-24", "2026-11-24T11:33:20", "2026-11-24T11:33:20.5Z"),
        *("2026-11-24T11:33+0100", 1700000000000),
    ],
)
def test_times_the_index_takes(ingest: Engine, sent: object) -> None:
    """A time in one of the forms of strict_date_optional_time is the sender's."""
    document = ingest.run(PIPELINE, [{"@timestamp": sent, "message": "Working"}])[0]

    assert document["@timestamp"] == sent
    assert "tags" not in document


@pytest.mark.parametrize(
    "sent",
    [
        *("2026-11-24T12:33:20+01:00[Europe/Berlin]", "2026-02-30", "24.11.2026"),
        *("2026-11-24T25:00", "2026-11-24T11:00+99:00", 1.5),
    ],
)
def test_times_the_index_refuses(ingest: Engine, sent: object) -> None:
    """Another time is put aside, and that of ingestion taken."""
    document = ingest.run(PIPELINE, [{"@timestamp": sent, "message": "Working"}])[0]

    assert document["@timestamp"] == value(document, "event.ingested")
    assert value(document, "sms.misplaced") == [f"@timestamp: {sent}"]
    assert value(document, "event.kind") == "event"


def test_event_original_wins(ingest: Engine) -> None:
    """Where a sender keeps the original itself, that is what is taken apart."""
    document = ingested(
        ingest, "something else", event={"original": f"Working~  {TRAILER}"}
    )

    assert document["message"] == "Working"
    assert value(document, "sms.record.thread") == 52


def test_no_document_is_changed_by_another(ingest: Engine) -> None:
    """Lists that come with the pipeline belong to one document each."""
    adding = {
        **PIPELINE,
        "processors": [
            *PIPELINE["processors"],
            {"append": {"field": "event.category", "value": "x", "tag": "add"}},
        ],
    }
    sent = {"@timestamp": SENT, "message": LAUNCH}

    documents = ingest.run(adding, [sent, sent, sent])

    assert [value(one, "event.category") for one in documents] == [["process", "x"]] * 3


def test_malformed_documents(ingest: Engine) -> None:
    """Whatever is sent ends as a record, or as a failure that says what is wrong."""
    sent = list(malformed(1, 1000))

    results = ingest.simulate(PIPELINE, sent)

    failed = 0
    for result in results:
        document = result["doc"]["_source"]
        if value(document, "event.kind") == "pipeline_error":
            failed += 1
            (reason,) = value(document, "error.message")
            assert "failed with message: " in reason
            assert "preserve_original_event" in document["tags"]
        else:
            assert value(document, "event.kind") == "event"
            assert value(document, "sms.parse.dialect") in ("legacy", "ccm", "plain")
            assert isinstance(value(document, "event.original"), str)
        assert "_tmp" not in document
    assert 0 < failed < 800
