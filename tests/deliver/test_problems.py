# SPDX-License-Identifier: Apache-2.0
"""What a person reads when the client fails, with the real client on loopback."""

import socket
import ssl
from collections.abc import Iterator

import pytest
import trustme
from elastic_transport import SerializationError, SerializerCollection
from elasticsearch import Elasticsearch
from elasticsearch.serializer import DEFAULT_SERIALIZERS

from shipper.deliver.problems import explain, public_url
from shipper.errors import ConfigError, NotPermitted, ShipperError, SinkUnavailable
from tests.fakes.answering import Answer, answering

_LACKING = (
    "action [indices:data/write/bulk] is unauthorized for user [ship] with effective "
    "roles [none] on indices [logs-sms.clisvc-default], this action is granted by the "
    "index privileges [create_doc,create,index,write,all]"
)


def _problem(url: str, *, timeout_s: float = 5) -> ShipperError:
    """Return the explanation of what happens to a first request."""
    with Elasticsearch(url, max_retries=0, request_timeout=timeout_s) as client:
        try:
            client.info()
        except Exception as error:  # noqa: BLE001  explaining any error is the point
            return explain(error, url)
    raise AssertionError("the request did not fail")


def _answered(answer: Answer) -> tuple[str, ShipperError]:
    with answering(lambda *_: answer) as url:
        return url, _problem(url)


def _error(status: int, kind: str, reason: str) -> Answer:
    error = {"type": kind, "reason": reason}
    return Answer(
        status=status,
        body={"error": {"root_cause": [error], **error}, "status": status},
    )


@pytest.fixture
def closed_port() -> int:
    """Return a port of the loopback address nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def silent_url() -> Iterator[str]:
    """Yield an address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_refused_connection(closed_port: int) -> None:
    """A closed port is unreachable, in the system's own words."""
    problem = _problem(f"http://127.0.0.1:{closed_port}")

    assert isinstance(problem, SinkUnavailable)
    assert problem.message == (
        f"http://127.0.0.1:{closed_port} cannot be reached: Connection refused."
    )


def test_timeout(silent_url: str) -> None:
    """A server that keeps silent is said not to answer."""
    problem = _problem(silent_url, timeout_s=0.1)

    assert isinstance(problem, SinkUnavailable)
    assert problem.message == f"{silent_url} did not answer in time."


def test_stranger() -> None:
    """A web server that is not Elasticsearch is called that."""
    url, problem = _answered(Answer(body="<html>hello</html>", product=False))

    assert isinstance(problem, SinkUnavailable)
    assert problem.message == (
        f"{url} is not Elasticsearch: it answered 200 without the X-Elastic-Product "
        "header."
    )


def test_stranger_without_the_page() -> None:
    """So is one that has no such page."""
    url, problem = _answered(Answer(status=404, body="<html>?</html>", product=False))

    assert isinstance(problem, SinkUnavailable)
    assert problem.message.startswith(f"{url} is not Elasticsearch: it answered 404")


def test_unreadable_answer() -> None:
    """An answer that claims to be JSON and is not comes from a stranger."""
    serializers = SerializerCollection(DEFAULT_SERIALIZERS)
    with pytest.raises(SerializationError) as caught:
        serializers.loads(b"<html>", "application/json")
    problem = explain(caught.value, "http://127.0.0.1:1")

    assert problem.message == (
        "http://127.0.0.1:1 is not Elasticsearch: its answer cannot be read."
    )


def test_wrong_credentials() -> None:
    """401 is a matter of credentials, and says where they come from."""
    reason = "unable to authenticate user [ship] for REST request [/]"
    url, problem = _answered(_error(401, "security_exception", reason))

    assert isinstance(problem, NotPermitted)
    assert problem.message == f"{url} does not accept the credentials (401: {reason})."
    assert "CLISVC_API_KEY" in problem.remedy


def test_missing_privilege() -> None:
    """403 names the privileges that would help."""
    _, problem = _answered(_error(403, "security_exception", _LACKING))

    assert isinstance(problem, NotPermitted)
    assert problem.remedy == (
        "Grant one of the index privileges create_doc, create, index, write, all."
    )


def test_other_refusal() -> None:
    """403 without a list of privileges still is a matter of permission."""
    reason = "current license is non-compliant for [security]"
    url, problem = _answered(_error(403, "security_exception", reason))

    assert isinstance(problem, NotPermitted)
    assert problem.message == f"{url} refuses the request (403: {reason})."


def test_block() -> None:
    """A write block is answered 403, but no other key would help: an outage."""
    reason = "index [x] blocked by: [FORBIDDEN/8/index write (api)]"
    url, problem = _answered(_error(403, "cluster_block_exception", reason))

    assert isinstance(problem, SinkUnavailable)
    assert problem.message == f"{url} answered 403: {reason}."


def test_server_error() -> None:
    """A proxy's 502 is an outage, whoever answers."""
    url, problem = _answered(Answer(status=502, body="<html>bad</html>", product=False))

    assert isinstance(problem, SinkUnavailable)
    assert problem.message == f"{url} answered 502."


def test_innermost_reason() -> None:
    """Of a chain of causes the innermost says what is wrong."""
    answer = Answer(
        status=400,
        body={
            "error": {
                "type": "illegal_argument_exception",
                "reason": "template after composition is invalid",
                "caused_by": {"type": "mapper_parsing_exception", "reason": "no [x]."},
            }
        },
    )
    url, problem = _answered(answer)

    assert problem.message == f"{url} answered 400: no [x]."


def test_untrusted_certificate() -> None:
    """A certificate nobody vouches for fails on TLS, and the remedy names the key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with answering(lambda *_: Answer(body={}), tls=context) as url:
        problem = _problem(url)

    assert isinstance(problem, SinkUnavailable)
    assert problem.message.startswith(f"TLS with {url} failed: ")
    assert "local issuer certificate" in problem.message
    assert "CLISVC_CA_CERT" in problem.remedy


def test_tls_with_a_server_that_speaks_none() -> None:
    """Https to a plain server fails on TLS too."""
    with answering(lambda *_: Answer(body={})) as url:
        problem = _problem(url.replace("http:", "https:"))

    assert isinstance(problem, SinkUnavailable)
    assert problem.message.startswith("TLS with https://127.0.0.1:")


def test_secrets_stay_secret(closed_port: int, silent_url: str) -> None:
    """No explanation shows what stands before the @ or behind the ? of an address."""
    secret = f"http://ship:hunter2@127.0.0.1:{closed_port}"
    with answering(lambda *_: Answer(status=401, body={}, product=False)) as url:
        problems = [
            _problem(secret),
            _problem(silent_url.replace("//", "//ship:hunter2@"), timeout_s=0.1),
            _problem(url.replace("//", "//ship:hunter2@")),
            explain(ValueError("ship:hunter2"), f"{secret}/?api_key=hunter2"),
        ]

    assert [str(problem) for problem in problems if "hunter2" in str(problem)] == []
    assert [str(problem) for problem in problems if "ship:" in str(problem)] == []


def test_public_url() -> None:
    """Of an address scheme, host, port and path may be shown."""
    shown = public_url("https://u:p@es.example:9243/prefix/?key=1#x")

    assert shown == "https://es.example:9243/prefix"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://u:p@a:9200, https://v:w@b:9200/x/",
            "https://a:9200,https://b:9200/x",
        ),
        ("https://u:p/w,@d@es:9200", "https://es:9200"),
        ("u:p@es:9200", "es:9200"),
        ("https://[::1", "https://[::1"),
    ],
)
def test_public_url_of_any_shape(url: str, shown: str) -> None:
    """No part of a password is shown: of several nodes, odd signs, no scheme."""
    assert public_url(url) == shown


def test_own_errors_pass() -> None:
    """An error that is explained already is left as it is."""
    error = ConfigError("a.b", "is wrong")

    assert explain(error, "http://127.0.0.1") is error
