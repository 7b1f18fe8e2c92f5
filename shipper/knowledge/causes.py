# SPDX-License-Identifier: Apache-2.0
"""Why an agent was refused, how grave that is, and what is only an echo of it."""

from __future__ import annotations

import re
from typing import Literal

from shipper.knowledge import codes, spelling

#: Why an agent was refused.
Cause = Literal[
    "privilege",
    "integrity",
    "account",
    "file",
    "distribution",
    "not_installed",
    "unknown",
]

#: Elastic's ladder: a lone echo, a refusal with a cause, a failed integrity check.
LOW = 21
MEDIUM = 47
HIGH = 73

_ECHO = 1003  # ERROR_CAN_NOT_COMPLETE, the launcher's result for any cause (KB828371)

#: A signature may decide by itself, whatever its code.
_BY_SIGNATURE: dict[str, Cause] = {
    "S05": "integrity",
    "S14": "not_installed",
    **dict.fromkeys(("S15", "S15b"), "distribution"),
}
_BY_CODE: dict[int, Cause] = {
    **dict.fromkeys((1300, 1314), "privilege"),
    **dict.fromkeys((1069, 1326, 1327, 1330, 1331, 1385, 1909), "account"),
    **dict.fromkeys((2, 3, 126, 193), "file"),
}
_REFUSING_ROLES = frozenset({"launch", "echo", "verify", "register"})
#: Where Windows' error numbers mean themselves; a program's own, or those of Windows
#: Installer, are others.
_WINDOWS = frozenset({None, "win32", "hresult"})
#: Records outside of a launch that say what keeps the client from working. Any other's
#: code may be about whatever was tried just then.
_TELLING = frozenset({"S14", "S15", "S15b", "S19", "S20"})

# The colours of Microsoft's log viewer: red for error and fail, but not for failover.
_ERROR = re.compile(r"error|fail(?!over)", re.IGNORECASE | re.ASCII)
_WARNING = re.compile(r"warn", re.IGNORECASE | re.ASCII)


def cause_of(
    signature_id: str, code: int | None, namespace: str | None = None
) -> Cause:
    """Tell why an agent was refused.

    Code 5 alone is ``unknown``: only the record that says "not authorised" makes it a
    matter of integrity.

    Args:
        signature_id: of the record, or empty.
        code: its code, unsigned; a wrapped Win32 error counts as that error.
        namespace: of the code, where the context tells it, else ``None``.
    """
    by_signature = _BY_SIGNATURE.get(signature_id)
    if by_signature is not None or code is None or namespace not in _WINDOWS:
        return by_signature or "unknown"
    return _BY_CODE.get(spelling.win32(code), "unknown")


def remedied(signature_id: str) -> bool:
    """Tell whether its cause has a remedy though the record is of no incident.

    Args:
        signature_id: of the record.
    """
    return signature_id in _TELLING


def role_of(code: int) -> Literal["cause", "echo", ""]:
    """Tell a cause from its echo.

    Args:
        code: unsigned; a wrapped Win32 error counts as that error.

    Returns:
        ``echo`` for 1003, empty for 0, which is no error, otherwise ``cause``.
    """
    code = spelling.win32(code)
    if code == 0:
        return ""
    return "echo" if code == _ECHO else "cause"


def severity(role: str, code: int | None, namespace: str | None = None) -> int:
    """Grade a record on Elastic's ladder.

    Args:
        role: of its signature (:data:`shipper.knowledge.entries.Role`), or empty
            for a code found in free text.
        code: unsigned, or ``None``.
        namespace: of the code, where the context tells it, else ``None``.

    Returns:
        73 for a failed integrity check; 47 for a refusal with a cause, and for any
        missing right or unusable account; 21 for an echo alone and for any other
        error; 0 where there is no error, and no severity is to be stored.
    """
    if role == "integrity":
        return HIGH
    if code is None:
        return 0
    if codes.explain(code, namespace=namespace)[0].severity in ("success", "info"):
        return 0
    if role_of(code) == "echo":
        return LOW
    cause = cause_of("", code, namespace)
    grave = role in _REFUSING_ROLES or cause in ("privilege", "account")
    return MEDIUM if grave else LOW


def level(message: str) -> str:
    """Give ``log.level`` as Microsoft's log viewer would colour the line.

    Args:
        message: the cleaned message of one record.

    Returns:
        ``error``, ``warning`` or ``info``. Digits never matter.
    """
    if _ERROR.search(message):
        return "error"
    return "warning" if _WARNING.search(message) else "info"
