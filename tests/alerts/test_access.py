# SPDX-License-Identifier: Apache-2.0
"""What the credentials may not read is no silence."""

from __future__ import annotations

from typing import Any

import pytest
from elasticsearch import Elasticsearch

from shipper.alerts import any_data
from shipper.alerts.access import check_access
from shipper.errors import NotPermitted
from tests.fakes.answering import Answer, Responder, answering

_NAMES = [f"logs-sms.{data}-soc" for data in ("ccm", "clisvc", "shipper", "state")]
_PRIVILEGES = "/_security/user/_has_privileges"


def _granting(*granted: str) -> Responder:
    """Answer that these data streams may be read."""
    found = {name: {"read": name in granted} for name in _NAMES}

    def respond(method: str, path: str, _body: bytes) -> Answer:
        assert (method, path) == ("POST", _PRIVILEGES)
        return Answer(body={"has_all_requested": False, "index": found})

    return respond


def _checked(respond: Responder) -> None:
    with answering(respond) as url, Elasticsearch(url) as client:
        check_access(client, "soc")


def test_all_may_be_read() -> None:
    """Who may read every data stream is let through."""
    _checked(_granting(*_NAMES))


def test_some_may_not_be_read() -> None:
    """Half of the rights is none: what is missing is named, and what grants it."""
    with pytest.raises(NotPermitted) as caught:
        _checked(_granting("logs-sms.clisvc-soc", "logs-sms.ccm-soc"))

    assert caught.value.exit_code == 77
    assert caught.value.message == (
        "The credentials may not read logs-sms.shipper-soc, logs-sms.state-soc."
    )
    assert "clisvc_reader" in caught.value.remedy


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=405, body={"error": "Incorrect HTTP method"}),
        Answer(status=400, body={"error": f"no handler found for uri [{_PRIVILEGES}]"}),
        Answer(status=500, body={"error": "Security must be explicitly enabled"}),
    ],
    ids=["minimal", "without the module", "switched off"],
)
def test_without_security(answer: Answer) -> None:
    """Where nobody is asked who they are, everybody may read."""
    _checked(lambda *_: answer)


def test_wrong_credentials() -> None:
    """Who is nobody is told so."""
    refused: dict[str, Any] = {"error": {"type": "security_exception"}, "status": 401}
    with pytest.raises(NotPermitted):
        _checked(lambda *_: Answer(status=401, body=refused))


@pytest.mark.parametrize(("shards", "there"), [(0, False), (1, True)])
def test_anything_there(shards: int, there: bool) -> None:  # noqa: FBT001  a parameter
    """A namespace without data streams is told from one in which nothing is raised."""
    found = {
        "took": 1,
        "_shards": {"total": shards, "successful": shards, "failed": 0},
        "hits": {"hits": []},
    }
    with (
        answering(lambda *_: Answer(body=found)) as url,
        Elasticsearch(url) as client,
    ):
        assert any_data(client, "soc") is there
