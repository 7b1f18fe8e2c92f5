# SPDX-License-Identifier: Apache-2.0
"""The error code in free text, where no signature says what the message is.

Numbers abound in logs and few of them are errors, so a candidate has to earn it. Forms
nothing else looks like (failing HRESULT and NTSTATUS codes in hexadecimal, and their
signed decimals) count by themselves; everything else only after a word such as "error",
"return code" or "Win32 =", or, in brackets or at the end, in a message that speaks of a
failure. Threads, processes, waits, message ids, HTTP statuses, versions, dates, sizes
and counts are never codes.

Two steps keep that cheap. What decides on a *candidate* never tells one decimal digit
from another, so that all messages that differ only in digits share one answer, which a
caller may keep; only candidates are then read as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from shipper.knowledge import codes, spelling

_FLAGS = re.VERBOSE | re.IGNORECASE | re.ASCII

# In this module a pattern that picks candidates writes \d for any digit, even in "0x"
# and "Win32": that is the invariant of may_have_code.
_NUMBER = re.compile(
    r"""
    (?<![\w.\\/{$-]) (?<!\d[:,])
    (?: (?P<hex>\dx[\da-f]{1,16})
      | (?P<bare>[\dcd][\da-f]{7})
      | (?P<long>[-\u2212]?\d{9,10})
      | (?P<short>\d{1,5}) )
    (?! \w | -\w | \.\w | [\\/]\w | [:,]\d | \s*% | \} )
    """,
    _FLAGS,
)
_AFTER_WORD = re.compile(
    r"""
    (?: (?:(?<![a-z])|last|com|msi|win\d\d)error(?:\s*(?:code|number|no\.?))?
      | (?:exit|return|result|reason|error)[\s_-]*code
      | (?<![a-z])(?:exit|nt|win\d\d)[\s_-]*status
      | return\s+value\s*[:=]
      | (?<![a-z])(?:returned|hresult|hr|rc)
      | (?<![a-z])failed(?:\s+(?:with|by))?
      | win\d\d\s*= )
    (?:\(\))? (?:\s+(?:is|was|of))? \s* [:=]? \s* [(\[#-]{0,3} \s* \Z
    """,
    _FLAGS,
)
_NEVER_AFTER = re.compile(
    r"""
    (?: (?<![a-z])(?:thread|t?id|pid|process|proc|handle|port|address|addr|offset|flags?
          |version|ver|index|line|size|length|count|session|lcid|language|locale|mask
          |attributes?|waite?d?|waiting|attempt|retry|message|msg|event|type|build
          |revision|priority|bytes?|site(?:\s*code)?|item|step|pass|try)
        | (?:thread|process|message|event|program|session|request|client|user|job)
          [\s_]*id
        )
    \s* [:=#]? \s* (?:\d{1,10}\s*)? [(\[#]{0,2} \s* \Z
    """,
    _FLAGS,
)
_COUNTED = re.compile(
    r"""
    \s* (?: of\b | [kmg]?b\b | bytes?\b | m?s\b | sec | min | hours?\b | days?\b
          | (?!(?:was|is|has|this|as|always|status)\b)[a-z]*s\b )
    """,
    _FLAGS,
)
# An HTTP status has three digits, and its protocol before it or its phrase behind it.
_STATUS = re.compile(r"\d{3}|\dx[\da-f]{1,4}", _FLAGS)
_HTTP = re.compile(
    r"(?<!win)http[\w\s/.:=]{0,24}[:=#]?\s*(?:\d{1,10}\s*)?[(\[#]{0,2}\s*\Z", _FLAGS
)
_PHRASE = re.compile(
    r"""
    \s* [(-]? \s* (?: ok\b | not\ found | forbidden | unauthori[sz]ed | bad\ request
      | bad\ gateway | internal\ server | service\ unavailable | not\ modified )
    """,
    _FLAGS,
)
_BRACKETED = re.compile(r"\([\s#]*\Z")
_BRACKET_END = re.compile(r"\s*\)\s*(?:[.,;:!~*]|\Z)")
_DASHED = re.compile(r"\s-\s+\Z")
_TIMED_OUT = re.compile(r"time(?:d\s)?out[\s(#-]*\Z", _FLAGS)  # after so many seconds
_FAILURE = re.compile(
    r"error|fail(?!over)|could\s*n['o]t|cannot|can't|unable|problem|not\ authori"
    r"|time(?:d\s)?out|denied|refused|abort|exception",
    _FLAGS,
)
_HINTS = (
    ("win32", re.compile(r"win\d\d|lasterror", _FLAGS)),
    ("ntstatus", re.compile(r"nt[\s_-]*status", _FLAGS)),
    ("hresult", re.compile(r"hresult|(?<![a-z])hr(?![a-z])", _FLAGS)),
    ("exit", re.compile(r"exit[\s_-]*(?:code|status)", _FLAGS)),
)
# Windows Installer numbers its own messages: "Product: X -- Error 1314. The path …".
# An error it passes on, as in "msiexec failed with error 1314", is Windows' own.
_INSTALLER = re.compile(r"msiexec|windows\ installer|(?<![a-z])msi(?![a-z])", _FLAGS)
_INSTALLER_MESSAGE = re.compile(r"(?:--|:|\A|[.)])\s*error\s+\Z", _FLAGS)

_BEFORE = 64  # characters in front of a number that may say what it is
_AFTER = 24  # and behind it
_CANDIDATES = 32  # numbers looked at in one message
_FAILING_TOPS = frozenset("89CDEcde")  # first digits of failing HRESULT and NTSTATUS
_CONFIGMGR = range(0x87D0, 0x87D4)
_MINUS_ONE = 0xFFFF_FFFF


class Finding(Struct, frozen=True, kw_only=True):
    """A code found in a message.

    Attributes:
        value: unsigned, 32 bits. 0 is a success somebody reported.
        text: the code as written, ``0x3EB``.
        start: where it begins in the message, in characters.
        namespace: what the words around it say it is: ``win32``, ``hresult``,
            ``ntstatus``, ``msi`` for a message of Windows Installer, ``exit`` for a
            program's own exit code, or ``None``.
    """

    value: int
    text: str
    start: int
    namespace: str | None


class _Candidate(Struct, frozen=True, kw_only=True):
    """A number that may be a code."""

    found: re.Match[str]
    before: str
    expected: bool  # the words around it ask for a code


def find(message: str) -> Finding | None:
    """Find the error code of a message that fits no signature.

    Args:
        message: the cleaned message of one record.

    Returns:
        The first code that is not 0; else the first reported success; else ``None``.
    """
    success = None
    for candidate in _candidates(message):
        value = _value(candidate)
        if value is None:
            continue
        finding = Finding(
            value=value,
            text=candidate.found[0],
            start=candidate.found.start(),
            namespace=_namespace(candidate, message),
        )
        if value:
            return finding
        success = success or finding
    return success


def may_have_code(message: str) -> bool:
    """Tell whether :func:`find` might find a code; ``False`` means that it does not.

    The answer is the same for all messages that differ only in their ASCII digits.

    Args:
        message: the cleaned message of one record.
    """
    return next(_candidates(message), None) is not None


def _candidates(message: str) -> Iterator[_Candidate]:
    """Pick the numbers that may be codes, without telling one digit from another."""
    failure = _FAILURE.search(message)
    failing_from = failure.start() if failure else len(message)
    for found in islice(_NUMBER.finditer(message), _CANDIDATES):
        start, end = found.span()
        before = message[max(0, start - _BEFORE) : start]
        after = message[end : end + _AFTER]
        if _COUNTED.match(after) or _NEVER_AFTER.search(before):
            continue
        if _STATUS.fullmatch(found[0]) and (
            _HTTP.search(before) or _PHRASE.match(after)
        ):
            continue
        expected = _AFTER_WORD.search(before) is not None or (
            failing_from < start and _set_off(before, after)
        )
        if expected or found["short"] is None:
            yield _Candidate(found=found, before=before, expected=expected)


def _set_off(before: str, after: str) -> bool:
    """Tell whether a number stands alone: ``(1460).``, or ``- 2114`` at the end."""
    if _TIMED_OUT.search(before):
        return False
    if _BRACKETED.search(before):
        return _BRACKET_END.match(after) is not None
    return not after.strip(" ~.") and _DASHED.search(before) is not None


def _value(candidate: _Candidate) -> int | None:
    """Read a candidate as a number; ``None`` if it is no code after all."""
    text = candidate.found[0]
    if candidate.found["hex"] and text[0] != "0":
        return None
    value = spelling.number(text)
    if value is None or candidate.expected:
        return value
    return value if _telling(candidate.found, value) else None


def _telling(found: re.Match[str], value: int) -> bool:
    """Tell whether a number is a code by its form alone, with no word to say so."""
    if value == _MINUS_ONE or f"{value:08X}"[0] not in _FAILING_TOPS:
        return False
    if found["hex"] or found[0][0] in "-\u2212":
        return True
    # Bare digits may be anything, so their number has to be a known one.
    reading = codes.explain(value)[0]
    return bool(reading.symbol) or value >> 16 in _CONFIGMGR


def _namespace(candidate: _Candidate, message: str) -> str | None:
    if not candidate.expected:
        return None
    if (
        message[candidate.found.end() :].startswith(".")
        and _INSTALLER_MESSAGE.search(candidate.before)
        and (_INSTALLER.search(message) or "-- Error" in candidate.before)
    ):
        return "msi"
    for namespace, hint in _HINTS:
        if hint.search(candidate.before[-24:]):
            return namespace
    return None
