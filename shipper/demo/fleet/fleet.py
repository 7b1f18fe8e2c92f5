# SPDX-License-Identifier: Apache-2.0
"""A fleet of SMS clients whose troubles are known in advance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from msgspec import Struct

from shipper.demo.fleet.log import Log, plan_log
from shipper.demo.fleet.roster import POLICY_AGE_MS, roster
from shipper.demo.fleet.stamp import DAY_MS, DEFAULT_TIMEZONE, to_ms, to_utc
from shipper.errors import UsageProblem

MIN_HOSTS = 12
MIN_DAYS = 5
_LIVE = timedelta(hours=6)


class Fleet(Struct, frozen=True, kw_only=True):
    """Planned logs, and what a reader of them has to find.

    Attributes:
        seed: what it was planned from.
        live_from: records from here on, in UTC, are the live part.
        end: no record is later, in UTC.
        policy_change: when a domain policy took a user right from a third of the
            hosts, in UTC.
        logs: one a host, by name.
        default_timezone: IANA zone of the hosts whose records name none.
    """

    seed: int
    live_from: datetime
    end: datetime
    policy_change: datetime
    logs: tuple[Log, ...]
    default_timezone: str = DEFAULT_TIMEZONE

    @classmethod
    def plan(
        cls,
        seed: int,
        *,
        end: datetime,
        hosts: int = 48,
        days: int = MIN_DAYS,
        live: timedelta = _LIVE,
    ) -> Self:
        """Plan a fleet; the same arguments always give the same bytes.

        Args:
            seed: decides names, times and everything else.
            end: time of the newest records, aware.
            hosts: number of machines.
            days: length of the story, live part included.
            live: length of its last part, which is written piece by piece.

        Raises:
            UsageProblem: there are too few hosts or days for the story.
            ValueError: ``end`` has no zone.
        """
        if end.utcoffset() is None:
            raise ValueError(f"end is a time without a zone: {end}")
        if hosts < MIN_HOSTS:
            raise UsageProblem(
                f"{hosts} hosts are too few for the fleet's story.",
                remedy=f"Ask for {MIN_HOSTS} or more.",
            )
        if days < MIN_DAYS:
            raise UsageProblem(
                f"{days} days are too short for the fleet's story.",
                remedy=f"Ask for {MIN_DAYS} or more.",
            )
        end_ms = to_ms(end)
        start_ms = end_ms - days * DAY_MS
        return cls(
            seed=seed,
            live_from=to_utc(end_ms) - live,
            end=to_utc(end_ms),
            policy_change=to_utc(end_ms - POLICY_AGE_MS),
            logs=tuple(
                plan_log(host, seed, start_ms, end_ms)
                for host in roster(seed, hosts, start_ms, end_ms)
            ),
        )

    @property
    def documents(self) -> int:
        """Record documents of all logs together."""
        return sum(log.truth.documents for log in self.logs)
