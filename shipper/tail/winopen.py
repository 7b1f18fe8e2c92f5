# SPDX-License-Identifier: Apache-2.0
"""The one place that speaks to the Windows API: ``CreateFileW`` with full sharing.

Documented at learn.microsoft.com under *CreateFileW* and *System Error Codes*.
"""

from __future__ import annotations

import os
import sys

GENERIC_READ = 0x80000000
SHARE_READ_WRITE_DELETE = 0x1 | 0x2 | 0x4
OPEN_EXISTING = 3
ATTRIBUTE_NORMAL = 0x80
INVALID_HANDLE = 2 ** (64 if sys.maxsize > 2**32 else 32) - 1

#: ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: its writer shares it with nobody.
LOCKED = frozenset({32, 33})
#: Network path, name, device or session gone; semaphore time-out; credential conflict.
UNREACHABLE = frozenset({51, 53, 54, 59, 64, 65, 67, 121, 1203, 1219, 1231, 1232, 1236})


def long_path(path: str) -> str:
    r"""Return ``path`` in the form without the 260 character limit.

    ``C:\logs`` becomes ``\\?\C:\logs``, ``\\server\share`` becomes
    ``\\?\UNC\server\share``. A path that has the form already stays as it is.
    """
    if path.startswith("\\\\?\\"):
        return path
    if path.startswith("\\\\"):
        return "\\\\?\\UNC\\" + path[2:]
    return "\\\\?\\" + path


if sys.platform == "win32":
    import ctypes
    import msvcrt

    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel.CreateFileW.restype = ctypes.c_void_p
    _kernel.CreateFileW.argtypes = [
        ctypes.c_wchar_p,
        ctypes.c_uint32,
        ctypes.c_uint32,
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_uint32,
        ctypes.c_void_p,
    ]

    def open_shared(path: str) -> int:
        """Open ``path`` for reading and return a binary file descriptor.

        Raises:
            OSError: with ``winerror`` as Windows gives it.
        """
        handle = _kernel.CreateFileW(
            long_path(os.path.abspath(path)),  # noqa: PTH100 - must not resolve links
            GENERIC_READ,
            SHARE_READ_WRITE_DELETE,
            None,
            OPEN_EXISTING,
            ATTRIBUTE_NORMAL,
            None,
        )
        if handle is None or handle == INVALID_HANDLE:
            raise ctypes.WinError(ctypes.get_last_error())
        # Without O_BINARY the C runtime ends the file at 0x1A and rewrites CRLF.
        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)
