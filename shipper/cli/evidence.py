# SPDX-License-Identifier: Apache-2.0
"""How ``clisvc status PATH`` shows why a file is taken for what it is taken for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from shipper.audit import Evidence
from shipper.cli.render import echo_json, prose, table
from shipper.records import Encoding

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANSWERS = {True: "yes", False: "no", None: "too short to tell"}


def show_evidence(found: Evidence, *, as_json: bool) -> None:
    """Print the evidence and what follows from it."""
    first = found.extent.first_time
    if as_json:
        echo_json(
            msgspec.to_builtins(found)
            | {"first_record": None if first is None else _local(first)}
        )
        return
    extent = found.extent
    prose(f"{found.path}: {extent.size:,} bytes, {_encoding(extent.encoding)}")
    prose(f"log {found.log} of host {found.host}")
    if extent.gen_id:
        certain = "" if extent.settled else ", as it stands; too short to be sure"
        prose(f"generation {extent.gen_id}{certain}")
    prose(f"first timed record: {'none' if first is None else _local(first)}")
    prose(f"next: {found.decision}")
    if found.generations:
        table(
            (
                *("generation", "life", "head", "head bytes", "anchor"),
                *("position", "seen", "final", "lost", "found last at"),
            ),
            [
                (
                    *(each.generation, each.life, _ANSWERS[each.head]),
                    *(each.head_length, _ANSWERS[each.anchor], each.position),
                    *(each.seen, each.final, each.lost, each.path),
                )
                for each in found.generations
            ],
            title="compared with the generations in the state",
            numbers=["life", "head bytes", "position", "seen", "final", "lost"],
        )
    else:
        prose("the state has no generation of this log")
    if found.siblings:
        table(
            ("file", "size", "generation", "in the state"),
            [
                (each.path, each.size, each.generation or each.detail, _in(each.known))
                for each in found.siblings
            ],
            title="files beside it",
            numbers=["size"],
        )


def _in(known: bool) -> str:  # noqa: FBT001 - one word for one fact
    return "yes" if known else "no"


def _encoding(encoding: Encoding) -> str:
    return "no byte order mark" if encoding is Encoding.ANSI else encoding.value


def _local(ms: int) -> str:
    """Return a log's own wall clock, whose zone is not known here."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
