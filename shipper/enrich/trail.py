# SPDX-License-Identifier: Apache-2.0
"""What has to be remembered of a log from one record to the next.

It is saved with the read position in one transaction, so that a replay derives the
same. Everything is bounded, and nothing in it depends on when a record was read.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from shipper.knowledge import Cause

T = TypeVar("T")


class Incident(Struct, kw_only=True, omit_defaults=True):
    """The records of one launch attempt.

    Attributes:
        id: id of its first record.
        seq: records so far.
        roles: roles of those records; a second one of the same role ends it.
        launcher: id of the launcher application, once resolved.
        app: its name as written, once known.
        executable: path of the launched program, once known.
        cause: why, once known.
        root_code: the causing code as written in documents; never an echo's.
        failing: one of its records refuses the application.
        refused: its refusal has been counted.
        judged: it has moved its launcher's state.
        last_ms: time of its last record, milliseconds UTC.
        next_offset: where the line after its last record begins, in bytes.
    """

    id: str
    seq: int = 0
    roles: list[str] = field(default_factory=list)
    launcher: str = ""
    app: str = ""
    executable: str = ""
    cause: Cause | Literal[""] = ""
    root_code: str = ""
    failing: bool = False
    refused: bool = False
    judged: bool = False
    last_ms: int = 0
    next_offset: int = 0


class Attempt(Struct, kw_only=True, omit_defaults=True):
    """A launch that was attempted on a thread and has not failed so far.

    Attributes:
        app: name of the launcher application as written, or empty.
        executable: path of the program being verified, or empty.
        launched: the attempt itself has been seen, not only the verification.
        held: applications launched before it in the same list, which neither failed
            nor are known to run; name as written to path.
        last_ms: time of its last record, milliseconds UTC.
        next_offset: where the line after its last record begins, in bytes.
    """

    app: str = ""
    executable: str = ""
    launched: bool = False
    held: dict[str, str] = field(default_factory=dict)
    last_ms: int = 0
    next_offset: int = 0


class LauncherState(Struct, kw_only=True, omit_defaults=True):
    """State of one launcher application.

    Attributes:
        state: as the transition table has it.
        cause: why it is, or was last, failing.
        root_code: causing code, as in documents.
        reported: the log itself named the state.
        last_ms: time of its last evidence, milliseconds UTC; ``None`` if nobody knows.
        refused_ms: time of its last refusal, likewise.
        needed_ms: when an upgrade or a verification was last found necessary, likewise.
    """

    state: str = "unknown"
    cause: Cause | Literal[""] = ""
    root_code: str = ""
    reported: bool = False
    last_ms: int | None = None
    refused_ms: int | None = None
    needed_ms: int | None = None


class AgentState(Struct, kw_only=True, omit_defaults=True):
    """State of one client agent on one host.

    Attributes:
        state: the worst of its launchers' states.
        launchers: state of each launcher application, by id.
        cause: why its worst launcher is, or was last, failing.
        root_code: causing code of that, as in documents.
        reported: the log itself named that state.
        episode: counts the times it began to fail.
        episode_id: id of the record that opened the episode.
        pending_since_ms: time of that record, milliseconds UTC.
        pending_since_source: where the time zone of that record came from.
        cycles: cycles in which it was refused in this episode; 0 while it fails for
            another reason.
        cycle_ms: time of the refusal that opened the current cycle.
        back_ms: time of the earliest refusal since then, if that is before it because
            the clock was set back; else ``None``.
        refusals: refusals in this episode.
        relapse: the episode began within 7 days of the end of the one before.
        ended_ms: when the last episode ended, ``None`` if none did.
        order: of its last change among its changes (see ``standing.number``).
    """

    state: str = "unknown"
    launchers: dict[str, LauncherState] = field(default_factory=dict)
    cause: Cause | Literal[""] = ""
    root_code: str = ""
    reported: bool = False
    episode: int = 0
    episode_id: str = ""
    pending_since_ms: int = 0
    pending_since_source: str = ""
    cycles: int = 0
    cycle_ms: int = 0
    back_ms: int | None = None
    refusals: int = 0
    relapse: bool = False
    ended_ms: int | None = None
    order: int = 0


class Trail(Struct, kw_only=True, omit_defaults=True):
    """All that is remembered of one source.

    Attributes:
        neighbour_ms: time of the last timed record of this generation, or ``None``.
        neighbour_zone: its time zone.
        incidents: open ones by thread (empty text: no thread).
        attempts: launches attempted, by thread.
        agents: agents by id.
    """

    neighbour_ms: int | None = None
    neighbour_zone: str = ""
    incidents: dict[str, Incident] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    agents: dict[str, AgentState] = field(default_factory=dict)

    #: Most threads, and most agents, remembered at a time.
    LIMIT: ClassVar[int] = 64

    def encode(self) -> bytes:
        """Return an immutable copy."""
        return _encoder.encode(self)

    @classmethod
    def decode(cls, snapshot: bytes) -> Trail:
        """Return the trail a snapshot was made of; an empty snapshot is a new trail.

        Raises:
            ValueError: the snapshot is damaged.
        """
        return _decoder.decode(snapshot) if snapshot else cls()

    def inherit(self) -> Trail:
        """Return what the next generation of the log begins with.

        Agents and what happens on a thread go on. Times and positions do not, nor does
        what is held together by position alone.
        """
        heir = Trail.decode(self.encode())
        heir.neighbour_ms, heir.neighbour_zone = None, ""
        heir.incidents.pop("", None)
        heir.attempts.pop("", None)
        return heir


def remember(table: dict[str, T], key: str, value: T) -> None:
    """Put ``value`` in, forgetting the oldest entry when the table is full."""
    table.pop(key, None)
    if len(table) >= Trail.LIMIT:
        del table[next(iter(table))]
    table[key] = value


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Trail)
