# SPDX-License-Identifier: Apache-2.0
"""What a reader of a planned log has to find: the answers, beside the exercise.

They are reckoned from the plan, never from the text and never with the shipper's own
code, so that the two can be held against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, structs

from shipper.demo.fleet.wording import ACCESS_DENIED

#: A refusal this long after the one that opened a cycle opens the next: the 23 hours of
#: the maintenance cycle (Q237543) less 3 hours of slack.
CYCLE = timedelta(hours=20)


class Ending(StrEnum):
    """State of an agent after the last record, best first."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    RECOVERED = "recovered"
    INSTALL_PENDING = "install_pending"
    INTEGRITY_FAILED = "integrity_failed"


_RANK = {ending: rank for rank, ending in enumerate(Ending)}
_FAILING = (Ending.INSTALL_PENDING, Ending.INTEGRITY_FAILED)


class AgentTruth(Struct, frozen=True, kw_only=True):
    """What is true of one agent on one host after its last record.

    Attributes:
        ending: its state.
        cycles: maintenance cycles with a refusal, in its last episode.
        refusals: refused launches in its last episode.
        first_refusal: time, in UTC, of the first failing record of its last episode;
            ``None`` if it never failed.
        root_code: cause of its last refusal, 1314 or 5; ``None`` if it never failed.
    """

    ending: Ending = Ending.UNKNOWN
    cycles: int = 0
    refusals: int = 0
    first_refusal: datetime | None = None
    root_code: int | None = None


class Truth(Struct, frozen=True, kw_only=True):
    r"""What is true of one host's log.

    Attributes:
        lines: its physical lines in the order of writing, each with its ``\r\n``.
        documents: record documents they make; a glued line makes three.
        agents: by agent id.
    """

    lines: tuple[bytes, ...]
    documents: int
    agents: Mapping[str, AgentTruth]


class Tally:
    """Keeps count of one application's launches."""

    def __init__(self) -> None:
        self.sum = AgentTruth()
        self._opened: datetime | None = None

    def succeed(self) -> None:
        """Count a launch after which the next application had its turn."""
        failing = self.sum.ending in _FAILING
        ending = Ending.RECOVERED if failing else Ending.HEALTHY
        self.sum = structs.replace(self.sum, ending=ending)
        self._opened = None

    def refuse(self, moment: datetime, code: int) -> None:
        """Count a refused launch.

        Args:
            moment: time of its first failing record.
            code: its cause.
        """
        before = self.sum
        integrity = before.ending is Ending.INTEGRITY_FAILED or code == ACCESS_DENIED
        new_episode = self._opened is None
        new_cycle = self._opened is None or moment - self._opened >= CYCLE
        if new_cycle:
            self._opened = moment
        self.sum = AgentTruth(
            ending=Ending.INTEGRITY_FAILED if integrity else Ending.INSTALL_PENDING,
            cycles=new_cycle + (0 if new_episode else before.cycles),
            refusals=1 + (0 if new_episode else before.refusals),
            first_refusal=moment if new_episode else before.first_refusal,
            root_code=code,
        )


def worst(applications: list[AgentTruth]) -> AgentTruth:
    """Return what decides for an agent with several applications."""
    return max(applications, key=lambda one: _RANK[one.ending])
