# SPDX-License-Identifier: Apache-2.0
"""Who a code comes from: the bits of HRESULT and NTSTATUS.

Layout after MS-ERREF 2.1 and 2.3. Microsoft's own ``HRESULT_FACILITY`` macro masks with
13 bits and takes two flags along; the field has 11.
"""

from __future__ import annotations

_HRESULT = {
    0: "NULL",
    1: "RPC",
    2: "DISPATCH",
    3: "STORAGE",
    4: "ITF",
    7: "WIN32",
    8: "WINDOWS",
    9: "SECURITY",
    10: "CONTROL",
    11: "CERT",
    12: "INTERNET",
    13: "MEDIASERVER",
    14: "MSMQ",
    15: "SETUPAPI",
    16: "SCARD",
    17: "COMPLUS",
    25: "HTTP",
    32: "BACKGROUNDCOPY",
    33: "CONFIGURATION",
    36: "WINDOWSUPDATE",
    37: "DIRECTORYSERVICE",
    40: "TPM_SERVICES",
    48: "WINDOWS_SETUP",
    49: "FVE",
    50: "FWP",
    51: "WINRM",
    61: "WINPE",
    80: "WINDOWS_DEFENDER",
    208: "DELIVERY_OPTIMIZATION",
    # Not registered with Microsoft's list; used so by ConfigMgr and Intune clients.
    2000: "ConfigMgr client",
    2001: "ConfigMgr mobile",
    2002: "ConfigMgr site server",
    2003: "Intune management",
}
_NTSTATUS = {
    0: "DEFAULT",
    1: "DEBUGGER",
    2: "RPC_RUNTIME",
    3: "RPC_STUBS",
    4: "IO_ERROR_CODE",
    7: "NTWIN32",
}
_DEPLOYMENT_SERVICES = range(257, 294)

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
)

_SEVERITIES = ("success", "info", "warning", "error")


def hresult_facility(value: int) -> str:
    """Name bits 26-16 of an HRESULT, or give their number.

    Args:
        value: the code, unsigned, 32 bits.
    """
    number = value >> 16 & 0x7FF
    if number in _DEPLOYMENT_SERVICES:
        return "DEPLOYMENT_SERVICES"
    return _HRESULT.get(number, f"facility {number}")


def ntstatus_facility(value: int) -> str:
    """Name bits 27-16 of an NTSTATUS, or give their number.

    Args:
        value: the code, unsigned, 32 bits.
    """
    number = value >> 16 & 0xFFF
    return _NTSTATUS.get(number, f"facility {number}")


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
