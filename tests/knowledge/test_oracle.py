# SPDX-License-Identifier: Apache-2.0
"""Decoding against an oracle: MS-ERREF's bits and a plain scan of the tables.

The oracle shares no code with what it checks; it splits lines and shifts bits.
"""

import random
from importlib import resources

import pytest

from shipper.knowledge import explain, read, table

_DATA = resources.files("shipper.knowledge") / "data"


def _rows() -> list[tuple[int, str, list[str]]]:
    rows = []
    for line in (_DATA / "codes.tsv").read_text("ascii").split("\n")[:-1]:
        key, names = line.split("\t")
        rows.append((int(key[:8], 16), key[8], names.split("|")))
    return rows


def _facilities() -> dict[tuple[str, int], str]:
    names = {("N", 0): "DEFAULT"}
    for line in (_DATA / "facilities.tsv").read_text("ascii").split("\n")[:-1]:
        key, shown = line.split("\t")
        names[key[-1:], int(key[:-1])] = "/".join(shown.split("|"))
    return names


ROWS = _rows()
FACILITIES = _facilities()
NAMESPACES = {"W": "win32", "H": "hresult", "N": "ntstatus"}
#: What codes without words of ours advise; 1450 is one.
NO_WORDS = explain(1450)[0].advice
#: 200 rows, the same in every run.
DRAWN = random.Random(828371).sample(ROWS, 200)  # noqa: S311 - not a secret

#: Codes as the documents print them: unsigned, signed, name, namespace.
TWELVE = [
    (0x00000522, 1314, "ERROR_PRIVILEGE_NOT_HELD", "win32"),
    (0x000003EB, 1003, "ERROR_CAN_NOT_COMPLETE", "win32"),
    (0x00000005, 5, "ERROR_ACCESS_DENIED", "win32"),
    (0x00000569, 1385, "ERROR_LOGON_TYPE_NOT_GRANTED", "win32"),
    (0x0000052E, 1326, "ERROR_LOGON_FAILURE", "win32"),
    (0x00000643, 1603, "ERROR_INSTALL_FAILURE", "win32"),
    (0x00000BC2, 3010, "ERROR_SUCCESS_REBOOT_REQUIRED", "win32"),
    (0x80070522, -2147023582, "ERROR_PRIVILEGE_NOT_HELD", "hresult"),
    (0x80041003, -2147217405, "WBEM_E_ACCESS_DENIED", "hresult"),
    (0x8024402C, -2145107924, "WU_E_PT_WINHTTP_NAME_NOT_RESOLVED", "hresult"),
    (0x87D00324, -2016410844, "", "hresult"),
    (0xC0000061, -1073741727, "STATUS_PRIVILEGE_NOT_HELD", "ntstatus"),
]


def _facility(value: int, family: str) -> str:
    """Name the facility: 12 bits of an NTSTATUS, 11 of an HRESULT."""
    if family == "W":
        return "WIN32"
    if value & 1 << 29:  # C: the facility is a customer's
        return f"customer facility {(value >> 16) & 0xFFF}"
    number = (value >> 16) & 0xFFF
    if family == "H" and ("H", number) not in FACILITIES:
        number &= 0x7FF
    return FACILITIES.get((family, number), f"facility {number}")


def _severity(value: int, family: str) -> str:
    if family == "N":
        return ["success", "info", "warning", "error"][value >> 30]
    if family == "H":
        return "error" if value >> 31 else "success"
    return "error" if value else "success"


@pytest.mark.parametrize(("value", "family", "names"), DRAWN)
def test_drawn_code(value: int, family: str, names: list[str]) -> None:
    """Name, facility and severity are those of the table and of the bits."""
    namespace = NAMESPACES[family]
    (reading,) = explain(value, namespace=namespace)

    assert reading.namespace == namespace
    assert reading.symbol == names[0]
    assert reading.facility == _facility(value, family)
    assert (reading.value, reading.hex) == (value, "0x" + f"{value:x}".upper().zfill(8))
    assert reading.signed == (value if value < 2**31 else value - 2**32)
    if reading.advice == NO_WORDS:  # ours may say otherwise: 3010 is a success
        assert reading.severity == _severity(value, family)


@pytest.mark.parametrize(
    ("value", "family", "names"), [row for row in DRAWN if row[1] == "W"]
)
def test_drawn_win32_code_in_an_hresult(
    value: int, family: str, names: list[str]
) -> None:
    """HRESULT_FROM_WIN32 keeps the name, unless a header names the whole."""
    assert family == "W"
    wrapped = 0x80070000 + value
    own = [row[2] for row in ROWS if row[:2] == (wrapped, "H")]
    (reading,) = explain(wrapped)

    assert reading.symbol == (own[0] if own else names)[0]
    assert (reading.namespace, reading.facility) == ("hresult", "WIN32")


def test_every_row_comes_back() -> None:
    """From each of the 11,343 rows: value to symbol, and symbol to value."""
    assert len(ROWS) == 11343

    for value, family, names in ROWS:
        row = (value, NAMESPACES[family])
        (reading,) = explain(value, namespace=NAMESPACES[family])
        assert (reading.value, reading.namespace, reading.symbol) == (*row, names[0])
        for name in names:
            assert row in table.named(name.lower())


def _spellings(value: int, signed: int) -> list[str]:
    written = [
        *(f"0x{value:08X}", f"0x{value:08x}", f"0X{value:08X}", f"(#0x{value:08X})"),
        *(f"{value:08X}", str(signed), str(value), f"({value})", f'"{signed}"'),
    ]
    extended = f"0xFFFFFFFF{value:08X}" if signed < 0 else f"0x00000000{value:08X}"
    return [*written, f"0x{value:X}", f"#0x{value:X}", extended]


@pytest.mark.parametrize(("value", "signed", "symbol", "namespace"), TWELVE)
def test_code_in_all_spellings(
    value: int, signed: int, symbol: str, namespace: str
) -> None:
    """Decimal, hexadecimal, signed, unsigned, sign-extended: all are one code."""
    for text in _spellings(value & 0xFFFFFFFF, signed):
        (reading,) = read(text)

        assert (reading.value, reading.symbol) == (value, symbol), text
        assert reading.namespace == namespace, text
