# SPDX-License-Identifier: Apache-2.0
"""What a message is: the first signature that fits.

A message is the cleaned text of *one* record: trailer and tildes are gone, and glued
text has been split. Every signature has literals, so that the many messages none of
them fits cost a few substring tests and no expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from msgspec import Struct

from shipper.knowledge import codes, entries, library, spelling
from shipper.knowledge.entries import Rule, Signature

#: Documents carry it. Raise it with every change that gives a record that was shipped
#: before another meaning: an entry of a data file, a pattern, the rules of a finding.
#: Wording alone raises it too, because documents hold the words.
VERSION = "2"

_FILE = "signatures.toml"
#: ASCII rules, so that a digit is one of ten and case folding touches no other script.
_FLAGS = re.IGNORECASE | re.ASCII
_SECONDS = re.compile("[0-9]{1,18}")
_LONGEST = 260  # characters of a name or a path: Windows' MAX_PATH


class Match(Struct, frozen=True, kw_only=True):
    """A message that fits a signature.

    Attributes:
        signature: the one that fits.
        exe: path of the launched program as written, without blanks around it; empty
            if the message has none. It and other names are cut at 260 characters.
        app: name of the launcher's application, the agent or the component, likewise.
        code: the code, unsigned, 32 bits; ``None`` if the message has none.
        code_text: the code as written, likewise.
        op: what a component needs: ``installed``, ``upgraded`` or ``verified``.
        site: site code.
        seconds: how long a launcher waits; ``None`` if the message does not say.
        account: name of an account, or the mask its name has to fit.
    """

    signature: Signature
    exe: str = ""
    app: str = ""
    code: int | None = None
    code_text: str = ""
    op: str = ""
    site: str = ""
    seconds: int | None = None
    account: str = ""

    @property
    def namespace(self) -> str | None:
        """Namespace of the code, where the signature says it."""
        return self.signature.namespace or None

    @property
    def outcome(self) -> str:
        """``event.outcome``; the code of an end or of a registration decides it."""
        declared = self.signature.outcome
        if self.code is None:
            return declared
        if declared != "success" and self.signature.role != "register":
            return declared
        reading = codes.explain(self.code, namespace=self.namespace)[0]
        return "success" if reading.severity == "success" else "failure"


class Catalogue:
    """Signatures in the order they are tried.

    Args:
        version: of the knowledge, as documents carry it.
        rules: signatures with their compiled patterns; inferred ones have none.
    """

    def __init__(self, version: str, rules: Iterable[Rule]) -> None:
        self.version = version
        self._rules = tuple(rules)
        self.signatures = tuple(signature for signature, _ in self._rules)
        # One flat run of trials: most messages pass through all of it.
        self._trials = tuple(
            (literal, signature, pattern)
            for signature, pattern in self._rules
            if pattern is not None
            for literal in signature.literals
        )

    def match(self, message: str) -> Match | None:
        """See :func:`match`."""
        lowered = message.lower()
        for literal, signature, pattern in self._trials:
            if literal in lowered:
                found = pattern.search(message)
                if found is not None:
                    return _result(signature, found.groupdict(default=""))
        return None

    def may_match(self, message: str) -> bool:
        """Tell cheaply whether a signature might fit; ``False``: none does.

        The answer is the same for every message that differs only in its ASCII digits,
        because no literal has one.

        Args:
            message: the cleaned message of one record.
        """
        lowered = message.lower()
        return any(literal in lowered for literal, _, _ in self._trials)

    def extended(self, suffix: str, rules: Iterable[Rule]) -> Catalogue:
        """Return a catalogue that tries other rules after these.

        Args:
            suffix: tells the others' content in the version.
            rules: the others.
        """
        return Catalogue(f"{self.version}+{suffix}", (*self._rules, *rules))


def match(message: str) -> Match | None:
    """Find the built-in signature of a message.

    Args:
        message: the cleaned message of one record, of any length.

    Returns:
        The first signature that fits, with what it found, or ``None``.
    """
    return built_in().match(message)


def signatures() -> tuple[Signature, ...]:
    """All built-in signatures in the order they are tried."""
    return built_in().signatures


def signature(ident: str) -> Signature:
    """Return a built-in signature.

    Args:
        ident: its id, such as ``S26``.

    Raises:
        KeyError: there is none.
    """
    for known in signatures():
        if known.id == ident:
            return known
    raise KeyError(ident)


@cache
def built_in() -> Catalogue:
    """Return the signatures that come with the package."""
    content = library.text(_FILE)
    return Catalogue(VERSION, entries.parse(_FILE, content, compiled))


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a built-in pattern.

    Args:
        pattern: the expression.

    Raises:
        ValueError: its syntax is wrong; says what is.
    """
    try:
        return re.compile(pattern, _FLAGS)
    except re.error as error:
        raise ValueError(str(error)) from error


def _result(signature: Signature, groups: dict[str, str]) -> Match:
    code_text = groups.get("code", "")
    seconds = groups.get("seconds", "")
    exe, app, account = (
        groups.get(name, "").strip()[:_LONGEST] for name in ("exe", "app", "account")
    )
    return Match(
        signature=signature,
        exe=exe,
        app=app,
        code=spelling.number(code_text) if code_text else None,
        code_text=code_text,
        op=groups.get("op", "").lower(),
        site=groups.get("site", "").upper(),
        seconds=int(seconds) if _SECONDS.fullmatch(seconds) else None,
        account=account,
    )
