# SPDX-License-Identifier: Apache-2.0
"""Deleting documents one by one, each named with the backing index that holds it.

Not by query: what is deleted is what was counted and shown before, and every build of
Elasticsearch has the bulk request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from elasticsearch import Elasticsearch

from shipper.audit.holdings import Found
from shipper.errors import NotPermitted, SinkUnavailable

_SLICE = 5_000
_FORBIDDEN = 403
_GONE = frozenset({200, 404})  # 404: somebody else deleted it first


def remove(client: Elasticsearch, found: Iterable[Found]) -> int:
    """Delete documents; return how many.

    Args:
        client: the client.
        found: where they are.

    Raises:
        SinkUnavailable: some are not deleted.
        NotPermitted: the same, for lack of a privilege.
    """
    deleted = 0
    entries = iter(found)
    while part := list(islice(entries, _SLICE)):
        reply = client.bulk(
            operations=b"".join(_actions(part)),  # type: ignore[arg-type]  # bytes pass
            filter_path="items.*.status,items.*.error",
        )
        for item in reply.body["items"]:
            answer = item["delete"]
            if answer["status"] not in _GONE:
                raise _refused(answer)
            deleted += answer["status"] != 404  # noqa: PLR2004 - as above
    return deleted


def _actions(found: list[Found]) -> Iterator[bytes]:
    for entry in found:
        action = {"delete": {"_index": entry.index, "_id": entry.id}}
        yield msgspec.json.encode(action) + b"\n"


def _refused(answer: dict[str, object]) -> SinkUnavailable | NotPermitted:
    kind = NotPermitted if answer["status"] == _FORBIDDEN else SinkUnavailable
    error = answer.get("error")
    reason = error.get("reason", "") if isinstance(error, dict) else ""
    return kind(
        f"Documents are not deleted: {answer['status']} {reason}.",
        remedy="Deleting needs the privilege delete. Run it again: nothing is doubled.",
    )
