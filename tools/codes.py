# SPDX-License-Identifier: Apache-2.0
r"""Rebuilds the table of codes from the sources of openly licensed packages.

    python tools/codes.py SOURCE… > shipper/knowledge/data/codes.tsv
    python tools/codes.py --facilities SOURCE… > shipper/knowledge/data/facilities.tsv

A SOURCE is a file or a folder: the unpacked Python package ``ntstatus``, the Rust crate
``windows-sys``, ``wuerror.h`` and ``bitsmsg.h`` of mingw-w64, in that order: of several
names of one code those of the first source stand in front. Nothing of them is run. Only
numbers and names are read, no comment and no sentence. The README beside the table says
where the sources are to be had.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

Row = tuple[int, str, str]
"""Number (unsigned, 32 bits), family letter (W, H or N), name."""

_SMALL = 0x1_0000
_LOW_32 = 0xFFFF_FFFF

# A line: E_PENDING: Final[ThirtyTwoBits] = cached_hresult(0x8000000A, 'E_PENDING')
# Names of wrapped codes have brackets and are left out: decoding unwraps them.
_PYTHON = re.compile(
    r"= cached_(?P<family>win32error|hresult|ntstatus)"
    r"\((?P<number>0x[0-9A-Fa-f]+), '(?P<name>\w+)'\)"
)
_FAMILIES = {"win32error": "W", "hresult": "H", "ntstatus": "N"}

# A line: #define BG_E_NOT_FOUND __MSABI_LONG(0x80200001)
_C = re.compile(
    r"^#define\s+(?P<name>\w+_[A-Z]_\w+)\s+\w+\((?P<number>0x[0-9A-Fa-f]+)\)",
    re.MULTILINE,
)

# A line: pub const WBEM_E_ACCESS_DENIED: WBEMSTATUS = -2147217405i32;
_RUST = re.compile(
    r"^pub const (?P<name>\w+): (?P<type>[\w:]+) ="
    r" (?P<number>-?\w+?)_?[iu]32(?: as _)?;",
    re.MULTILINE,
)
#: The crate has some 100,000 constants. Codes are these types of its ``Foundation``
#: and, from any other module, these names; a few flags of WMI have such a name, too.
_TYPES = {"WIN32_ERROR": "W", "NTSTATUS": "N", "windows_sys::core::HRESULT": "H"}
_NAMES = re.compile(r"WBEM_[ES]|NERR_|ERROR_(?:WSMAN|WINHTTP|INTERNET|HTTP)_")
_MARK = re.compile(r"(?:DNS|OLE)_\w+_(?:BASE|FIRST|LAST|MASK)")  # ends of ranges
#: Of the crate's two lists of facilities, without a flag and a limit among them.
_FACILITY_TYPES = {"FACILITY_CODE": "H", "NTSTATUS_FACILITY_CODE": "N"}
_FACILITY = re.compile(r"FACILITY_(?!NT_BIT|MAXIMUM_VALUE)(\w+)")


def codes(sources: Iterable[Path]) -> list[str]:
    """Return the rows of ``codes.tsv``: eight hex digits and family, tab, names.

    Args:
        sources: files and folders, those of the usual names first.
    """
    rows = _collected(sources, {".py": _python, ".rs": _rust, ".h": _c})
    return [f"{key:08X}{family}\t{names}" for key, family, names in rows]


def facilities(sources: Iterable[Path]) -> list[str]:
    """Return the rows of ``facilities.tsv``: number and family, tab, names.

    Args:
        sources: files and folders; only the Rust crate names facilities.
    """
    rows = _collected(sources, {".rs": _rust_facilities})
    return [f"{key}{family}\t{names}" for key, family, names in rows]


def _collected(
    sources: Iterable[Path], readers: dict[str, Callable[[Path], Iterator[Row]]]
) -> list[Row]:
    """Return numbers in order, each with its names joined by ``|``."""
    names: dict[tuple[int, str], list[str]] = {}
    for source in sources:
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        found = [
            row
            for file in files
            if file.suffix in readers
            for row in readers[file.suffix](file)
        ]
        for number, family, name in sorted(found, key=lambda row: row[2]):
            known = names.setdefault((number, family), [])
            if name not in known:
                known.append(name)
    return [(*key, "|".join(known)) for key, known in sorted(names.items())]


def _python(file: Path) -> Iterator[Row]:
    for found in _PYTHON.finditer(file.read_text("utf-8")):
        yield int(found["number"], 16), _FAMILIES[found["family"]], found["name"]


def _c(file: Path) -> Iterator[Row]:
    for found in _C.finditer(file.read_text("utf-8")):
        yield int(found["number"], 16), "H", found["name"]


def _rust(file: Path) -> Iterator[Row]:
    for found in _RUST.finditer(file.read_text("utf-8")):
        kind, name = found["type"], found["name"]
        typed = kind in _TYPES and file.parent.name == "Foundation"
        if not (typed or _NAMES.match(name)) or _MARK.fullmatch(name):
            continue
        number = int(found["number"], 0) & _LOW_32
        family = _TYPES.get(kind) or ("W" if number < _SMALL else "H")
        if (typed or number) and (family != "W" or number < _SMALL):
            yield number, family, name


def _rust_facilities(file: Path) -> Iterator[Row]:
    for found in _RUST.finditer(file.read_text("utf-8")):
        family = _FACILITY_TYPES.get(found["type"])
        name = _FACILITY.fullmatch(found["name"])
        if family and name:
            yield int(found["number"], 0), family, name[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description="Print codes.tsv, made from packages' sources."
    )
    parser.add_argument("--facilities", action="store_true", help="the other table")
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    given = parser.parse_args()
    rows = (facilities if given.facilities else codes)(given.sources)
    sys.stdout.buffer.write("".join(f"{row}\n" for row in rows).encode("ascii"))


if __name__ == "__main__":
    main()
