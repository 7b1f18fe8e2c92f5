# SPDX-License-Identifier: Apache-2.0
"""API keys that can do no more than the role ``clisvc_writer``."""

from __future__ import annotations

from elastic_transport import ApiError
from elasticsearch import Elasticsearch
from msgspec import Struct

from shipper.config import Secret
from shipper.errors import SinkUnavailable
from shipper.stack.assets import OWNER, Kind, asset
from shipper.stack.server import JSON, address, explained, lacks

_WRITER = "clisvc_writer"
#: Parts of a role that a key's own description may not have.
_LABELS = frozenset({"metadata", "description"})


class Key(Struct, frozen=True, kw_only=True):
    """An API key; the server never tells its secret again.

    Attributes:
        id: for revoking it.
        name: as asked for.
        encoded: what ``CLISVC_API_KEY`` takes.
        plain: the same as Beats and Elastic Agent take it: ``id:key``.
    """

    id: str
    name: str
    encoded: Secret
    plain: Secret


def create_key(client: Elasticsearch, name: str) -> Key:
    """Create an API key that appends documents, and reads and deletes nothing.

    Args:
        client: with credentials that may (cluster privilege ``manage_own_api_key``),
            and that have themselves what the key is to have.
        name: of the key.

    Raises:
        SinkUnavailable: the server is unreachable, or has no API keys.
        NotPermitted: the credentials are wrong or lack a privilege.
    """
    role = asset(Kind.ROLE, _WRITER).body
    may = {part: value for part, value in role.items() if part not in _LABELS}
    with explained(client):
        try:
            reply = client.perform_request(
                "POST",
                "/_security/api_key",
                headers=JSON,
                body={
                    "name": name,
                    "role_descriptors": {_WRITER: may},
                    "metadata": {"managed_by": OWNER},
                },
            ).body
        except ApiError as error:
            if not lacks(error):
                raise
            raise SinkUnavailable(
                f"{address(client)} has no API keys.",
                remedy="Switch its security on.",
            ) from error
    return Key(
        id=reply["id"],
        name=reply["name"],
        encoded=Secret(reply["encoded"]),
        plain=Secret(f"{reply['id']}:{reply['api_key']}"),
    )
