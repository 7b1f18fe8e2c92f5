# SPDX-License-Identifier: Apache-2.0
"""Facilities: their names in both layouts, and ranges where there are no names."""

import pytest

from shipper.knowledge import explain, facilities

#: Facilities as the documents list them; a number may have several names.
HRESULT = """
0 NULL, 1 RPC, 2 DISPATCH, 3 STORAGE, 4 ITF, 8 WINDOWS, 9 SECURITY/SSPI, 10 CONTROL,
11 CERT, 12 INTERNET, 15 SETUPAPI, 16 SCARD, 17 COMPLUS, 25 HTTP, 32 BACKGROUNDCOPY,
33 CONFIGURATION/WIA, 36 WINDOWSUPDATE, 37 DIRECTORYSERVICE, 39 NAP/SHELL,
40 TPM_SERVICES, 48 PLA/WINDOWS_SETUP, 49 FVE, 50 FWP, 51 WINRM, 61 WEBSERVICES/WINPE,
80 WINDOWS_DEFENDER, 84 MBN/POWERSHELL, 208 DELIVERY_OPTIMIZATION,
256 DMSERVER/RESTORE/SPP, 257 DEPLOYMENT_SERVICES_SERVER, 2000 ConfigMgr client,
2001 ConfigMgr mobile, 2002 ConfigMgr site server, 2003 Intune management
"""
NTSTATUS = """
0 DEFAULT, 1 DEBUGGER, 2 RPC_RUNTIME, 3 RPC_STUBS, 4 IO_ERROR_CODE, 7 NTWIN32
"""


def _listed(text: str) -> dict[int, str]:
    pairs = (" ".join(one.split()).partition(" ") for one in text.split(","))
    return {int(number): name for number, _, name in pairs}


def test_names_in_an_hresult() -> None:
    """Bits 26 to 16 name the facility."""
    expected = _listed(HRESULT)

    assert len(expected) == 34
    assert expected == {
        number: facilities.hresult_facility(0x80000001 | number << 16)
        for number in expected
    }
    assert explain(0x80070005)[0].facility == "WIN32"


def test_names_in_an_ntstatus() -> None:
    """The same numbers mean other facilities there."""
    expected = _listed(NTSTATUS)

    assert expected == {
        number: facilities.ntstatus_facility(0xC0000001 | number << 16)
        for number in expected
    }


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (0x87D00201, "client framework"),
        (0x87D0030F, "application model"),
        (0x87D00401, "detection rules"),
        (0x87D00601, "software updates"),
        (0x87D00801, "multicast"),
        (0x87D01001, "package"),
        (0x87D01203, "cache"),
        (0x87D01281, "virtual"),
        (0x87D02002, "policy"),
        (0x87D10194, "device management protocol"),
        (0x87D107D0, "device"),
        (0x87D20001, "site server"),
        (0x87D30001, "Intune"),
    ],
)
def test_configmgr_range(value: int, part: str) -> None:
    """No public header names these codes; their range says what they are about."""
    (reading,) = explain(value)

    assert (reading.symbol, reading.severity) == ("", "error")
    assert part in reading.meaning


def test_old_sms_codes_are_not_guessed() -> None:
    """0x80040231 shares its low word with a ConfigMgr code and nothing else."""
    (reading,) = explain(0x80040231)

    assert (reading.symbol, reading.facility) == ("", "ITF")
    assert "only the interface" in reading.meaning
