# SPDX-License-Identifier: Apache-2.0
"""What to do about the cause of a refusal."""

from __future__ import annotations

from functools import cache
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from shipper.knowledge import library
from shipper.knowledge.causes import Cause
from shipper.knowledge.rights import ACCOUNTS, RIGHTS

_FILE = "remedies.toml"


class Remedy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do about a cause.

    Attributes:
        id: the cause.
        summary: one or two sentences, in our words.
        rights: constants of the user rights to look at; candidates, because the code
            does not say which one is missing.
        policies: what the policy editor calls them, older names first; not written in
            the file.
        account: the accounts it is about: on member servers and workstations, and on
            domain controllers, where ``<dc>`` stands for the machine's name.
        lasting: what ends the trouble for good, or empty.
        references: articles, the most useful first.
        windows_events: events of Windows to look at, in both numberings.
    """

    id: str
    summary: str
    rights: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    lasting: str = ""
    references: tuple[str, ...] = ()
    windows_events: tuple[str, ...] = ()


def for_cause(cause: Cause) -> Remedy:
    """Give the remedy of a cause.

    Args:
        cause: as :func:`shipper.knowledge.causes.cause_of` names it.
    """
    return _remedies()[cause]


def parse_remedies(content: str) -> dict[str, Remedy]:
    """Read the text of ``remedies.toml``.

    Args:
        content: TOML, one table a cause.

    Raises:
        ShipperError: an entry cannot be used, or a cause has none; names file, entry
            and reason.
    """
    remedies = {
        key: library.entry(_FILE, key, raw, Remedy)
        for key, raw in library.tables(_FILE, content).items()
    }
    causes = set(get_args(Cause))
    for key in sorted(causes ^ set(remedies)):
        reason = "has no entry" if key in causes else "is no cause"
        raise library.broken(_FILE, key, reason)
    known = {right.constant: right.policies for right in RIGHTS}
    names = {account.name for account in ACCOUNTS}
    for key, remedy in remedies.items():
        for right in remedy.rights:
            if right not in known:
                raise library.broken(_FILE, key, f"{right!r} is no known right")
        for account in remedy.account:
            if account not in names:
                raise library.broken(_FILE, key, f"{account!r} is no known account")
        policies = tuple(name for right in remedy.rights for name in known[right])
        remedies[key] = replace(remedy, policies=policies)
    return remedies


@cache
def _remedies() -> dict[str, Remedy]:
    return parse_remedies(library.text(_FILE))
