# SPDX-License-Identifier: Apache-2.0
"""What an error code means.

A number alone does not say which table it belongs to. The order of trial follows
MS-ERREF: below 0x10000 Win32; 0x8007.... a wrapped Win32 error; with bit 28 a wrapped
NTSTATUS; beginning with C or 4 NTSTATUS, then HRESULT; otherwise the other way round.
Where two tables name a number both readings are given, because only the log's context
can choose (0x8000000A is E_PENDING and STATUS_HANDLES_CLOSED).

Two more tables are not Windows' own, and only a context can name them. ``msi``: the
messages of Windows Installer, whose 1314 is about a path and not about a privilege.
``exit``: what a program ended with, which is the program's own number; only those that
installers agree on are read as Windows' codes: 0, 1601 to 1654 and 3010.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from shipper.knowledge import facilities, spelling, table
from shipper.knowledge.entries import Technique
from shipper.knowledge.words import Words, words

_SMALL = 0x1_0000
_N_BIT = 0x1000_0000  # HRESULT_FROM_NT sets it
_TOP_NTSTATUS = (0x4, 0xC, 0xE, 0xF)  # E and F carry the customer bit: exceptions
_CUT = range(0x4000, 0x5000)  # E_FAIL and its like, cut to 16 bits
_MESSAGES = (range(1100, 1601), range(1655, 3000))  # of Windows Installer
_INSTALLERS = (0, *range(1601, 1655), 3010)
_ISSUERS = {"msi": "Windows Installer", "exit": "program"}
_ADVICE = "Read the records around it on the same thread; the first error is the cause."

#: Prefixes of symbols: what they say beyond "error" is the area.
_PREFIX = re.compile(
    r"""
    (?: ERROR | STATUS | NERR | [ESWI] )_
    | (?P<area> [A-Z0-9]+ (?:_[0-9]+)? (?= _ (?: [ESWIFX] | NT | ERR (?:OR)? )_ )
        | NTE | OSS | MCA | DBG | WSA )
      _ (?: (?: [ESWIFX] | NT | ERR (?:OR)? )_ )?
    """,
    re.VERBOSE,
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Reading(Struct, frozen=True, kw_only=True):
    """One way to read a code.

    Attributes:
        value: unsigned, 32 bits.
        hex: ``0x00000522``.
        signed: the same bits as a signed number.
        twin: the same error wrapped into an HRESULT, or taken out of it:
            ``0x80070522`` for 1314 and the other way round; empty where there is none.
        namespace: ``win32``, ``hresult`` or ``ntstatus``; ``msi`` for a message of
            Windows Installer and ``exit`` for a program's own exit code.
        symbol: Microsoft's name for it, or empty if no public header has one.
        facility: who issues it: ``WIN32``, ``ITF``, ``ConfigMgr client``, or
            ``facility 123`` where the number has no known name.
        severity: ``success``, ``info``, ``warning`` or ``error``.
        meaning: what it says, in our words.
        advice: what an analyst checks.
        fix: what an administrator does, or empty.
        references: articles the words rest on, such as ``KB828371``.
        threat: techniques of ATT&CK it is consistent with, where that is warranted.
    """

    value: int
    hex: str
    signed: int
    twin: str
    namespace: str
    symbol: str
    facility: str
    severity: str
    meaning: str
    advice: str
    fix: str
    references: tuple[str, ...]
    threat: tuple[Technique, ...]


def read(text: str) -> tuple[Reading, ...]:
    """Explain a code as somebody wrote it.

    Args:
        text: ``1314``, ``0x522``, ``#0x3EB``, ``80070522``, ``-2147023582``,
            ``2147943714``, ``0xFFFFFFFF80070522`` and the like.

    Returns:
        Its readings, the likeliest first; none if the text is no code.
    """
    value = spelling.number(text)
    return () if value is None else explain(value)


def explain(value: int, *, namespace: str | None = None) -> tuple[Reading, ...]:
    """Explain a code.

    Args:
        value: the code, signed, unsigned or sign-extended to 64 bits.
        namespace: the table the context names (``win32``, ``hresult``, ``ntstatus``,
            ``msi``, ``exit``). Readings of other tables are left out, unless there are
            no others; those of an exit code follow it, because many programs end with
            an error of Windows.

    Returns:
        At least one reading, the likeliest first.

    Raises:
        ValueError: the value does not fit into 32 bits.
    """
    code = spelling.unsigned(value)
    if code is None:
        raise ValueError(f"{value} is not a 32-bit code")
    readings = _readings(code)
    if namespace == "msi" and any(code in numbers for numbers in _MESSAGES):
        return (_reading(code, "msi"),)
    if namespace == "exit" and code < _SMALL and code not in _INSTALLERS:
        return (_reading(code, "exit"), *readings)
    return tuple(r for r in readings if r.namespace == namespace) or readings


@lru_cache(maxsize=4096)
def _readings(value: int) -> tuple[Reading, ...]:
    return tuple(_trial(value)) or (_undocumented(value),)


def _trial(value: int) -> Iterator[Reading]:
    """Try the tables in order; nothing if none of them has the code."""
    named = table.symbols(value)
    if value < _SMALL:
        yield from _small(value, named)
        return
    inner = spelling.win32(value)
    if inner not in (0, value):  # a failure that wraps success is none of that name
        own = named.get("hresult") or table.symbols(inner).get("win32")
        if own or words("hresult", value) or words("win32", inner):
            yield _reading(value, "hresult", own, core=("win32", inner))
            return
    stripped = value & ~_N_BIT
    if value & _N_BIT and not named:
        wrapped = table.symbols(stripped).get("ntstatus")
        if wrapped:
            yield _reading(value, "ntstatus", wrapped, core=("ntstatus", stripped))
            return
    order = ["hresult", "ntstatus"]
    if value >> 28 in _TOP_NTSTATUS:
        order.reverse()
    for namespace in order:
        if namespace in named or words(namespace, value):
            yield _reading(value, namespace, named.get(namespace))


def _small(value: int, named: dict[str, tuple[str, ...]]) -> Iterator[Reading]:
    """Read a number of 16 bits."""
    for namespace in ("win32", "hresult", "ntstatus"):
        if namespace in named:
            yield _reading(value, namespace, named[namespace])
    whole = 0x8000_0000 | value
    if not named and value in _CUT:
        cut = table.symbols(whole).get("hresult")
        if cut:
            yield _reading(value, "hresult", cut, core=("hresult", whole), bits=whole)


def _undocumented(value: int) -> Reading:
    """Read a code no table has by its bits alone."""
    if value < _SMALL:
        return _reading(value, "win32")
    is_ntstatus = value >> 28 in _TOP_NTSTATUS
    return _reading(value, "ntstatus" if is_ntstatus else "hresult")


def _reading(
    value: int,
    namespace: str,
    names: tuple[str, ...] | None = None,
    *,
    core: tuple[str, int] | None = None,
    bits: int | None = None,
) -> Reading:
    """Put a reading together.

    Args:
        value: the code as it was found.
        namespace: the table it is read by.
        names: its symbols there, if it has any.
        core: namespace and value of the code it wraps, whose words serve where it has
            none of its own.
        bits: the whole code, where ``value`` is only a part of it.
    """
    facility, severity = _decoded(value if bits is None else bits, namespace)
    symbol = names[0] if names else ""
    own = words(namespace, value) or (words(*core) if core else None)
    if own is None:
        meaning = _spoken(symbol) if symbol else _computed(value, facility, severity)
        own = Words(meaning=meaning, check=_ADVICE)
    return Reading(
        value=value,
        hex=f"0x{value:08X}",
        signed=spelling.signed(value),
        twin=_twin(value, namespace) if symbol else "",
        namespace=namespace,
        symbol=symbol,
        facility=facility,
        severity=own.severity or severity,
        meaning=own.meaning,
        advice=own.check,
        fix=own.fix,
        references=own.references,
        threat=own.threat,
    )


def _twin(value: int, namespace: str) -> str:
    if namespace == "win32":
        twin = spelling.hresult(value)
    elif namespace == "ntstatus":
        twin = value ^ _N_BIT if value else 0
    else:
        twin = spelling.win32(value)
    return "" if twin == value else f"0x{twin:08X}"


def _decoded(value: int, namespace: str) -> tuple[str, str]:
    """Give facility and severity as the bits have them."""
    if namespace == "ntstatus":
        return facilities.ntstatus_facility(value), facilities.ntstatus_severity(value)
    if namespace == "hresult":
        return facilities.hresult_facility(value), facilities.hresult_severity(value)
    severity = "error" if value else "success"
    return _ISSUERS.get(namespace, "WIN32"), severity


def _spoken(symbol: str) -> str:
    """Split a symbol into words: ``WBEM_E_ACCESS_DENIED``, ``WBEM: access denied``."""
    prefix = _PREFIX.match(symbol)
    rest = symbol[prefix.end() :] if prefix else symbol
    words = _HUMP.sub(" ", rest).replace("_", " ").lower()
    if prefix and prefix["area"]:
        return f"{prefix['area']}: {words}."
    return f"{words.capitalize()}."


def _computed(value: int, facility: str, severity: str) -> str:
    """Describe a code no table names, without guessing at a name."""
    if facility == _ISSUERS["msi"]:
        return f"Message {value} of Windows Installer, not the Windows error {value}."
    if facility == _ISSUERS["exit"]:
        return (
            f"The program ended with {value}; only its maker can say what that means."
        )
    low = f"number 0x{value & 0xFFFF:04X}"
    area = facilities.configmgr_area(value)
    if area:
        return f"{facility} {severity}, {low}; area: {area}."
    if facility == "ITF":
        return f"ITF {severity}, {low}; only the interface that gave it can say more."
    return f"{facility} {severity}, {low}; no public header names it."
