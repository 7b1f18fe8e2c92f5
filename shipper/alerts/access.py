# SPDX-License-Identifier: Apache-2.0
"""Whether silence means anything: what may be read, and whether it is there.

A search over what a key may not read, or over what does not exist, finds nothing and
says nothing.
"""

from __future__ import annotations

from elastic_transport import ApiError
from elasticsearch import Elasticsearch

from shipper.alerts.rules import rules
from shipper.errors import NotPermitted
from shipper.stack.server import explained, lacks


def check_access(client: Elasticsearch, namespace: str) -> None:
    """Make sure that every data stream the rules ask may be read.

    Args:
        client: the client.
        namespace: of the data streams.

    Raises:
        SinkUnavailable: the server is unreachable or refuses.
        NotPermitted: the credentials are wrong, or lack ``read`` on one of them.
    """
    names = _streams(namespace)
    with explained(client):
        try:
            found = client.security.has_privileges(
                index=[{"names": names, "privileges": ["read"]}]
            ).body["index"]
        except ApiError as error:
            if lacks(error):  # without security everybody may
                return
            raise
    missing = [name for name in names if not found[name]["read"]]
    if missing:
        raise NotPermitted(
            f"The credentials may not read {', '.join(missing)}.",
            remedy="Give them the role clisvc_reader, which clisvc setup installs.",
        )


def any_data(client: Elasticsearch, namespace: str) -> bool:
    """Tell whether there is a data stream that a rule asks.

    Args:
        client: the client.
        namespace: of the data streams.

    Raises:
        SinkUnavailable: the server is unreachable or refuses.
        NotPermitted: the credentials are wrong, or lack ``read``.
    """
    with explained(client):
        reply = client.search(
            index=_streams(namespace),
            size=0,
            ignore_unavailable=True,
            allow_no_indices=True,
        ).body
    shards: int = reply["_shards"]["total"]
    return shards > 0


def _streams(namespace: str) -> list[str]:
    return sorted(
        {f"logs-{data}-{namespace}" for rule in rules().values() for data in rule.data}
    )
