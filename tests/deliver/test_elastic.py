# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire, and what is made of the answers: the real client."""

import base64
import gzip
import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from shipper import __version__
from shipper.config import ElasticsearchSettings, Secret
from shipper.deliver import ElasticSink, Outage, TooLarge, Verdict, connect
from shipper.errors import ConfigError, NotPermitted, SinkUnavailable
from shipper.records import Event, Outcome, Stream
from tests.deliver.recording import Recorder, recording
from tests.fakes.clock_deliver import StillClock

# 2003-02-12 05:06:07.089 UTC is 1,045,026,367,089 ms after 1970.
_NOW_MS = 1_045_026_367_089
_SECRET = "s3cr3t-w0rd"  # noqa: S105  a value to look for
_RECORD = Event(
    id="g-0-1a2b3c4d",
    stream=Stream.CLISVC,
    document='{"event":{"kind":"event"},"message":"Fehler „ä“\\n"}'.encode(),
)
_STATE = Event(
    id="g-0-1a2b3c4d.s0",
    stream=Stream.STATE,
    document=b'{"event":{"kind":"state"},"sms":{"agent":{"state":"failed"}}}',
)


def _created(number: int = 1) -> tuple[int, Any]:
    items = [{"create": {"status": 201}} for _ in range(number)]
    return 200, {"errors": False, "items": items}


@contextmanager
def _sink(
    url: str, settings: ElasticsearchSettings | None = None
) -> Iterator[ElasticSink]:
    settings = msgspec.structs.replace(settings or ElasticsearchSettings(), url=url)
    sink = ElasticSink(
        connect(settings),
        namespace="test",
        url=settings.url,
        clock=StillClock(now_ms=_NOW_MS),
        collector="collector-1",
        agent_id="agent-id-1",
    )
    try:
        yield sink
    finally:
        sink.close()


def _sent(settings: ElasticsearchSettings, *events: Event) -> Recorder:
    """Send documents to a server that takes them all; return what it saw."""
    with recording(_created(len(events))) as recorder:
        with _sink(recorder.url, settings) as sink:
            sink.send(list(events))
        return recorder


def _verdicts(items: list[Any], events: list[Event]) -> list[Verdict]:
    """Return what is made of a reply with these items."""
    answer = {"errors": True, "items": items}
    with recording((200, answer)) as recorder, _sink(recorder.url) as sink:
        return sink.send(events)


# --- what is sent -----------------------------------------------------------------


def test_body() -> None:
    """The body is an action line and a document each, to the byte."""
    (request,) = _sent(ElasticsearchSettings(), _RECORD, _STATE).requests
    stamp = (
        '{"agent":{"type":"clisvc-shipper","version":"' + __version__ + '",'
        '"id":"agent-id-1","name":"collector-1"},'
        '"observer":{"name":"collector-1","product":"clisvc-shipper"},'
        '"event":{"ingested":"2003-02-12T05:06:07.089Z",'
    )

    assert request.body.decode() == (
        '{"create":{"_index":"logs-sms.clisvc-test","_id":"g-0-1a2b3c4d"}}\n'
        + stamp
        + '"kind":"event"},"message":"Fehler „ä“\\n"}\n'
        '{"create":{"_index":"logs-sms.state-test","_id":"g-0-1a2b3c4d.s0"}}\n'
        + stamp
        + '"kind":"state"},"sms":{"agent":{"state":"failed"}}}\n'
    )


def test_lines_are_json() -> None:
    """Each line is valid JSON; the stamp adds to a document and changes nothing."""
    (request,) = _sent(ElasticsearchSettings(), _RECORD, _STATE).requests
    _, record, _, state = [json.loads(line) for line in request.body.splitlines()]

    for sent, event in ((record, _RECORD), (state, _STATE)):
        del sent["agent"], sent["observer"], sent["event"]["ingested"]
        assert sent == json.loads(event.document)


def test_request() -> None:
    """A batch is one bulk request that never makes a plain index."""
    (request,) = _sent(ElasticsearchSettings(), _RECORD).requests

    assert (request.method, request.path) == ("PUT", "/_bulk")
    assert request.query == {
        "require_data_stream": "true",
        "timeout": "2s",
        "filter_path": "errors,items.*.status,items.*.failure_store,items.*.error",
    }
    assert "ndjson" in request.headers["content-type"]
    assert "content-encoding" not in request.headers
    assert "authorization" not in request.headers


def test_compressed() -> None:
    """Compressed when asked to be, and the same bytes inside."""
    plain = _sent(ElasticsearchSettings(), _RECORD).requests[0]
    packed = _sent(ElasticsearchSettings(compress=True), _RECORD).requests[0]

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_api_key() -> None:
    """An API key is sent as it is given."""
    settings = ElasticsearchSettings(api_key=Secret("a2V5OmlkMTI="))

    (request,) = _sent(settings, _RECORD).requests

    assert request.headers["authorization"] == "ApiKey a2V5OmlkMTI="


def test_basic_authentication() -> None:
    """User and password are sent in the basic scheme."""
    settings = ElasticsearchSettings(username="shipper", password=Secret(_SECRET))

    (request,) = _sent(settings, _RECORD).requests

    expected = base64.b64encode(f"shipper:{_SECRET}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_client_does_not_retry(status: int) -> None:
    """Each sending is one request: trying again is not the client's business."""
    with recording((status, {})) as recorder, _sink(recorder.url) as sink:
        with pytest.raises(Outage):
            sink.send([_RECORD])

        assert len(recorder.requests) == 1


# --- what is made of answers ------------------------------------------------------


def _item(status: int, kind: str, reason: str, cause: str = "") -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "reason": reason}
    if cause:
        error["caused_by"] = {"type": "x", "reason": cause}
    return {"create": {"status": status, "error": error}}


def test_outcomes_in_order() -> None:
    """Each document gets the verdict of its own item."""
    found = _verdicts(
        [
            {"create": {"status": 201}},
            _item(409, "version_conflict_engine_exception", "exists already"),
            _item(400, "document_parsing_exception", "failed", "not a number"),
            {"create": {"status": 200}},
        ],
        [_RECORD] * 4,
    )

    outcomes = [verdict.outcome for verdict in found]
    assert outcomes == [
        Outcome.DELIVERED,
        Outcome.DUPLICATE,
        Outcome.REJECTED,
        Outcome.DELIVERED,
    ]
    assert found[2] == Verdict(
        outcome=Outcome.REJECTED,
        status=400,
        error_type="document_parsing_exception",
        reason="failed: not a number",
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "security_exception"),
        (403, "cluster_block_exception"),
        (404, "index_not_found_exception"),
        (429, "es_rejected_execution_exception"),
        (500, "exception"),
        (503, "unavailable_shards_exception"),
        (400, "validation_exception"),
    ],
)
def test_outages_by_item(status: int, kind: str) -> None:
    """What is no fault of the document is tried again, with the reason kept."""
    (verdict,) = _verdicts([_item(status, kind, "why")], [_RECORD])

    assert verdict == Verdict(
        outcome=Outcome.RETRY, status=status, error_type=kind, reason="why"
    )


def test_missing_pipeline() -> None:
    """That the data stream's pipeline is gone is no fault of the document."""
    kind, why = "illegal_argument_exception", "pipeline with id [p-1] does not exist"
    (verdict,) = _verdicts([_item(400, kind, why)], [_RECORD])

    assert (verdict.outcome, verdict.reason) == (Outcome.RETRY, why)


def test_failure_store() -> None:
    """What only reached the failure store was not delivered."""
    (verdict,) = _verdicts(
        [{"create": {"status": 201, "failure_store": "used"}}], [_RECORD]
    )

    assert (verdict.outcome, verdict.status) == (Outcome.REJECTED, 201)
    assert verdict.error_type == "failure_store"


@pytest.mark.parametrize("mark", ["not_applicable_or_unknown", "not_enabled"])
def test_failure_store_not_used(mark: str) -> None:
    """Other marks of the failure store mean nothing."""
    (verdict,) = _verdicts(
        [{"create": {"status": 201, "failure_store": mark}}], [_RECORD]
    )

    assert verdict.outcome is Outcome.DELIVERED


def test_long_reason() -> None:
    """A reason is cut at 2,000 characters."""
    (verdict,) = _verdicts([_item(400, "x", "r" * 5000)], [_RECORD])

    assert verdict.reason == "r" * 2000


def _outage(answer: tuple[int, Any], events: int = 2) -> Outage:
    with recording(answer) as recorder, _sink(recorder.url) as sink:
        with pytest.raises(Outage) as caught:
            sink.send([_RECORD] * events)
        return caught.value


@pytest.mark.parametrize("items", [0, 1, 3])
def test_short_reply(items: int) -> None:
    """A reply with too few or too many items settles nothing."""
    outage = _outage(_created(items))

    assert isinstance(outage.problem, SinkUnavailable)
    assert f"answered for {items} of 2 documents" in outage.problem.message


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"items": {}},
        {"items": ["a", "b"]},
        {"items": [{}, {}]},
        {"items": [{"index": {"status": 201}}] * 2},
        {"items": [{"create": {}}] * 2},
        {"items": [{"create": {"status": 400, "error": "text"}}] * 2},
        "{",
        "",
    ],
)
def test_malformed_reply(body: object) -> None:
    """A reply that cannot be understood settles nothing."""
    assert isinstance(_outage((200, body)).problem, SinkUnavailable)


def test_too_large() -> None:
    """A whole request too large is told apart from an outage."""
    with (
        recording((413, "")) as recorder,
        _sink(recorder.url) as sink,
        pytest.raises(TooLarge),
    ):
        sink.send([_RECORD])


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotPermitted), (403, NotPermitted), (429, SinkUnavailable)],
)
def test_refused_requests(status: int, kind: type) -> None:
    """A refusal of the whole request is an outage with its reason."""
    error = {"error": {"type": "x", "reason": "no"}, "status": status}

    assert isinstance(_outage((status, error)).problem, kind)


@pytest.mark.parametrize(
    ("status", "unknown"),
    [(status, False) for status in (400, 401, 403, 404, 405, 429)]
    + [(status, True) for status in (408, 500, 502, 503, 504)],
)
def test_what_became_of_them(status: int, unknown: bool) -> None:  # noqa: FBT001
    """A clean refusal did nothing; behind a server error anything may have been done.

    A server that is told to end answers 5xx in the middle of its work
    (elastic/beats#5269).
    """
    assert _outage((status, {})).unknown is unknown


@pytest.mark.parametrize("body", [_created(1)[1], "{", {}])
def test_bad_reply_is_unknown(body: object) -> None:
    """After a short or malformed reply documents may be there."""
    assert _outage((200, body)).unknown


def test_refused_connection_did_nothing() -> None:
    """Where nobody listens nothing can have been done."""
    with recording(_created()) as recorder:
        pass
    with _sink(recorder.url) as sink, pytest.raises(Outage) as caught:
        sink.send([_RECORD])

    assert not caught.value.unknown


@contextmanager
def _hanging_up() -> Iterator[str]:
    """Yield the address of a server that hangs up on every request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            thread.join()


def test_cut_connection_is_unknown() -> None:
    """If the connection is cut in place of a reply, documents may be there."""
    with (
        _hanging_up() as url,
        _sink(url) as sink,
        pytest.raises(Outage) as caught,
    ):
        sink.send([_RECORD])

    assert caught.value.unknown


@pytest.mark.parametrize(
    ("status", "stated", "busy", "wait_s"),
    [
        (429, "7", True, 7),
        (503, "120", False, 120),
        (429, "", True, 0),
        (429, "-1", True, 0),
        (429, "Wed, 21 Oct 2015 07:28:00 GMT", True, 0),
    ],
)
def test_retry_after(status: int, stated: str, busy: bool, wait_s: float) -> None:  # noqa: FBT001
    """The seconds a server asks for are handed on; a date is not understood."""
    with (
        recording((status, {}), headers={"retry-after": stated}) as recorder,
        _sink(recorder.url) as sink,
        pytest.raises(Outage) as caught,
    ):
        sink.send([_RECORD])

    assert (caught.value.busy, caught.value.wait_s) == (busy, wait_s)


# --- sent again -------------------------------------------------------------------


def _resolved(*indices: str) -> tuple[int, Any]:
    row = {"name": "logs-sms.clisvc-test", "backing_indices": list(indices)}
    return 200, {"data_streams": [row]}


def _docs(*found: bool) -> tuple[int, Any]:
    return 200, {"docs": [{"found": each} for each in found]}


_EVENTS = [msgspec.structs.replace(_RECORD, id=name) for name in "abc"]


def test_only_the_missing_are_sent() -> None:
    """What a backing index has is not sent; verdicts stay in order."""
    looked_up = (_docs(True, False, False), _docs(False, True))
    answers = (_resolved("r1", "r2"), *looked_up, _created(1))
    with recording(*answers) as recorder, _sink(recorder.url) as sink:
        found = sink.send(_EVENTS, since=0)

    assert [verdict.outcome for verdict in found] == [
        Outcome.DUPLICATE,
        Outcome.DELIVERED,
        Outcome.DUPLICATE,
    ]
    _, looked, older, sent = recorder.requests
    assert [looked.path, older.path] == ["/r2/_mget", "/r1/_mget"]
    assert looked.query == {
        "_source": "false",
        "filter_path": "docs.found,docs.error",
    }
    assert sent.body.count(b'"create"') == 1
    assert b'"_id":"b"' in sent.body


def test_all_there() -> None:
    """If a backing index has them all, nothing is sent, nor is another looked into."""
    answers = (_resolved("r1", "r2"), _docs(True, True, True))
    with recording(*answers) as recorder, _sink(recorder.url) as sink:
        found = sink.send(_EVENTS, since=0)

    assert [verdict.outcome for verdict in found] == [Outcome.DUPLICATE] * 3
    assert len(recorder.requests) == 2


def test_never_sent_before() -> None:
    """What cannot have been sent before is not looked up."""
    with recording(_created(3)) as recorder, _sink(recorder.url) as sink:
        sink.send(_EVENTS)

    assert [request.path for request in recorder.requests] == ["/_bulk"]


def test_unchecked() -> None:
    """Where nobody may look, what is taken is marked; what was there is certain."""
    denied = {"error": {"type": "security_exception", "reason": "no"}}
    items = [{"create": {"status": 201}}, {"create": {"status": 409}}]
    answers = ((403, denied), (200, {"errors": True, "items": items}))
    with recording(*answers) as recorder, _sink(recorder.url) as sink:
        taken, there = sink.send(_EVENTS[:2], since=0)

    assert (taken.outcome, taken.unchecked) == (Outcome.DELIVERED, True)
    assert (there.outcome, there.unchecked) == (Outcome.DUPLICATE, False)


# --- TLS --------------------------------------------------------------------------


class Tls:
    """A server's certificate and the authority behind it.

    Attributes:
        context: for the server.
        authority: PEM file.
        fingerprint: SHA-256 of the server's certificate.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(self.context)
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.authority)
        pem = certificate.cert_chain_pems[0].bytes().decode()
        der = ssl.PEM_cert_to_DER_cert(pem)
        self.fingerprint = hashlib.sha256(der).hexdigest()


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """Return a certificate for the loopback address."""
    return Tls(tmp_path)


def _over_tls(tls: Tls, settings: ElasticsearchSettings) -> list[Verdict]:
    with (
        recording(_created(), tls=tls.context) as recorder,
        _sink(recorder.url, settings) as sink,
    ):
        return sink.send([_RECORD])


@pytest.mark.parametrize(
    "trust",
    [
        lambda tls: ElasticsearchSettings(ca_cert=str(tls.authority)),
        lambda tls: ElasticsearchSettings(fingerprint=tls.fingerprint),
        lambda _: ElasticsearchSettings(verify=False),
    ],
    ids=["authority", "fingerprint", "unverified"],
)
def test_trusted(tls: Tls, trust: Callable[[Tls], ElasticsearchSettings]) -> None:
    """A server is trusted by its authority, by its certificate, or blindly."""
    (verdict,) = _over_tls(tls, trust(tls))

    assert verdict.outcome is Outcome.DELIVERED


def test_unknown_authority(tls: Tls, tmp_path: Path) -> None:
    """A certificate of another authority is refused, and nothing is sent."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)

    for authority in ("", str(other)):
        with pytest.raises(Outage) as caught:
            _over_tls(tls, ElasticsearchSettings(ca_cert=authority))
        assert isinstance(caught.value.problem, SinkUnavailable)
        assert caught.value.problem.message.startswith("TLS with https://127.0.0.1:")


def test_wrong_fingerprint(tls: Tls) -> None:
    """A certificate other than the one named is refused."""
    with pytest.raises(Outage) as caught:
        _over_tls(tls, ElasticsearchSettings(fingerprint="00" * 32))

    assert isinstance(caught.value.problem, SinkUnavailable)


# --- settings that do not fit -----------------------------------------------------


@pytest.mark.parametrize("name", ["ca_cert", "client_cert", "client_key"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    """A file that is not there is a wrong setting, not an outage."""
    missing = str(tmp_path / "missing.pem")
    settings = msgspec.convert(
        {"url": "https://es:9200", name: missing}, ElasticsearchSettings
    )

    with pytest.raises(ConfigError) as caught:
        connect(settings)

    assert caught.value.message == (
        f"elasticsearch.{name}: {missing} cannot be read: No such file or directory."
    )


@pytest.mark.parametrize(
    "url",
    [
        f"https://u:{_SECRET}@es:99999",
        f"https://good:9200, https://u:{_SECRET}@es:99999",
        f"https://u:{_SECRET}@[es:9200",
        f"ftp://u:{_SECRET}@es:9200",
        f"u:{_SECRET}@es:9200",
    ],
)
def test_impossible_address(url: str) -> None:
    """An address that cannot be used is named, without the password in it."""
    with pytest.raises(ConfigError) as caught:
        connect(ElasticsearchSettings(url=url)).close()

    assert "cannot be used" in caught.value.message
    assert _SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("answer", [(401, {}), (403, {}), (500, {}), _created(0)])
def test_secrets_stay_secret(answer: tuple[int, Any]) -> None:
    """No message and no dump shows a secret."""
    settings = ElasticsearchSettings(
        api_key=Secret(_SECRET), username="u", password=Secret(_SECRET)
    )
    with recording(answer) as recorder, _sink(recorder.url, settings) as sink:
        with pytest.raises(Outage) as caught:
            sink.send([_RECORD])
        shown = [str(caught.value), repr(caught.value), repr(settings), repr(sink)]
        shown += [repr(connect(settings)), str(caught.value.problem.__dict__)]

    assert not [text for text in shown if _SECRET in text]
