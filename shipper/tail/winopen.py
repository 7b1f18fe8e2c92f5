# SPDX-License-Identifier: Apache-2.0
"""The one place that speaks to the Windows API: ``CreateFileW`` with full sharing.

Documented at learn.microsoft.com under *CreateFileW*, *GetFileInformationByHandleEx*,
*GetFinalPathNameByHandleW*, *Reparse Point Tags* and *System Error Codes*.
"""

from __future__ import annotations

import errno
import ntpath
import os
import sys

GENERIC_READ = 0x80000000
SHARE_READ_WRITE_DELETE = 0x1 | 0x2 | 0x4
OPEN_EXISTING = 3
ATTRIBUTE_NORMAL = 0x80
OPEN_REPARSE_POINT = 0x00200000
ATTRIBUTE_REPARSE_POINT = 0x400
ATTRIBUTE_TAG_INFO = 9
NAME_SURROGATE = 0x20000000  # bit of the tags of symbolic links and junctions
FILE_NAME_OPENED = 0x8
INVALID_HANDLE = 2 ** (64 if sys.maxsize > 2**32 else 32) - 1
_LONGEST_PATH = 32_768

#: ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: its writer shares it with nobody.
#: ERROR_DELETE_PENDING: it goes when the last one closes it, and till then keeps its
#: name. Where ERROR_ACCESS_DENIED is said for this, it cannot be told from a refusal.
LOCKED = frozenset({32, 33, 303})
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


def plain_path(path: str) -> str:
    """Return ``path`` without what :func:`long_path` adds."""
    if path[:8].upper() == "\\\\?\\UNC\\":
        return "\\\\" + path[8:]
    return path.removeprefix("\\\\?\\")


def stay(final: str, home: str, root: str) -> None:
    """Raise unless a file is below a folder.

    Args:
        final: the file's path, without links.
        home: the folder's path, without links.
        root: the folder's path as the user wrote it.

    Raises:
        OSError: ``ELOOP``.
    """
    path, folder = (ntpath.normcase(plain_path(text)) for text in (final, home))
    if path != folder and not path.startswith(folder.rstrip("\\") + "\\"):
        where = plain_path(final)
        raise OSError(errno.ELOOP, f"a link on the way leads out of {root}: to {where}")


if sys.platform == "win32":
    import ctypes
    import msvcrt

    class _TagInfo(ctypes.Structure):
        _fields_ = (("attributes", ctypes.c_uint32), ("tag", ctypes.c_uint32))

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
    _kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    _kernel.GetFileInformationByHandleEx.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_uint32,
    ]
    _kernel.GetFinalPathNameByHandleW.restype = ctypes.c_uint32
    _kernel.GetFinalPathNameByHandleW.argtypes = [
        ctypes.c_void_p,
        ctypes.c_wchar_p,
        ctypes.c_uint32,
        ctypes.c_uint32,
    ]

    def open_shared(path: str, root: str) -> int:
        """Open ``path`` for reading and return a binary file descriptor.

        Args:
            path: the file.
            root: it must lie below this folder, whatever links are on the way; empty:
                anywhere.

        Raises:
            OSError: with ``winerror`` as Windows gives it; ``ELOOP`` if it is a link or
                lies elsewhere.
        """
        handle = _create(path, OPEN_REPARSE_POINT)
        try:
            tag = _reparse_tag(handle)
            _refuse_link(tag)
            if tag:  # deduplicated or kept elsewhere: its file system has to fetch it
                there = _create(path, 0)
                _kernel.CloseHandle(handle)
                handle = there
            if root:
                stay(_final_path(handle), os.path.realpath(root), root)
            # Without O_BINARY the C runtime ends the file at 0x1A and rewrites CRLF.
            return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)
        except OSError:
            _kernel.CloseHandle(handle)
            raise

    def _create(path: str, flags: int) -> int:
        handle: int | None = _kernel.CreateFileW(
            long_path(os.path.abspath(path)),  # noqa: PTH100 - must not resolve links
            GENERIC_READ,
            SHARE_READ_WRITE_DELETE,
            None,
            OPEN_EXISTING,
            ATTRIBUTE_NORMAL | flags,
            None,
        )
        if handle is None or handle == INVALID_HANDLE:
            raise ctypes.WinError(ctypes.get_last_error())
        return handle

    def _reparse_tag(handle: int) -> int:
        """Return 0 for a plain file; old servers, which know no links, cannot say."""
        info = _TagInfo()
        known = _kernel.GetFileInformationByHandleEx(
            handle, ATTRIBUTE_TAG_INFO, ctypes.byref(info), ctypes.sizeof(info)
        )
        return info.tag if known and info.attributes & ATTRIBUTE_REPARSE_POINT else 0

    def _refuse_link(tag: int) -> None:
        if tag & NAME_SURROGATE:
            raise OSError(errno.ELOOP, "a symbolic link, which is not followed")

    def _final_path(handle: int) -> str:
        text = ctypes.create_unicode_buffer(_LONGEST_PATH)
        # A server may not let the folders on the way be read to make the name normal.
        for form in (0, FILE_NAME_OPENED):
            if _kernel.GetFinalPathNameByHandleW(handle, text, _LONGEST_PATH, form):
                return text.value
        raise ctypes.WinError(ctypes.get_last_error())
