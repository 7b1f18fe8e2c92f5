# SPDX-License-Identifier: Apache-2.0
"""The Windows API, as far as it can be asked without Windows."""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from shipper.tail import winopen

Arguments = tuple[object, ...]

LOG = r"C:\Logs\pc1\Clisvc.log"
NO_DESCRIPTOR = 99


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


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"\\?\C:\Logs", r"C:\Logs"),
        (r"\\?\UNC\pc\SMSLogs$", r"\\pc\SMSLogs$"),
        (r"C:\Logs", r"C:\Logs"),
    ],
)
def test_paths_are_shown_as_people_write_them(path: str, expected: str) -> None:
    """Windows gives final paths in the long form."""
    assert winopen.plain_path(path) == expected


@pytest.mark.parametrize(
    ("final", "home"),
    [
        (r"\\?\C:\Logs\pc1\Clisvc.log", r"C:\Logs"),
        (r"\\?\c:\LOGS\pc1\Clisvc.log", r"C:\Logs"),
        (r"\\?\C:\Clisvc.log", "C:\\"),
        (r"\\?\UNC\PC1\SMSLogs$\Clisvc.log", r"\\pc1\SMSLogs$"),
    ],
)
def test_what_is_below_the_root_may_be_opened(final: str, home: str) -> None:
    """Case and form do not matter."""
    winopen.stay(final, home, home)


@pytest.mark.parametrize(
    ("final", "home"),
    [
        (r"\\?\C:\Windows\Clisvc.log", r"C:\Logs"),
        (r"\\?\C:\Logs-old\Clisvc.log", r"C:\Logs"),
        (r"\\?\UNC\evil\Logs\Clisvc.log", r"\\pc1\Logs"),
    ],
)
def test_what_a_junction_leads_to_elsewhere_is_refused(final: str, home: str) -> None:
    """The message names where it is and where it should be."""
    with pytest.raises(OSError, match="leads out") as found:
        winopen.stay(final, home, home)

    assert found.value.errno == errno.ELOOP
    assert home in str(found.value.strerror)
    assert winopen.plain_path(final) in str(found.value.strerror)


class Function:
    """Stands in for a function of the API: answers, and notes its calls."""

    restype: object = None
    argtypes: object = None

    def __init__(self, answer: Callable[..., int | None]) -> None:
        self._answer = answer
        self.calls: list[Arguments] = []

    def __call__(self, *arguments: object) -> int | None:
        """Note what was asked for."""
        self.calls.append(arguments)
        return self._answer(*arguments)


class Kernel:
    """Stands in for kernel32.

    Args:
        handles: what ``CreateFileW`` returns, one after the other.
        tag: reparse tag of the file; 0 for none.
        final: its path without links; empty if Windows cannot tell.
    """

    def __init__(
        self,
        *handles: int | None,
        tag: int = 0,
        final: str = r"\\?\C:\Logs\pc1\Clisvc.log",
    ) -> None:
        answers = iter(handles)
        self._tag = tag
        self._final = final
        self.CreateFileW = Function(lambda *_: next(answers))
        self.CloseHandle = Function(lambda _handle: 1)
        self.GetFileInformationByHandleEx = Function(self._info)
        self.GetFinalPathNameByHandleW = Function(self._path)

    @property
    def closed(self) -> list[object]:
        """Return the handles closed."""
        return [handle for (handle,) in self.CloseHandle.calls]

    def _info(self, _handle: int, _kind: int, info: Any, _size: int) -> int:  # noqa: ANN401 - a pointer of ctypes
        info._obj.attributes = 0x420 if self._tag else 0x20
        info._obj.tag = self._tag
        return 1

    def _path(self, _handle: int, text: Any, _size: int, _form: int) -> int:  # noqa: ANN401 - a buffer of ctypes
        text.value = self._final
        return len(self._final)


Load = Callable[[Kernel], ModuleType]


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Return a function that loads the module as on Windows, over a given API."""
    if sys.platform == "win32":
        pytest.skip("the real API is there")

    def descriptor(handle: int, flags: int) -> tuple[int, int]:
        if handle == NO_DESCRIPTOR:
            raise OSError(errno.EMFILE, "too many open files")
        return handle, flags

    def load(kernel: Kernel) -> ModuleType:
        runtime = ModuleType("msvcrt")
        vars(runtime)["open_osfhandle"] = descriptor
        names = {
            "WinDLL": lambda _name, use_last_error: kernel if use_last_error else None,
            "get_last_error": lambda: 32,
            "WinError": lambda number: OSError(13, "shared with nobody", None, number),
        }
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setitem(sys.modules, "msvcrt", runtime)
        monkeypatch.setattr(os, "O_BINARY", 0x8000, raising=False)
        monkeypatch.setattr(os.path, "abspath", str)
        monkeypatch.setattr(os.path, "realpath", str)
        for name, value in names.items():
            monkeypatch.setattr(ctypes, name, value, raising=False)
        spec = importlib.util.spec_from_file_location("winopen_there", winopen.__file__)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def test_a_log_is_opened_to_read_and_shared_for_everything(on_windows: Load) -> None:
    """Its writer can go on writing, rename and delete it; bytes come unchanged.

    opentelemetry#7593, #32037, PR#45163: without delete sharing it cannot be rotated.
    """
    kernel = Kernel(77)
    module = on_windows(kernel)

    assert module.open_shared(LOG, r"C:\Logs") == (77, os.O_RDONLY | 0x8000)
    # GENERIC_READ; FILE_SHARE_READ, _WRITE and _DELETE; OPEN_EXISTING;
    # FILE_ATTRIBUTE_NORMAL and FILE_FLAG_OPEN_REPARSE_POINT.
    assert kernel.CreateFileW.calls == [
        (r"\\?\C:\Logs\pc1\Clisvc.log", 0x80000000, 7, None, 3, 0x200080, None)
    ]
    assert kernel.closed == []


@pytest.mark.parametrize("handle", [None, 2**64 - 1])
def test_a_refusal_is_raised(on_windows: Load, handle: int | None) -> None:
    """An invalid handle is not taken for a file, and there is nothing to close."""
    kernel = Kernel(handle)
    module = on_windows(kernel)

    with pytest.raises(OSError, match="shared with nobody"):
        module.open_shared(LOG, "")
    assert kernel.closed == []


def test_no_handle_is_left_when_there_is_no_descriptor(on_windows: Load) -> None:
    """A handle left open could keep a deleted log's name taken for ever."""
    kernel = Kernel(NO_DESCRIPTOR)
    module = on_windows(kernel)

    with pytest.raises(OSError, match="too many open files"):
        module.open_shared(LOG, "")
    assert kernel.closed == [NO_DESCRIPTOR]


@pytest.mark.parametrize("tag", [0xA000000C, 0xA0000003])
def test_links_and_junctions_are_refused(on_windows: Load, tag: int) -> None:
    """IO_REPARSE_TAG_SYMLINK and _MOUNT_POINT stand for another name."""
    kernel = Kernel(77, tag=tag)
    module = on_windows(kernel)

    with pytest.raises(OSError, match="symbolic link") as found:
        module.open_shared(LOG, "")
    assert found.value.errno == errno.ELOOP
    assert kernel.closed == [77]


def test_deduplicated_files_are_opened_by_their_file_system(on_windows: Load) -> None:
    """IO_REPARSE_TAG_DEDUP is no link; opened as it is it would have no content."""
    kernel = Kernel(77, 78, tag=0x80000013)
    module = on_windows(kernel)

    assert module.open_shared(LOG, "") == (78, os.O_RDONLY | 0x8000)
    assert [call[5] for call in kernel.CreateFileW.calls] == [0x200080, 0x80]
    assert kernel.closed == [77]


def test_a_log_behind_a_junction_out_of_the_root_is_refused(on_windows: Load) -> None:
    """The handle tells where the file is, whatever its name says."""
    kernel = Kernel(77, final=r"\\?\C:\Windows\Clisvc.log")
    module = on_windows(kernel)

    with pytest.raises(OSError, match="leads out") as found:
        module.open_shared(LOG, r"C:\Logs")
    assert str(found.value.strerror).endswith(r"of C:\Logs: to C:\Windows\Clisvc.log")
    assert kernel.closed == [77]


def test_a_file_whose_place_cannot_be_told_is_not_read(on_windows: Load) -> None:
    """Both forms of the question are tried."""
    kernel = Kernel(77, final="")
    module = on_windows(kernel)

    with pytest.raises(OSError, match="shared with nobody"):
        module.open_shared(LOG, r"C:\Logs")
    assert [call[3] for call in kernel.GetFinalPathNameByHandleW.calls] == [0, 8]
    assert kernel.closed == [77]
