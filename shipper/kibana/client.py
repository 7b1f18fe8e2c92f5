# SPDX-License-Identifier: Apache-2.0
"""The client of Kibana: address, space, credentials, TLS, and trying again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
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

from shipper.clock import pause
from shipper.config import KibanaSettings
from shipper.deliver import public_url
from shipper.deliver.client import tls_options
from shipper.deliver.problems import unanswered
from shipper.errors import ConfigError
from shipper.kibana.replies import (
    BUSY,
    PRODUCT,
    REDIRECT,
    UNAVAILABLE,
    Reply,
    foreign,
)

Method = Literal["GET", "POST", "PUT", "DELETE"]
Query = Mapping[str, str | Sequence[str]]

_JSON = "application/json"
_FORM = "multipart/form-data"
#: Texts are what proxies answer; a form is bytes already.
_SERIALIZERS = {
    _JSON: JsonSerializer(),
    "text/*": TextSerializer(),
    _FORM: TextSerializer(),
}
#: Seconds after which a request is sent again that Kibana was too busy for.
_WAITS_S = (1.0, 4.0)
#: It may ask to be left alone for longer, but a person is waiting.
_LONGEST_WAIT_S = 30.0
#: What a browser's address has behind the base path.
_INSIDE = re.compile(r"/s/(?P<space>[^/]+)(?:/|$)|/app/[^/]")


class Kibana:
    """One space of a Kibana. A context manager: leaving it closes the connections.

    Args:
        settings: where it is and who we are.
        pause: waits for some seconds.

    Raises:
        ConfigError: the settings do not fit together.
    """

    def __init__(
        self, settings: KibanaSettings, *, pause: Callable[[float], None] = pause
    ) -> None:
        self._pause = pause
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
        once: bool = False,
    ) -> Reply:
        """Send a request to our space; again, if Kibana is too busy for it.

        Args:
            method: of HTTP.
            path: below the base path and the space, such as ``/api/status``.
            query: parameters; a list is given once for each of its members.
            body: becomes JSON.
            once: what is done twice is refused, so an outage is not tried again: a
                proxy may have passed the request on.

        Raises:
            SinkUnavailable: no answer came, or none that can be read.
        """
        encoded = None if body is None else msgspec.json.encode(body)
        return self._send(method, _target(path, query), encoded, _JSON, once=once)

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
        self,
        method: Method,
        target: str,
        body: bytes | None,
        kind: str,
        *,
        once: bool = False,
    ) -> Reply:
        headers = dict(self._headers)
        if body is not None:
            headers["content-type"] = kind
        if target.startswith("/api/saved_objects/"):
            # Serverless keeps what reads and removes single objects to itself.
            headers["x-elastic-internal-origin"] = "clisvc-shipper"
        space = "" if self.space == "default" else f"/s/{self.space}"
        busy = {BUSY} if once else {BUSY, UNAVAILABLE}
        for wait_s in _WAITS_S:
            reply = self._once(method, f"{space}{target}", body, headers)
            if reply.status not in busy:
                return reply
            self._pause(max(wait_s, min(reply.wait_s, _LONGEST_WAIT_S)))
        return self._once(method, f"{space}{target}", body, headers)

    def _once(
        self, method: Method, target: str, body: bytes | None, headers: dict[str, str]
    ) -> Reply:
        try:
            reply = self._transport.perform_request(
                method, target, body=body, headers=headers
            )
        except TransportError as error:
            raise unanswered(
                error, self.where, product=PRODUCT, authority="CLISVC_KIBANA_CA_CERT"
            ) from error
        meta = reply.meta
        if meta.status < REDIRECT and isinstance(reply.body, str) and reply.body:
            raise foreign(self.where, "it answered with a page")
        asked = meta.headers.get("retry-after") or ""
        return Reply(
            status=meta.status,
            body=reply.body,
            where=self.where,
            location=meta.headers.get("location") or "",
            wait_s=float(asked) if asked.isdecimal() else 0.0,
        )


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
