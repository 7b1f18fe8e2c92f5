# SPDX-License-Identifier: Apache-2.0
"""What a message is: the first signature of ``data/signatures.toml`` that fits.

A message is the cleaned text of *one* record: trailer and tildes are gone, and glued
text has been split. Every signature has literals, so that the many messages none of
them fits cost a few substring tests and no expression.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from msgspec import Struct

from shipper.knowledge import library, spelling

#: A signature's part in a launch.
#:
#: - ``launch``: the program could not be started; carries its path and the cause.
#: - ``echo``: the launcher's own record of the failure; carries the application's name.
#: - ``verify``: the application is to be verified after a failure.
#: - ``integrity``: the program's checksum was wrong; carries the cause.
#: - ``appverify``: asking for the verification failed.
#: - ``attempt``: a launch begins; it closes what came before on its thread.
#: - ``list``: the launch list is done.
#: - ``started``: an agent says that it runs.
#: - ``info``: context only.
Role = Literal[
    "launch",
    "echo",
    "verify",
    "integrity",
    "appverify",
    "attempt",
    "list",
    "started",
    "info",
]

_FILE = "signatures.toml"
_GROUPS = frozenset({"exe", "app", "code"})
#: ASCII rules, so that a digit is one of ten and case folding touches no other script.
_FLAGS = re.IGNORECASE | re.ASCII


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of record and what it means.

    Attributes:
        id: ``S05``; goes into ``event.code``.
        name: for people.
        literals: lower case; one of them is in every message that fits.
        pattern: the expression, with groups ``exe``, ``app`` and ``code``.
        action: ``event.action``.
        category: ``event.category``.
        type: ``event.type``.
        outcome: ``event.outcome``, or empty where nobody can know it.
        role: its part in a launch.
        status: ``confirmed`` by articles that print such lines, or ``assumed``.
        source: those articles.
        reason: ``event.reason``, in our words.
    """

    id: str
    name: str
    literals: tuple[str, ...]
    pattern: str
    action: str
    category: tuple[str, ...]
    type: tuple[str, ...]
    outcome: Literal["success", "failure", "unknown", ""]
    role: Role
    status: Literal["confirmed", "assumed"]
    source: tuple[str, ...]
    reason: str


class Match(Struct, frozen=True, kw_only=True):
    """A message that fits a signature.

    Attributes:
        signature: the one that fits.
        exe: path of the launched program as written, without blanks around it; empty
            if the message has none.
        app: name of the launcher's application or of the agent, likewise.
        code: the code, unsigned, 32 bits; ``None`` if the message has none.
        code_text: the code as written, likewise.
    """

    signature: Signature
    exe: str = ""
    app: str = ""
    code: int | None = None
    code_text: str = ""

    @property
    def outcome(self) -> str:
        """``event.outcome``: a success that carries another code than 0 is none."""
        outcome = self.signature.outcome
        return "failure" if outcome == "success" and self.code else outcome


Rule = tuple[Signature, re.Pattern[str]]


def match(message: str) -> Match | None:
    """Find the signature of a message.

    Args:
        message: the cleaned message of one record, of any length.

    Returns:
        The first signature that fits, with what it found, or ``None``.
    """
    lowered = message.lower()
    for signature, pattern in _rules():
        if not any(literal in lowered for literal in signature.literals):
            continue
        found = pattern.search(message)
        if found is not None:
            return _result(signature, found.groupdict(default=""))
    return None


def may_match(message: str) -> bool:
    """Tell cheaply whether a signature might fit; ``False`` means that none does.

    The answer is the same for every message that differs only in its ASCII digits,
    because no literal has one.

    Args:
        message: the cleaned message of one record.
    """
    lowered = message.lower()
    return any(literal in lowered for literal in _literals())


def signatures() -> tuple[Signature, ...]:
    """All signatures in the order they are tried."""
    return tuple(signature for signature, _ in _rules())


def parse_rules(content: str) -> tuple[Rule, ...]:
    """Read the text of ``signatures.toml``.

    Args:
        content: TOML, one table a signature.

    Raises:
        ShipperError: an entry cannot be used; names file, entry and reason.
    """
    return tuple(_rule(key, raw) for key, raw in library.tables(_FILE, content).items())


def _rule(key: str, raw: object) -> Rule:
    signature = library.entry(_FILE, key, raw, Signature)
    if not signature.literals:
        raise library.broken(_FILE, key, "has no literals")
    for literal in signature.literals:
        if not literal or literal != literal.lower() or re.search(r"\d", literal):
            reason = f"literal {literal!r} is empty, or has capitals or digits"
            raise library.broken(_FILE, key, reason)
    try:
        pattern = re.compile(signature.pattern, _FLAGS)
    except re.error as error:
        reason = f"pattern {signature.pattern!r}: {error}"
        raise library.broken(_FILE, key, reason) from error
    unknown = sorted(set(pattern.groupindex) - _GROUPS)
    if unknown:
        raise library.broken(_FILE, key, f"pattern has unknown groups {unknown}")
    return signature, pattern


def _result(signature: Signature, groups: dict[str, str]) -> Match:
    code_text = groups.get("code", "")
    return Match(
        signature=signature,
        exe=groups.get("exe", "").strip(),
        app=groups.get("app", "").strip(),
        code=spelling.number(code_text) if code_text else None,
        code_text=code_text,
    )


@cache
def _rules() -> tuple[Rule, ...]:
    return parse_rules(library.text(_FILE))


@cache
def _literals() -> tuple[str, ...]:
    return tuple(literal for s in signatures() for literal in s.literals)
