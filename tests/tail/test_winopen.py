# SPDX-License-Identifier: Apache-2.0
"""The Windows API, as far as it can be asked without Windows; the rest on it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from shipper.tail import LocalOpener, winopen

Arguments = tuple[object, ...]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"C:\Logs\Clisvc.log", r"\\?\C:\Logs\Clisvc.log"),
        (r"\\pc\SMSLogs$\Clisvc.log", r"\\?\UNC\pc\SMSLogs$\Clisvc.log"),
        (r"\\?\C:\Logs\Clisvc.log", r"\\?\C:\Logs\Clisvc.log"),
        (r"\\?\UNC\pc\SMSLogs$\a.log", r"\\?\UNC\pc\SMSLogs$\a.log"),
    ],
)
def test_paths_are_given_without_a_length_limit(path: str, expected: str) -> None:
    """Local and network paths have forms of their own."""
    assert winopen.long_path(path) == expected


class CreateFile:
    """Stands in for ``CreateFileW``."""

    restype: object = None
    argtypes: object = None

    def __init__(self, handle: int | None) -> None:
        self._handle = handle
        self.calls: list[Arguments] = []

    def __call__(self, *arguments: object) -> int | None:
        """Note what was asked for."""
        self.calls.append(arguments)
        return self._handle


@pytest.fixture
def on_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[CreateFile], ModuleType]:
    """Return a function that loads the module as on Windows, over a given API."""
    if sys.platform == "win32":
        pytest.skip("the real API is there")

    def load(create: CreateFile) -> ModuleType:
        kernel = SimpleNamespace(CreateFileW=create)
        runtime = ModuleType("msvcrt")
        vars(runtime)["open_osfhandle"] = lambda handle, flags: (handle, flags)
        names = {
            "WinDLL": lambda _name, use_last_error: kernel if use_last_error else None,
            "get_last_error": lambda: 32,
            "WinError": lambda number: OSError(13, "shared with nobody", None, number),
        }
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setitem(sys.modules, "msvcrt", runtime)
        monkeypatch.setattr(os, "O_BINARY", 0x8000, raising=False)
        monkeypatch.setattr(os.path, "abspath", str)
        for name, value in names.items():
            monkeypatch.setattr(ctypes, name, value, raising=False)
        spec = importlib.util.spec_from_file_location("winopen_there", winopen.__file__)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_a_log_is_opened_to_read_and_shared_for_everything(
    on_windows: Callable[[CreateFile], ModuleType],
) -> None:
    """Its writer can go on writing, rename and delete it; bytes come unchanged."""
    create = CreateFile(handle=77)
    module = on_windows(create)

    assert module.open_shared(r"C:\Logs\Clisvc.log") == (77, os.O_RDONLY | 0x8000)
    # GENERIC_READ; FILE_SHARE_READ, _WRITE and _DELETE; OPEN_EXISTING; NORMAL.
    assert create.calls == [
        (r"\\?\C:\Logs\Clisvc.log", 0x80000000, 7, None, 3, 0x80, None)
    ]


@pytest.mark.parametrize("handle", [None, 2**64 - 1])
def test_a_refusal_is_raised(
    on_windows: Callable[[CreateFile], ModuleType], handle: int | None
) -> None:
    """An invalid handle is not taken for a file."""
    module = on_windows(CreateFile(handle))

    with pytest.raises(OSError, match="shared with nobody"):
        module.open_shared(r"C:\Logs\Clisvc.log")


@pytest.mark.windows
@pytest.mark.skipif(sys.platform != "win32", reason="needs Windows file semantics")
def test_a_log_can_be_renamed_and_deleted_while_it_is_read(tmp_path: Path) -> None:
    """On Windows that needs delete sharing, which Python's own open does not give."""
    path = tmp_path / "Clisvc.log"
    path.write_bytes(b"old\x1a\r\n")
    with LocalOpener().open(str(path)) as file:
        path.rename(tmp_path / "Clisvc.lo_")
        path.write_bytes(b"new")
        assert file.pread(0, 99) == b"old\x1a\r\n"
        (tmp_path / "Clisvc.lo_").unlink()
