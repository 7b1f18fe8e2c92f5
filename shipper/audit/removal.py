# SPDX-License-Identifier: Apache-2.0
"""Deleting documents one by one, each named with the backing index that holds it.

Not by query: what is deleted is what was counted and shown before, and every build of
Elasticsearch has the bulk request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from shipper.audit.holdings import Found
from shipper.audit.resending import privilege_lacks
from shipper.errors import NotPermitted, SinkUnavailable

_SLICE = 5_000
_NOT_FOUND = 404  # somebody else deleted it first
_GONE = frozenset({200, _NOT_FOUND})


class Removal:
    """Deletes documents, and keeps count of them even if it has to stop.

    Args:
        client: the client.

    Attributes:
        deleted: documents deleted so far.
    """

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client
        self.deleted = 0

    def remove(self, found: Iterable[Found]) -> int:
        """Delete documents; return how many.

        Args:
            found: where they are.

        Raises:
            SinkUnavailable: some are not deleted.
            NotPermitted: the same, for lack of a privilege.
        """
        before = self.deleted
        entries = iter(found)
        while part := list(islice(entries, _SLICE)):
            reply = self._client.bulk(
                operations=b"".join(_actions(part)),  # type: ignore[arg-type]  # bytes pass
                filter_path="items.*.status,items.*.error",
            )
            answers = [item["delete"] for item in reply.body["items"]]
            self.deleted += sum(
                answer["status"] in _GONE and answer["status"] != _NOT_FOUND
                for answer in answers
            )
            for answer in answers:
                if answer["status"] not in _GONE:
                    raise _refused(answer)
        return self.deleted - before


def _actions(found: list[Found]) -> Iterator[bytes]:
    for entry in found:
        action = {"delete": {"_index": entry.index, "_id": entry.id}}
        yield msgspec.json.encode(action) + b"\n"


def _refused(answer: dict[str, Any]) -> SinkUnavailable | NotPermitted:
    error = answer.get("error") or {}
    message = (
        f"Documents are not deleted: {answer['status']} {error.get('type', '')}:"
        f" {error.get('reason', '')}."
    )
    if privilege_lacks(str(error.get("type", ""))):
        return NotPermitted(message, remedy="Deleting needs the privilege delete.")
    return SinkUnavailable(message, remedy="Lift the block it names, if there is one.")
