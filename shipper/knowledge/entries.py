# SPDX-License-Identifier: Apache-2.0
"""One signature, as the built-in file and a user's own have it, and its checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from msgspec import Meta, Struct

from shipper.knowledge import ecs, library

#: A signature's part in the life of an agent; :data:`ROLES` says what each does.
Role = Literal[
    "launch",
    "echo",
    "verify",
    "integrity",
    "appverify",
    "attempt",
    "list",
    "started",
    "needed",
    "blocked",
    "register",
    "crashed",
    "unassigned",
    "reported",
    "service",
    "ccm",
    "info",
]

#: What a record of each role is, and what it does to the state of its agent.
ROLES: Mapping[Role, tuple[str, str]] = MappingProxyType(
    {
        "launch": ("a program could not be started, with the cause", "launch_failed"),
        "echo": ("the launcher's own record of that failure", "launch_failed"),
        "verify": ("a verification follows the failure", "install_pending"),
        "integrity": ("a program's checksum was wrong", "integrity_failed"),
        "appverify": ("asking for the verification failed", ""),
        "attempt": ("a launch begins", "healthy, if the next one begins unopposed"),
        "list": ("the launch list is done", "healthy, if the code is 0"),
        "started": ("an agent runs", "healthy, or recovered"),
        "needed": (
            "a component has to be installed, upgraded or verified",
            "install_pending, or repair_pending with a failure",
        ),
        "blocked": ("that cannot be done for want of files", "install_pending"),
        "register": ("an application was refused before its start", "launch_failed"),
        "crashed": ("an agent died", ""),
        "unassigned": ("the client has left its site", "removed"),
        "reported": ("the record names the state", "install_pending"),
        "service": ("the client service starts or stops", ""),
        "ccm": ("an agent of the newer client is in trouble", ""),
        "info": ("context", ""),
    }
)

#: Name of our own collection; goes into ``rule.ruleset``.
BUILT_IN = "clisvc-signatures"

_GROUPS = frozenset({"exe", "app", "code", "op", "site", "seconds", "account"})
_SHORTEST = 3  # characters of a literal; a shorter one is in every other message
_DIGIT = re.compile(r"\d")
_Word = Annotated[str, Meta(min_length=1, max_length=100)]
_Sentence = Annotated[str, Meta(min_length=1, max_length=500)]
_Words = Annotated[tuple[_Word, ...], Meta(min_length=1, max_length=10)]


class Technique(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A technique of MITRE ATT&CK that a record is consistent with.

    Attributes:
        id: ``T1562.001``.
        name: ATT&CK's.
        since: first version of ATT&CK that has the id; 0: any.
        until: last version that has it; 0: it is still there.
    """

    id: Annotated[str, Meta(pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")]
    name: _Word
    since: int = 0
    until: int = 0

    @property
    def reference(self) -> str:
        """ATT&CK's page about it."""
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}/"


class Signature(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of record and what it means.

    Attributes:
        id: ``S05``; goes into ``event.code``.
        name: for people.
        literals: lower case; one of them is in every message that fits.
        pattern: the expression, with groups ``exe``, ``app``, ``code``, ``op``,
            ``site``, ``seconds`` and ``account``.
        inferred: no record says it; neither literals nor a pattern.
        action: ``event.action``.
        category: ``event.category``.
        type: ``event.type``.
        outcome: ``event.outcome``, or empty where nobody can know it.
        role: its part in the life of an agent.
        namespace: of its code, where the words say it; ``exit``: a program's own.
        status: ``confirmed`` by articles that print such lines, or ``assumed``.
        source: those articles.
        reason: ``event.reason``, in our words.
        threat: what it is consistent with.
        ruleset: ``rule.ruleset``: our own, or a user's.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
    name: _Word
    literals: Annotated[tuple[_Word, ...], Meta(max_length=20)] = ()
    pattern: Annotated[str, Meta(max_length=1000)] = ""
    inferred: bool = False
    action: _Word
    category: _Words
    type: _Words
    outcome: Literal["success", "failure", "unknown", ""] = ""
    role: Role
    namespace: Literal["win32", "hresult", "ntstatus", "msi", "exit", ""] = ""
    status: Literal["confirmed", "assumed"]
    source: _Words
    reason: _Sentence
    threat: tuple[Technique, ...] = ()
    ruleset: str = BUILT_IN


#: A signature and its pattern; an inferred one has none.
Rule = tuple[Signature, re.Pattern[str] | None]
#: Compiles a pattern.
#:
#: Raises:
#:     ValueError: its syntax is wrong; says what is.
Compile = Callable[[str], re.Pattern[str]]


def parse(
    file: str, content: str, compiler: Compile, ruleset: str = BUILT_IN
) -> list[Rule]:
    """Read the text of a file of signatures.

    Args:
        file: its name for messages.
        content: TOML, one table a signature.
        compiler: for its patterns.
        ruleset: what its signatures belong to.

    Returns:
        In the file's order.

    Raises:
        ShipperError: an entry cannot be used; names file, entry and reason.
    """
    rules: list[Rule] = []
    for key, raw in library.tables(file, content).items():
        if isinstance(raw, Mapping) and "ruleset" in raw:
            raise library.broken(file, key, "has a ruleset, which its file decides")
        fields = {**raw, "ruleset": ruleset} if isinstance(raw, Mapping) else raw
        signature = library.entry(file, key, fields, Signature)
        reason = _unfit(signature)
        if reason:
            raise library.broken(file, key, reason)
        pattern = None if signature.inferred else _compiled(file, signature, compiler)
        rules.append((signature, pattern))
    return rules


def _unfit(signature: Signature) -> str:
    """Say why a signature cannot be used; empty if it can."""
    if signature.inferred:
        silent = not signature.literals and not signature.pattern
        return "" if silent else "is inferred, and has literals or a pattern"
    if not signature.literals:
        return "has no literals"
    for literal in signature.literals:
        if literal != literal.lower() or _DIGIT.search(literal):
            return f"literal {literal!r} has capitals or digits"
        if len(literal) < _SHORTEST:
            return f"literal {literal!r} has fewer than {_SHORTEST} characters"
    if not signature.pattern:
        return "has no pattern"
    return ecs.misfit(signature.category, signature.type)


def _compiled(file: str, signature: Signature, compiler: Compile) -> re.Pattern[str]:
    try:
        pattern = compiler(signature.pattern)
    except ValueError as error:
        reason = f"pattern {signature.pattern!r}: {error}"
        raise library.broken(file, signature.id, reason) from error
    unknown = sorted(set(pattern.groupindex) - _GROUPS)
    if unknown:
        reason = f"pattern has unknown groups {unknown}"
        raise library.broken(file, signature.id, reason)
    return pattern
