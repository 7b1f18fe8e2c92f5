# SPDX-License-Identifier: Apache-2.0
"""What an answer of Kibana means to a person."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from shipper.deliver import public_url
from shipper.deliver.problems import stranger
from shipper.errors import NotPermitted, ShipperError, SinkUnavailable

PRODUCT = "Kibana"
REDIRECT, NOT_FOUND, BUSY, UNAVAILABLE = 300, 404, 429, 503
_BAD, _UNAUTHENTICATED, _FORBIDDEN, _CONFLICT, _TOO_LARGE = 400, 401, 403, 409, 413
_MAX_REASON = 300
_MARKUP = re.compile(r"<[^>]*>")
_BREAKS = re.compile(r"\s+")
#: Of a whole request; a single object behind a 200 may have the same status.
_REMEDIES = {
    NOT_FOUND: "Check the address; behind a proxy it ends with Kibana's base path.",
    _CONFLICT: "Another space has its id: remove it there, or use that space.",
    BUSY: "Try again later: what is done by now is found unchanged.",
    _TOO_LARGE: "Raise the limit of the proxy, or savedObjects.maxImportPayloadBytes.",
    UNAVAILABLE: "Wait until Kibana has started, and try again.",
}


class Reply(Struct, frozen=True, kw_only=True):
    """What Kibana answered.

    Attributes:
        status: of HTTP.
        body: JSON, or text if it is none.
        where: address of the server, without secrets.
        location: where it sends us instead.
        wait_s: seconds it asks to be left alone for.
    """

    status: int
    body: Any
    where: str
    location: str = ""
    wait_s: float = 0.0

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
        if self.status < REDIRECT:
            return None
        if self.status < _BAD:
            target = public_url(self.location) or "another address"
            return SinkUnavailable(
                f"{self.where} sends us to {target} ({self.status}).",
                remedy="Give Kibana's own address, with its base path if it has one.",
            )
        remedy = _REMEDIES.get(self.status, "")
        return refusal(self.where, self.status, self.words, remedy=remedy)


def refusal(where: str, status: int, words: str, *, remedy: str = "") -> ShipperError:
    """Return the error for what Kibana refused.

    Args:
        where: address of the server, without secrets.
        status: of HTTP, or of one object behind a 200.
        words: Kibana's own account.
        remedy: for what is no matter of credentials, rights or licence.
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
    return SinkUnavailable(f"{where} answered {status}{detail}.", remedy=remedy)


def foreign(where: str, evidence: str) -> SinkUnavailable:
    """Return that something else than Kibana answers at an address."""
    return stranger(where, evidence, product=PRODUCT)
