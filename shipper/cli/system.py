# SPDX-License-Identifier: Apache-2.0
"""What the Windows at hand says about a code, as an extra beside our own words.

The text is in the user's language and is that of this machine, not of the one that
wrote the log, so whoever shows it says so. Tested with a fake, not tried on Windows.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_NOTHING = "<no description>"


def windows_text(signed: int, speak: Callable[[int], str] | None = None) -> str:
    """Return the system's own text for a Win32 error or an HRESULT.

    Args:
        signed: the code as a signed 32-bit number, because the system's function takes
            a C ``int``.
        speak: the system's function; by default ``ctypes.FormatError``, which only
            Windows has.

    Returns:
        One line, or empty: elsewhere, for 0 (which would mean the last error of this
        process), and for codes without a text.
    """
    speak = speak or getattr(ctypes, "FormatError", None)
    if speak is None or signed == 0:
        return ""
    text = " ".join(speak(signed).split())
    return "" if text == _NOTHING else text
