# SPDX-License-Identifier: Apache-2.0
"""The Kibana set-up talks to: what it is, and whether it is new enough."""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec import Struct

from shipper.errors import SinkUnavailable
from shipper.kibana.client import Kibana
from shipper.kibana.replies import NOT_FOUND, UNAVAILABLE, foreign

#: The oldest Kibana whose rules and dashboards ours are written for.
OLDEST = (8, 17)

_NUMBER = re.compile(r"(\d+)\.(\d+)")
#: What others, such as Elasticsearch, say to an address they do not know.
_STRANGE = (400, 405)


class Instance(Struct, frozen=True, kw_only=True):
    """What answers at the address.

    Attributes:
        version: such as ``9.2.0``; empty if the credentials may not ask.
        flavor: ``traditional`` or ``serverless``; empty if it does not say.
        space: the space we are in.
    """

    version: str
    flavor: str
    space: str

    @property
    def title(self) -> str:
        """The instance in words."""
        flavor = "" if self.flavor in {"", "traditional"} else f" ({self.flavor})"
        space = "" if self.space == "default" else f", space {self.space}"
        return f"Kibana {self.version or 'of unknown version'}{flavor}{space}"


def probe(kibana: Kibana) -> Instance:
    """Ask a Kibana what it is, and whether there is our space. Changes nothing.

    Raises:
        SinkUnavailable: it is unreachable, not ready, too old, or something else; or
            there is no such space.
        NotPermitted: the credentials are wrong.
    """
    reply = kibana.get("/api/status")
    body = reply.body if isinstance(reply.body, dict) else {}
    status = body.get("status")
    if not isinstance(status, dict):
        if reply.error and reply.status not in _STRANGE:
            raise reply.error
        evidence = f"it answered {reply.status}, and not with Kibana's status"
        raise foreign(kibana.where, evidence)
    version = body.get("version", {})
    number = str(version.get("number", ""))
    found = _NUMBER.match(number)
    if found and tuple(map(int, found.groups())) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise SinkUnavailable(
            f"{kibana.where} is Kibana {number}, and the oldest supported is {oldest}.",
            remedy="Upgrade it; `clisvc alerts` evaluates the rules without Kibana.",
        )
    if reply.status == UNAVAILABLE:
        summary = status.get("overall", {}).get("summary") or "it does not say why"
        raise SinkUnavailable(
            f"{kibana.where} is not available: {summary}.",
            remedy="Wait until Kibana has started and reaches Elasticsearch.",
        )
    _require_space(kibana)
    return Instance(
        version=number, flavor=str(version.get("build_flavor", "")), space=kibana.space
    )


def _require_space(kibana: Kibana) -> None:
    """Objects can be imported into a space that nobody can enter."""
    if kibana.space == "default":
        return
    reply = kibana.get(f"/api/spaces/space/{quote(kibana.space)}")
    if reply.status == NOT_FOUND:
        raise SinkUnavailable(
            f"{kibana.where} has no space {kibana.space}.",
            remedy="Make it in Kibana, or name another with kibana.space.",
        )
    if reply.error:
        raise reply.error
