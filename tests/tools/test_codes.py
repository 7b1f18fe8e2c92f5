# SPDX-License-Identifier: Apache-2.0
"""Rebuilding the tables: what is read from each kind of source, and what is left."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_PYTHON = """
class HResult:
    E_PENDING: Final[Bits] = cached_hresult(0x8000000A, 'E_PENDING')
    W: Final[Bits] = cached_hresult(0x80070005, 'HRESULT_FROM_WIN32(ERROR_X)')
    ERROR_Z: Final[Bits] = cached_win32error(0x0005, 'ERROR_Z') # WinError 5
    STATUS_A: Final[Bits] = cached_ntstatus(0xC0000061, 'STATUS_A')
"""
_FOUNDATION = """
pub const ERROR_A: WIN32_ERROR = 5u32;
pub const ERROR_HIGH: WIN32_ERROR = 2151022593u32;
pub const E_FAIL: windows_sys::core::HRESULT = 0x80004005_u32 as _;
pub const S_FALSE: windows_sys::core::HRESULT = 0x1_u32 as _;
pub const STATUS_B: NTSTATUS = 0xC0000061_u32 as _;
pub const DNS_ERROR_ZONE_BASE: WIN32_ERROR = 9600u32;
pub const MAX_PATH: u32 = 260u32;
"""
_WMI = """
pub const WBEM_E_ACCESS_DENIED: WBEMSTATUS = -2147217405i32;
pub const WBEM_S_NO_ERROR: WBEMSTATUS = 0i32;
pub const NERR_NetNotStarted: u32 = 2102u32;
pub const ERROR_OTHER: WIN32_ERROR = 7u32;
pub const E_OTHER: windows_sys::core::HRESULT = 0x80001234_u32 as _;
"""
_DIAGNOSTICS = """
pub const FACILITY_NULL: FACILITY_CODE = 0u32;
pub const FACILITY_SSPI: FACILITY_CODE = 9u32;
pub const FACILITY_SECURITY: FACILITY_CODE = 9u32;
pub const FACILITY_NT_BIT: FACILITY_CODE = 268435456u32;
pub const FACILITY_DEBUGGER: NTSTATUS_FACILITY_CODE = 1u32;
pub const FACILITY_MAXIMUM_VALUE: NTSTATUS_FACILITY_CODE = 237u32;
pub const FACILITY_OTHER: u32 = 5u32;
"""
_HEADER = """
#define _WUERROR_
/* #define WU_E_COMMENT is a sentence */
#define WU_E_NO_SERVICE _HRESULT_TYPEDEF_(0x80240001)
#define BG_S_PARTIAL __MSABI_LONG(0x00200017)
"""


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Small sources of each kind: two folders and a file."""
    package, crate = tmp_path / "package", tmp_path / "crate"
    header = tmp_path / "wuerror.h"
    texts = {
        package / "_codes.py": _PYTHON,
        package / "LICENSE": "cached_hresult(0x80000001, 'E_LICENSE')",
        crate / "Win32" / "Foundation" / "mod.rs": _FOUNDATION,
        crate / "Win32" / "System" / "Wmi" / "mod.rs": _WMI,
        crate / "Win32" / "System" / "Debug" / "mod.rs": _DIAGNOSTICS,
        header: _HEADER,
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [package, crate, header]


def _run(*words: object) -> list[str]:
    command = [sys.executable, str(ROOT / "tools" / "codes.py"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    assert b"\r" not in done.stdout
    return done.stdout.decode("ascii").splitlines()


def test_codes(sources: list[Path]) -> None:
    """Sorted rows of every family; wrapped codes, range marks and flags stay out."""
    assert _run(*sources) == [
        "00000001H\tS_FALSE",
        "00000005W\tERROR_Z|ERROR_A",
        "00000836W\tNERR_NetNotStarted",
        "00200017H\tBG_S_PARTIAL",
        "8000000AH\tE_PENDING",
        "80004005H\tE_FAIL",
        "80041003H\tWBEM_E_ACCESS_DENIED",
        "80240001H\tWU_E_NO_SERVICE",
        "C0000061N\tSTATUS_A|STATUS_B",
    ]


def test_first_source_names_first(sources: list[Path]) -> None:
    """The order of the arguments decides which of several names is the usual one."""
    rows = _run(*reversed(sources))

    assert "00000005W\tERROR_A|ERROR_Z" in rows
    assert "C0000061N\tSTATUS_B|STATUS_A" in rows


def test_facilities(sources: list[Path]) -> None:
    """Both lists, all names of a number, without the flag and the limit in them."""
    assert _run("--facilities", *sources) == [
        "0H\tNULL",
        "1N\tDEBUGGER",
        "9H\tSECURITY|SSPI",
    ]
