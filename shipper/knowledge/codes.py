# SPDX-License-Identifier: Apache-2.0
"""What an error code means.

A number alone does not say which table it belongs to. The order of trial follows
MS-ERREF: below 0x10000 Win32; 0x8007.... a wrapped Win32 error; with bit 28 a wrapped
NTSTATUS; beginning with C or 4 NTSTATUS, then HRESULT; otherwise the other way round.
Where two tables name a number both readings are given, because only the log's context
can choose (0x8000000A is E_PENDING and STATUS_HANDLES_CLOSED).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from msgspec import Struct

from shipper.knowledge import facilities, library, spelling, table

_SMALL = 0x1_0000
_N_BIT = 0x1000_0000  # HRESULT_FROM_NT sets it
_TOP_NTSTATUS = (0x4, 0xC, 0xE, 0xF)  # E and F carry the customer bit: exceptions
_CUT = range(0x4000, 0x5000)  # E_FAIL and its like, cut to 16 bits
_ADVICE = "Read the records around it on the same thread; the first error is the cause."

#: How ``words.toml`` spells the codes of each namespace.
_KEYS = {
    "win32": re.compile(r"[0-9]{1,5}"),
    "hresult": re.compile(r"[0-9A-F]{8}"),
    "ntstatus": re.compile(r"[0-9A-F]{8}"),
}

#: Prefixes of symbols that say nothing a reader needs.
_PREFIX = re.compile(r"(?:ERROR|STATUS|NERR|[ESWI])_|(?P<area>[A-Z0-9]+)_[ESWI]_")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Reading(Struct, frozen=True, kw_only=True):
    """One way to read a code.

    Attributes:
        value: unsigned, 32 bits.
        hex: ``0x00000522``.
        signed: the same bits as a signed number.
        namespace: ``win32``, ``hresult`` or ``ntstatus``.
        symbol: Microsoft's name for it, or empty if no public header has one.
        facility: who issues it: ``WIN32``, ``ITF``, ``ConfigMgr client``, or
            ``facility 123`` where the number has no known name.
        severity: ``success``, ``info``, ``warning`` or ``error``.
        meaning: what it says, in our words.
        advice: what an analyst checks.
        fix: what an administrator does, or empty.
        references: articles the words rest on, such as ``KB828371``.
    """

    value: int
    hex: str
    signed: int
    namespace: str
    symbol: str
    facility: str
    severity: str
    meaning: str
    advice: str
    fix: str
    references: tuple[str, ...]


class _Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of ``words.toml``."""

    meaning: str
    check: str
    fix: str = ""
    severity: str = ""
    references: tuple[str, ...] = ()


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


def named(symbol: str) -> tuple[Reading, ...]:
    """Explain a code by its name.

    Args:
        symbol: such as ``ERROR_PRIVILEGE_NOT_HELD``, any case.

    Returns:
        A reading for each code of that name; none if there is none.
    """
    return tuple(
        reading
        for value, namespace in table.named(symbol)
        for reading in explain(value, namespace=namespace)
        if reading.namespace == namespace
    )


def explain(value: int, *, namespace: str | None = None) -> tuple[Reading, ...]:
    """Explain a code.

    Args:
        value: the code, signed, unsigned or sign-extended to 64 bits.
        namespace: the table the context names (``win32``, ``hresult``, ``ntstatus``).
            Readings of other tables are left out, unless there are no others.

    Returns:
        At least one reading, the likeliest first.

    Raises:
        ValueError: the value does not fit into 32 bits.
    """
    code = spelling.unsigned(value)
    if code is None:
        raise ValueError(f"{value} is not a 32-bit code")
    readings = _readings(code)
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
    if inner != value:
        own = named.get("hresult") or table.symbols(inner).get("win32")
        if own or _words("hresult", value) or _words("win32", inner):
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
        if namespace in named or _words(namespace, value):
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
    words = _words(namespace, value) or (_words(*core) if core else None)
    if words is None:
        meaning = _spoken(symbol) if symbol else _computed(value, facility, severity)
        words = _Words(meaning=meaning, check=_ADVICE)
    return Reading(
        value=value,
        hex=f"0x{value:08X}",
        signed=spelling.signed(value),
        namespace=namespace,
        symbol=symbol,
        facility=facility,
        severity=words.severity or severity,
        meaning=words.meaning,
        advice=words.check,
        fix=words.fix,
        references=words.references,
    )


def _decoded(value: int, namespace: str) -> tuple[str, str]:
    """Give facility and severity as the bits have them."""
    if namespace == "ntstatus":
        return facilities.ntstatus_facility(value), facilities.ntstatus_severity(value)
    if namespace == "hresult":
        return facilities.hresult_facility(value), facilities.hresult_severity(value)
    return "WIN32", "error" if value else "success"


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
    low = f"number 0x{value & 0xFFFF:04X}"
    area = facilities.configmgr_area(value)
    if area:
        return f"{facility} {severity}, {low}; area: {area}."
    if facility == "ITF":
        return f"ITF {severity}, {low}; only the interface that gave it can say more."
    return f"{facility} {severity}, {low}; no public header names it."


def _words(namespace: str, value: int) -> _Words | None:
    key = str(value) if namespace == "win32" else f"{value:08X}"
    return _all_words().get((namespace, key))


@cache
def _all_words() -> dict[tuple[str, str], _Words]:
    return parse_words(library.text("words.toml"))


def parse_words(content: str) -> dict[tuple[str, str], _Words]:
    """Read the text of ``words.toml``: tables ``namespace.code``.

    Args:
        content: TOML; Win32 codes in decimal, the others as eight capital hex digits.

    Raises:
        ShipperError: an entry cannot be used; names file, entry and reason.
    """
    name = "words.toml"
    words = {}
    for namespace, codes in library.tables(name, content).items():
        pattern = _KEYS.get(namespace)
        if pattern is None or not isinstance(codes, dict):
            raise library.broken(name, namespace, "is no namespace of codes")
        for key, raw in codes.items():
            place = f"{namespace}.{key}"
            if not pattern.fullmatch(key):
                raise library.broken(name, place, "is not spelled as a code")
            words[namespace, key] = library.entry(name, place, raw, _Words)
    return words
