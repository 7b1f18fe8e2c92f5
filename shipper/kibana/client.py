# SPDX-License-Identifier: Apache-2.0
"""The client of Kibana: address, space, credentials, TLS, and what an answer means."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlencode, urlsplit

import msgspec
from elastic_transport import (
    JsonSerializer,
    TextSerializer,
    Transport,
    TransportError,
)
from elastic_transport.client_utils import basic_auth_to_header, url_to_node_config
from msgspec import Struct

from shipper.config import KibanaSettings
from shipper.deliver import public_url
from shipper.deliver.client import tls_options
from shipper.deliver.problems import stranger, unanswered
from shipper.errors import ConfigError, NotPermitted, ShipperError, SinkUnavailable

Method = Literal["GET", "POST", "PUT", "DELETE"]
Query = Mapping[str, str | Sequence[str]]

NOT_FOUND = 404
_PRODUCT = "Kibana"
_REDIRECT, _BAD, _UNAUTHENTICATED, _FORBIDDEN, _CONFLICT, _TOO_LARGE, _BUSY = (
    *(300, 400, 401, 403, 409, 413, 429),
)
_UNAVAILABLE = 503
_MAX_REASON = 300
_JSON = "application/json"
_FORM = "multipart/form-data"
#: Texts are what proxies answer; a form is bytes already.
_SERIALIZERS = {
    _JSON: JsonSerializer(),
    "text/*": TextSerializer(),
    _FORM: TextSerializer(),
}
_MARKUP = re.compile(r"<[^>]*>")
_BREAKS = re.compile(r"\s+")
#: What a browser's address has behind the base path.
_INSIDE = re.compile(r"/s/(?P<space>[^/]+)(?:/|$)|/app/[^/]")
_REMEDIES = {
    NOT_FOUND: "Check the address; behind a proxy it ends with Kibana's base path.",
    _CONFLICT: "Another space has its id: remove it there, or use that space.",
    _BUSY: "Try again later: what is done by now is found unchanged.",
    _TOO_LARGE: "Raise the limit of the proxy, or savedObjects.maxImportPayloadBytes.",
    _UNAVAILABLE: "Wait until Kibana has started, and try again.",
}


class Reply(Struct, frozen=True, kw_only=True):
    """What Kibana answered.

    Attributes:
        status: of HTTP.
        body: JSON, or text if it is none.
        where: address of the server, without secrets.
        location: where it sends us instead.
    """

    status: int
    body: Any
    where: str
    location: str = ""

    @property
    def words(self) -> str:
        """Kibana's own account of what went wrong, in one line."""
        body = self.body
        text = body.get("message") if isinstance(body, dict) else body
        plain = _MARKUP.sub(" ", text) if isinstance(text, str) else ""
        return _BREAKS.sub(" ", plain).strip().rstrip(".")[:_MAX_REASON]

    @property
    def error(self) -> ShipperError | None:
        """What a person is told, if it was refused."""
        if self.status < _REDIRECT:
            return None
        if self.status < _BAD:
            target = public_url(self.location) or "another address"
            return SinkUnavailable(
                f"{self.where} sends us to {target} ({self.status}).",
                remedy="Give Kibana's own address, with its base path if it has one.",
            )
        return refusal(self.where, self.status, self.words)


class Kibana:
    """One space of a Kibana. A context manager: leaving it closes the connections.

    Args:
        settings: where it is and who we are.

    Raises:
        ConfigError: the settings do not fit together.
    """

    def __init__(self, settings: KibanaSettings) -> None:
        self.where = public_url(settings.url)
        self.space = settings.space
        self._headers = {"kbn-xsrf": "clisvc-shipper", "accept": _JSON}
        if settings.api_key:
            key = settings.api_key.reveal()
            self._headers["authorization"] = f"ApiKey {key}"
        elif settings.username:
            login = (settings.username, settings.password.reveal())
            self._headers["authorization"] = basic_auth_to_header(login)
        self._transport = _transport(settings, self.where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()

    def get(self, path: str, *, query: Query | None = None) -> Reply:
        """Ask for something."""
        return self.request("GET", path, query=query)

    def request(
        self,
        method: Method,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
    ) -> Reply:
        """Send a request to our space.

        Args:
            method: of HTTP.
            path: below the base path and the space, such as ``/api/status``.
            query: parameters; a list is given once for each of its members.
            body: becomes JSON.

        Raises:
            SinkUnavailable: no answer came, or none that can be read.
        """
        encoded = None if body is None else msgspec.json.encode(body)
        return self._send(method, _target(path, query), encoded, _JSON)

    def upload(
        self, path: str, lines: Sequence[object], *, query: Query | None = None
    ) -> Reply:
        """Import objects from a file; those that are there are replaced.

        Args:
            path: of the import.
            lines: what the file has.
            query: more parameters.

        Raises:
            SinkUnavailable: no answer came, or none that can be read.
        """
        # Kibana takes a file by the end of its name.
        boundary = secrets.token_hex(16)
        head = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="file"; filename="clisvc.ndjson"\r\n'
            "Content-Type: application/x-ndjson\r\n\r\n"
        )
        file = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        body = b"%b%b\r\n--%b--\r\n" % (head.encode(), file, boundary.encode())
        kind = f"{_FORM}; boundary={boundary}"
        target = _target(path, {"overwrite": "true"} | dict(query or {}))
        return self._send("POST", target, body, kind)

    def _send(
        self, method: Method, target: str, body: bytes | None, kind: str
    ) -> Reply:
        headers = dict(self._headers)
        if body is not None:
            headers["content-type"] = kind
        if target.startswith("/api/saved_objects/"):
            # Serverless keeps what reads and removes single objects to itself.
            headers["x-elastic-internal-origin"] = "clisvc-shipper"
        space = "" if self.space == "default" else f"/s/{self.space}"
        try:
            reply = self._transport.perform_request(
                method, f"{space}{target}", body=body, headers=headers
            )
        except TransportError as error:
            raise unanswered(
                error, self.where, product=_PRODUCT, authority="CLISVC_KIBANA_CA_CERT"
            ) from error
        if reply.meta.status < _REDIRECT and isinstance(reply.body, str) and reply.body:
            raise foreign(self.where, "it answered with a page")
        return Reply(
            status=reply.meta.status,
            body=reply.body,
            where=self.where,
            location=reply.meta.headers.get("location") or "",
        )


def refusal(where: str, status: int, words: str) -> ShipperError:
    """Return the error for what Kibana refused.

    Args:
        where: address of the server, without secrets.
        status: of HTTP, or of one object behind a 200.
        words: Kibana's own account.
    """
    detail = f": {words}" if words else ""
    if status == _UNAUTHENTICATED:
        return NotPermitted(
            f"{where} does not accept the credentials ({status}{detail}).",
            remedy="Check CLISVC_KIBANA_API_KEY, or CLISVC_KIBANA_USERNAME and"
            " CLISVC_KIBANA_PASSWORD; without them those for Elasticsearch are used.",
        )
    if status == _FORBIDDEN:
        licence = "licen" in words.lower()
        return NotPermitted(
            f"{where} refuses the request ({status}{detail}).",
            remedy="The licence does not include it; leave it out, or extend it."
            if licence
            else "Check the user's role: it needs the feature in this space.",
        )
    return SinkUnavailable(
        f"{where} answered {status}{detail}.", remedy=_REMEDIES.get(status, "")
    )


def foreign(where: str, evidence: str) -> SinkUnavailable:
    """Return that something else than Kibana answers at an address."""
    return stranger(where, evidence, product=_PRODUCT)


def _target(path: str, query: Query | None) -> str:
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def _transport(settings: KibanaSettings, where: str) -> Transport:
    tls: dict[str, Any] = {}
    if settings.url.startswith("https://"):
        tls = tls_options(settings, "kibana")
    elif not settings.url.startswith("http://"):
        raise _unusable(where, "it begins with neither https:// nor http://")
    try:
        if inside := _INSIDE.search(urlsplit(where).path):
            place = f"the space {inside['space']}" if inside["space"] else "a page"
            reason = f"it leads to {place} of Kibana"
            raise _unusable(where, reason, space=inside["space"] or "")
        node = url_to_node_config(settings.url, use_default_ports_for_scheme=True)
        return Transport(
            [node.replace(request_timeout=settings.timeout, **tls)],
            max_retries=0,
            meta_header=False,
            serializers=_SERIALIZERS,
        )
    except (ValueError, TypeError, OSError) as error:
        # Without its cause, whose words may show a password.
        raise _unusable(where, str(error).replace(settings.url, where)) from None


def _unusable(where: str, reason: str, *, space: str = "") -> ConfigError:
    remedy = "It looks like https://siem.example:5601, or https://siem.example/kibana."
    if space:
        remedy = f"Leave /s/{space} out, and give --kibana-space {space}."
    return ConfigError("kibana.url", f"{where} cannot be used: {reason}", remedy=remedy)
