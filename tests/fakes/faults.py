# SPDX-License-Identifier: Apache-2.0
"""Ways in which a bulk request fails, for the model of Elasticsearch."""

from __future__ import annotations

from typing import Any

from elastic_transport import ConnectionError  # noqa: A004  the client's own name

from tests.fakes.cluster import Body, Fault, Operation, Take, refusal, refused


def cut(indexed: float) -> Fault:
    """Cut the connection after this share of the documents was indexed, 0 to 1."""

    def fault(take: Take, sent: list[Operation]) -> Any:  # noqa: ANN401 - of no use
        take(sent[: round(len(sent) * indexed)])
        raise ConnectionError("connection reset by peer")

    return fault


def answer(status: int, *, indexed: bool = False) -> Fault:
    """Answer the request with ``status``; ``indexed``: some proxy did, too late."""

    def fault(take: Take, sent: list[Operation]) -> Any:  # noqa: ANN401 - of no use
        if indexed:
            take(sent)
        raise refusal(status)

    return fault


def answer_items(status: int, kind: str, *, every: int = 2) -> Fault:
    """Refuse each ``every``-th document, the first included."""

    def fault(take: Take, sent: list[Operation]) -> list[Body]:
        return [
            take([operation])[0]
            if number % every
            else {"create": refused(status, kind)}
            for number, operation in enumerate(sent)
        ]

    return fault


def short(take: Take, sent: list[Operation]) -> list[Body]:
    """Take all, and answer for all but the last."""
    return take(sent)[:-1]


def malformed(take: Take, sent: list[Operation]) -> list[Body]:
    """Take all, and answer with items of another action."""
    return [{"index": item["create"]} for item in take(sent)]


def no_items(take: Take, sent: list[Operation]) -> Body:
    """Take all, and answer without items."""
    return {"took": len(take(sent))}


def failure_store(take: Take, sent: list[Operation]) -> list[Body]:
    """Put the first document into the failure store, which answers 201."""
    stored = {"create": {"status": 201, "failure_store": "used"}}
    return [stored, *take(sent[1:])]
