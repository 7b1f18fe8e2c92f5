# SPDX-License-Identifier: Apache-2.0
"""Codes: every spelling reads alike, and no code goes unexplained."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.knowledge import explain, named, read

PRIVILEGE = (0x80070522, -2147023582, "hresult", "ERROR_PRIVILEGE_NOT_HELD", "WIN32")
WMI_DENIED = (0x80041003, -2147217405, "hresult", "WBEM_E_ACCESS_DENIED", "ITF")
NO_NAME = (
    0x8024402C,
    -2145107924,
    "hresult",
    "WU_E_PT_WINHTTP_NAME_NOT_RESOLVED",
    "WINDOWSUPDATE",
)
NOT_DETECTED = (0x87D00324, -2016410844, "hresult", "", "ConfigMgr client")
CI_TIMEOUT = (0x87D0027C, -2016411012, "hresult", "", "ConfigMgr client")
NT_PRIVILEGE = (
    0xC0000061,
    -1073741727,
    "ntstatus",
    "STATUS_PRIVILEGE_NOT_HELD",
    "DEFAULT",
)


@pytest.mark.parametrize(
    ("text", "value", "symbol", "severity"),
    [
        ("1314", 0x522, "ERROR_PRIVILEGE_NOT_HELD", "error"),
        ("0x522", 0x522, "ERROR_PRIVILEGE_NOT_HELD", "error"),
        ("0x00000522", 0x522, "ERROR_PRIVILEGE_NOT_HELD", "error"),
        ("00000522", 0x522, "ERROR_PRIVILEGE_NOT_HELD", "error"),
        ("1003", 0x3EB, "ERROR_CAN_NOT_COMPLETE", "error"),
        ("#0x3EB", 0x3EB, "ERROR_CAN_NOT_COMPLETE", "error"),
        ("(#0x3eb)", 0x3EB, "ERROR_CAN_NOT_COMPLETE", "error"),
        ("5", 5, "ERROR_ACCESS_DENIED", "error"),
        ("0X5", 5, "ERROR_ACCESS_DENIED", "error"),
        ("1385", 0x569, "ERROR_LOGON_TYPE_NOT_GRANTED", "error"),
        ("1326", 0x52E, "ERROR_LOGON_FAILURE", "error"),
        ("1603", 0x643, "ERROR_INSTALL_FAILURE", "error"),
        ("3010", 0xBC2, "ERROR_SUCCESS_REBOOT_REQUIRED", "success"),
        ("1641", 0x669, "ERROR_SUCCESS_REBOOT_INITIATED", "success"),
    ],
)
def test_win32_code(text: str, value: int, symbol: str, severity: str) -> None:
    """A small number is a Win32 error, with one reading."""
    (reading,) = read(text)

    assert (reading.value, reading.hex) == (value, f"0x{value:08X}")
    assert (reading.namespace, reading.symbol) == ("win32", symbol)
    assert (reading.signed, reading.facility) == (value, "WIN32")
    assert reading.severity == severity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x80070522", PRIVILEGE),
        ("80070522", PRIVILEGE),
        ("-2147023582", PRIVILEGE),
        ("\u22122147023582", PRIVILEGE),
        ("2147943714", PRIVILEGE),
        ("0xFFFFFFFF80070522", PRIVILEGE),
        ("18446744071562528034", PRIVILEGE),
        ("0x80041003", WMI_DENIED),
        ("-2147217405", WMI_DENIED),
        ("0x8024402C", NO_NAME),
        ("8024402c", NO_NAME),
        ("-2145107924", NO_NAME),
        ("0x87D00324", NOT_DETECTED),
        ("87D00324", NOT_DETECTED),
        ("2278556452", NOT_DETECTED),
        ("-2016410844", NOT_DETECTED),
        ("-2016411012", CI_TIMEOUT),
        ("0xC0000061", NT_PRIVILEGE),
        ("-1073741727", NT_PRIVILEGE),
    ],
)
def test_long_code(text: str, expected: tuple[int, int, str, str, str]) -> None:
    """Unsigned, signed, sign-extended and bare forms are the same failing code."""
    (reading,) = read(text)

    assert (
        reading.value,
        reading.signed,
        reading.namespace,
        reading.symbol,
        reading.facility,
    ) == expected
    assert reading.severity == "error"


def test_wrapped_win32_has_the_words_of_its_code() -> None:
    """HRESULT_FROM_WIN32 of 1314 says and advises what 1314 does."""
    (wrapped,), (plain,) = read("0x80070522"), read("1314")

    assert (wrapped.meaning, wrapped.fix) == (plain.meaning, plain.fix)
    assert "KB828371" in wrapped.references


def test_wrapped_ntstatus_is_unwrapped() -> None:
    """HRESULT_FROM_NT only sets a bit; a known NTSTATUS shows below it."""
    (reading,) = read("0xD0000061")

    assert (reading.value, reading.namespace) == (0xD0000061, "ntstatus")
    assert reading.symbol == "STATUS_PRIVILEGE_NOT_HELD"


def test_failure_that_wraps_success() -> None:
    """HRESULT_FROM_WIN32 never makes 0x80070000, so it is no success by name."""
    (reading,) = read("0x80070000")

    assert (reading.symbol, reading.facility, reading.severity, reading.twin) == (
        "",
        "WIN32",
        "error",
        "",
    )
    assert "lost on the way" in reading.meaning


@pytest.mark.parametrize(
    ("symbol", "meaning"),
    [
        ("NTE_BAD_KEYSET", "NTE: bad keyset."),
        ("CRYPT_E_MSG_ERROR", "CRYPT: msg error."),
        ("RPC_X_NO_MORE_ENTRIES", "RPC: no more entries."),
        ("RPC_NT_UUID_LOCAL_ONLY", "RPC: uuid local only."),
        ("DNS_ERROR_RCODE_FORMAT_ERROR", "DNS: rcode format error."),
        ("FRS_ERR_INVALID_API_SEQUENCE", "FRS: invalid api sequence."),
        ("ERROR_PATH_BUSY", "Path busy."),
    ],
)
def test_area_of_a_symbol(symbol: str, meaning: str) -> None:
    """Where nobody wrote words, the symbol's are split, its area in front."""
    assert named(symbol)[0].meaning == meaning


@pytest.mark.parametrize(
    ("value", "twin"),
    [
        (1314, "0x80070522"),
        (0x80070522, "0x00000522"),
        (0xC0000061, "0xD0000061"),
        (0xD0000061, "0xC0000061"),
        (0, ""),
        (0x80041003, ""),
        (60000, ""),
    ],
)
def test_wrapping_works_both_ways(value: int, twin: str) -> None:
    """HRESULT_FROM_WIN32, HRESULT_FROM_NT and what undoes them."""
    assert explain(value)[0].twin == twin


def test_message_of_windows_installer_is_no_windows_error() -> None:
    """Its 1314 is about a path; its errors keep their names, its success is one."""
    (path,) = explain(1314, namespace="msi")
    (other,) = explain(1402, namespace="msi")
    (fatal,) = explain(1603, namespace="msi")
    (done,) = explain(1707, namespace="msi")

    assert (path.namespace, path.symbol) == ("msi", "")
    assert path.facility == other.facility == "Windows Installer"
    assert "path" in path.meaning
    assert "1402 of Windows Installer" in other.meaning
    assert (fatal.namespace, fatal.symbol) == ("win32", "ERROR_INSTALL_FAILURE")
    assert done.severity == "success"


def test_exit_code_belongs_to_the_program() -> None:
    """It is read as Windows' only after saying so, unless installers agree on it."""
    own, windows = explain(5, namespace="exit")
    (restart,) = explain(3010, namespace="exit")
    (crash,) = explain(0xC0000005, namespace="exit")

    assert (own.namespace, own.symbol, own.facility) == ("exit", "", "program")
    assert windows.symbol == "ERROR_ACCESS_DENIED"
    assert (restart.symbol, restart.severity) == (
        "ERROR_SUCCESS_REBOOT_REQUIRED",
        "success",
    )
    assert crash.symbol == "STATUS_ACCESS_VIOLATION"


@pytest.mark.parametrize(
    ("text", "symbol", "facility", "severity"),
    [
        ("0x80000005", "STATUS_BUFFER_OVERFLOW", "DEFAULT", "warning"),
        ("0x80041001", "WBEM_E_FAILED", "ITF", "error"),
        ("0x80338012", "ERROR_WSMAN_DESTINATION_UNREACHABLE", "WINRM", "error"),
        ("0x00041301", "SCHED_S_TASK_RUNNING", "ITF", "success"),
        ("0x80070005", "E_ACCESSDENIED", "WIN32", "error"),
        ("16389", "E_FAIL", "NULL", "error"),
    ],
)
def test_further_code(text: str, symbol: str, facility: str, severity: str) -> None:
    """Warnings, successes and codes cut to 16 bits are told apart."""
    (reading,) = read(text)

    assert (reading.symbol, reading.facility) == (symbol, facility)
    assert reading.severity == severity


def test_code_of_two_tables_has_two_readings() -> None:
    """0x8000000A is named by both tables, so both are shown."""
    readings = explain(0x8000000A)

    assert [r.symbol for r in readings] == ["E_PENDING", "STATUS_HANDLES_CLOSED"]
    assert [r.severity for r in readings] == ["error", "warning"]


def test_small_code_of_two_tables_is_win32_first() -> None:
    """258 is WAIT_TIMEOUT and, less likely, STATUS_TIMEOUT."""
    readings = explain(258)

    assert [r.symbol for r in readings] == ["WAIT_TIMEOUT", "STATUS_TIMEOUT"]


def test_namespace_chooses() -> None:
    """A context that names the table leaves its reading only."""
    (reading,) = explain(0x8000000A, namespace="ntstatus")

    assert reading.symbol == "STATUS_HANDLES_CLOSED"


def test_namespace_without_a_reading_hides_nothing() -> None:
    """A wrong hint never makes a known code unknown."""
    assert explain(1314, namespace="ntstatus") == explain(1314)


@pytest.mark.parametrize(
    ("value", "facility", "severity", "part"),
    [
        (0x87D0030F, "ConfigMgr client", "error", "application model"),
        (0x07D00636, "ConfigMgr client", "success", "software updates"),
        (0x87D2ABCD, "ConfigMgr site server", "error", "site server"),
        (0x87D00900, "ConfigMgr client", "error", "0x0900"),
        (0x8004F0F1, "ITF", "error", "interface"),
        (0x81239ABC, "DEPLOYMENT_SERVICES", "error", "0x9ABC"),
        (0x8FFF0001, "facility 2047", "error", "0x0001"),
        (0xCFFF0001, "facility 4095", "error", "0x0001"),
        (60000, "WIN32", "error", "0xEA60"),
        (0x8007EA60, "WIN32", "error", "0xEA60"),
        # Registered beyond the field's 11 bits, so bit 27 belongs to the number.
        (0x887AFFFF, "DXGI", "error", "0xFFFF"),
        # Bit 29: the facility is a customer's, whose numbers mean nothing here.
        (0xA0420001, "customer facility 66", "error", "0x0001"),
        (0xE0430001, "customer facility 67", "error", "0x0001"),
    ],
)
def test_code_without_a_name(
    value: int, facility: str, severity: str, part: str
) -> None:
    """A code no header names still has its facility, severity and area."""
    (reading,) = explain(value)

    assert (reading.symbol, reading.facility) == ("", facility)
    assert reading.severity == severity
    assert part in reading.meaning


def test_configmgr_success_with_failure_bit() -> None:
    """0x87D1076C means success, whatever its first bit says."""
    (reading,) = explain(0x87D1076C)

    assert reading.severity == "success"


def test_symbol_becomes_words() -> None:
    """A code without words of ours is its symbol, spoken."""
    meanings = [explain(value)[0].meaning for value in (1450, 0x80041004, 2102)]

    assert meanings == [
        "No system resources.",
        "WBEM: provider failure.",
        "Net not started.",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "error", "3EB", "0x", "0x12345678123456789", "99999999999", "12-34", "--5"],
)
def test_text_that_is_no_code(text: str) -> None:
    """What is not a 32-bit code has no readings."""
    assert read(text) == ()


@pytest.mark.parametrize(
    ("symbol", "value", "namespace"),
    [
        ("ERROR_PRIVILEGE_NOT_HELD", 1314, "win32"),
        ("error_can_not_complete", 1003, "win32"),
        ("WBEM_E_ACCESS_DENIED", 0x80041003, "hresult"),
        ("STATUS_PRIVILEGE_NOT_HELD", 0xC0000061, "ntstatus"),
    ],
)
def test_code_by_its_name(symbol: str, value: int, namespace: str) -> None:
    """A symbol in any case leads to its code, in the table that has it."""
    (reading,) = named(symbol)

    assert (reading.value, reading.namespace) == (value, namespace)


@pytest.mark.parametrize("symbol", ["", "ERROR", "ERROR_PRIVILEGE", ".*", "1314"])
def test_text_that_is_no_name(symbol: str) -> None:
    """A part of a name, or an expression, is no name."""
    assert named(symbol) == ()


def test_value_beyond_32_bits_is_refused() -> None:
    """The caller learns which value cannot be a code."""
    with pytest.raises(ValueError, match="4294967296 is not a 32-bit code"):
        explain(1 << 32)


@given(st.integers(min_value=-(1 << 31), max_value=(1 << 32) - 1))
def test_every_code_is_explained(value: int) -> None:
    """Every 32-bit number has a reading with all that can be decoded."""
    readings = explain(value)

    for reading in readings:
        assert reading.value == value & 0xFFFFFFFF
        assert reading.signed & 0xFFFFFFFF == reading.value
        assert reading.facility
        assert reading.severity in {"success", "info", "warning", "error"}
        assert reading.meaning
        assert reading.symbol or "unknown" not in reading.meaning
        assert reading.advice
    assert len({reading.namespace for reading in readings}) == len(readings) > 0


@given(st.integers(min_value=0, max_value=(1 << 32) - 1))
def test_spellings_agree(value: int) -> None:
    """Hexadecimal, decimal and sign-extended text read as the number itself."""
    expected = explain(value)
    decimal = str(expected[0].signed)

    assert read(f"0x{value:X}") == expected
    # Eight bare digits may be hexadecimal; their reading is tested above.
    assert len(decimal) == 8 or read(decimal) == expected
    assert read(f"0x{expected[0].signed & (1 << 64) - 1:X}") == expected


def test_reading_is_plain_data() -> None:
    """A reading encodes as the JSON that ``clisvc explain --json`` promises."""
    (reading,) = explain(1314)

    assert list(msgspec.to_builtins(reading)) == [
        "value",
        "hex",
        "signed",
        "twin",
        "namespace",
        "symbol",
        "facility",
        "severity",
        "meaning",
        "advice",
        "fix",
        "references",
        "threat",
    ]
