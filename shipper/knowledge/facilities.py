# SPDX-License-Identifier: Apache-2.0
"""Who a code comes from: the bits of HRESULT and NTSTATUS.

Layout after MS-ERREF 2.1 and 2.3: severity in the high bit or bits, bit 29 set in codes
that are a customer's and not Microsoft's, bit 28 for an NTSTATUS inside an HRESULT. The
facility field of an HRESULT has 11 bits (26-16). The headers nonetheless register some
facilities that need bit 27 as well, which MS-ERREF reserves (DXGI is 2170), so a number
with that bit is looked up whole first.
"""

from __future__ import annotations

from functools import cache

from shipper.knowledge import library

_FIELD = 0xFFF  # bits 27-16
_HRESULT_FIELD = 0x7FF  # bits 26-16
_CUSTOMER_BIT = 0x2000_0000
_DEPLOYMENT_SERVICES = range(257, 294)

#: What the headers leave out: a default, and facilities that are not registered but
#: used so by ConfigMgr and Intune clients.
_UNREGISTERED = {
    ("N", 0): "DEFAULT",
    ("H", 2000): "ConfigMgr client",
    ("H", 2001): "ConfigMgr mobile",
    ("H", 2002): "ConfigMgr site server",
    ("H", 2003): "Intune management",
}

#: Areas of ConfigMgr's codes without a public symbol: first, last, area.
_AREAS = (
    (0x87D00200, 0x87D00299, "client framework: messaging, policy, certificates"),
    (0x87D00300, 0x87D00330, "application model: detection and requirements"),
    (0x87D00400, 0x87D00442, "detection rules and incomplete policy"),
    (0x87D00600, 0x87D00715, "software updates: scan and installation"),
    (0x87D00800, 0x87D0080C, "multicast"),
    (0x87D01000, 0x87D0110A, "running a package's program"),
    (0x87D01200, 0x87D0127F, "client cache and content"),
    (0x87D01280, 0x87D01292, "virtual applications"),
    (0x87D02002, 0x87D02004, "missing software distribution policy"),
    (0x87D10065, 0x87D10205, "device management protocol; the low word is its status"),
    (0x87D103E8, 0x87D11FFF, "download and installation on a device"),
    (0x87D20000, 0x87D2FFFF, "site server: database, updates, certificates, reports"),
    (0x87D30000, 0x87D3FFFF, "Intune's management extension (weakly sourced)"),
)

_SEVERITIES = ("success", "info", "warning", "error")


def hresult_facility(value: int) -> str:
    """Name the facility of an HRESULT, or give its number.

    Args:
        value: the code, unsigned, 32 bits.

    Returns:
        A number with several names has them all, ``SECURITY/SSPI``.
    """
    number = value >> 16 & _FIELD
    if value & _CUSTOMER_BIT:
        return f"customer facility {number & _HRESULT_FIELD}"
    name = _names().get(("H", number))
    if name:
        return name
    number &= _HRESULT_FIELD
    if number in _DEPLOYMENT_SERVICES:
        return _names().get(("H", number), "DEPLOYMENT_SERVICES")
    return _names().get(("H", number), f"facility {number}")


def ntstatus_facility(value: int) -> str:
    """Name bits 27-16 of an NTSTATUS, or give their number.

    Args:
        value: the code, unsigned, 32 bits.
    """
    number = value >> 16 & _FIELD
    if value & _CUSTOMER_BIT:
        return f"customer facility {number}"
    return _names().get(("N", number), f"facility {number}")


def hresult_severity(value: int) -> str:
    """Read bit 31 of an HRESULT: ``success`` or ``error``.

    Args:
        value: the code, unsigned, 32 bits.
    """
    return "error" if value >> 31 else "success"


def ntstatus_severity(value: int) -> str:
    """Read bits 31-30 of an NTSTATUS: success, info, warning or error.

    Args:
        value: the code, unsigned, 32 bits.
    """
    return _SEVERITIES[value >> 30]


def configmgr_area(value: int) -> str:
    """Say which part of ConfigMgr uses a code, or nothing outside its ranges.

    Args:
        value: the code, unsigned, 32 bits. Codes with the success bit (``07D0....``)
            share the areas of the failing ones.
    """
    failing = value | 0x8000_0000
    for first, last, area in _AREAS:
        if first <= failing <= last:
            return area
    return ""


@cache
def _names() -> dict[tuple[str, int], str]:
    """Return the names by family and number."""
    names = dict(_UNREGISTERED)
    for row in library.text("facilities.tsv").splitlines():
        key, _, shown = row.partition("\t")
        names[key[-1], int(key[:-1])] = shown.replace("|", "/")
    return names
