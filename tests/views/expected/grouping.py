# SPDX-License-Identifier: Apache-2.0
"""Rows from facts, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from msgspec import Struct

from tests.views.facts import Facts, Record
from tests.views.table import Row

T = TypeVar("T")


class Expected(Struct, frozen=True):
    """What a panel has to show.

    Attributes:
        rows: its rows, in any order, of what is true within the chosen time.
        first: the column its rows are in the order of, and the direction, if the panel
            promises one.
    """

    rows: Callable[[Facts], list[Row]]
    first: tuple[str, Literal["asc", "desc"]] | None = None


class _OfHost(Protocol):
    @property
    def host(self) -> str: ...


class _Timed(Protocol):
    @property
    def at(self) -> datetime: ...


def grouped(
    items: Iterable[T],
    by: Mapping[str, Callable[[T], Any]],
    shown: Mapping[str, Callable[[list[T]], Any]],
) -> list[Row]:
    """Return a row for each group of items.

    Args:
        items: what is counted.
        by: what makes a group, by the column's label.
        shown: what is shown of a group, by the column's label.
    """
    groups: defaultdict[tuple[Any, ...], list[T]] = defaultdict(list)
    for one in items:
        groups[tuple(of(one) for of in by.values())].append(one)
    return [
        dict(zip(by, keys, strict=True))
        | {label: of(group) for label, of in shown.items()}
        for keys, group in groups.items()
    ]


def added_up(rows: list[Row], over: str, column: str) -> list[Row]:
    """Return rows with a column summed up over time, for each series of its own.

    Args:
        rows: one a series and interval.
        over: the column with the time.
        column: the column that is added up.
    """
    sums: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    made = []
    for row in sorted(rows, key=lambda row: str(row[over])):
        series = tuple(row[name] for name in row if name not in {over, column})
        sums[series] += row[column]
        made.append(row | {column: sums[series]})
    return made


def hosts(group: Iterable[_OfHost]) -> int:
    """Count hosts."""
    return len({one.host for one in group})


def incidents(group: Iterable[Record]) -> int | None:
    """Count launch attempts that failed."""
    return len({one.incident for one in group if one.incident}) or None


def newest(group: Iterable[_Timed]) -> str:
    """Return the latest time."""
    return iso(max(one.at for one in group))


def oldest(group: Iterable[_Timed]) -> str:
    """Return the earliest time."""
    return iso(min(one.at for one in group))


def every(**span: int) -> Callable[[_Timed], str]:
    """Return what tells the interval something belongs to, by its begin."""
    size = int(timedelta(**span).total_seconds())

    def begin(one: _Timed) -> str:
        seconds = int(one.at.timestamp()) // size * size
        return iso(datetime.fromtimestamp(seconds, UTC))

    return begin


def iso(moment: datetime) -> str:
    """Return a time as documents spell it."""
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{plain.isoformat(timespec='milliseconds')}Z"


def iso_of(milliseconds: int) -> str | None:
    """Return milliseconds since 1970 as documents spell a time; 0 is no time."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return iso(moment) if milliseconds else None
