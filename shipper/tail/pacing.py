# SPDX-License-Identifier: Apache-2.0
"""How much is read at a time, and how long a doubt must last to become a decision."""

from __future__ import annotations

from msgspec import Struct


class Pacing(Struct, frozen=True, kw_only=True):
    """Sizes and waits of the tailer.

    Attributes:
        read_bytes: most bytes read in one visit.
        max_line_bytes: longer lines are cut (``input.max_line_bytes``).
        rotation_wait_s: seconds a rotated file must stay unchanged to be finished, and
            a generation must be missing to be given up (``input.rotation_wait``).
        share_confirm_s: the same on a network share, whose metadata may be 10 s old.
        share_stale_s: seconds for which a share may show a log as it was before; NFS
            keeps attributes for 60 s, SMB for 10 s.
        nul_wait_s: seconds after which a run of NUL bytes is taken as content.
        nul_looks: looks that must have seen it.
        sibling_wait_s: seconds after which a rotated file that is locked or denied no
            longer holds up what came after it.
        survey_s: seconds between looks at all files of the log, for one that was
            finished and grows again.
        keep_days: days a finished generation is remembered without its file.
        once: take files as they are now, to their end (``ship``).
    """

    read_bytes: int = 256 * 1024
    max_line_bytes: int = 64 * 1024
    rotation_wait_s: float = 5.0
    share_confirm_s: float = 12.0
    share_stale_s: float = 60.0
    nul_wait_s: float = 60.0
    nul_looks: int = 3
    sibling_wait_s: float = 60.0
    survey_s: float = 60.0
    keep_days: int = 30
    once: bool = False


class Wait:
    """Measures how long, and over how many looks, something stayed the same."""

    def __init__(self) -> None:
        self._what: object = None
        self._since = 0.0
        self._looks = 0

    def passed(self, what: object, now: float, seconds: float, looks: int = 2) -> bool:
        """Tell whether ``what`` has been seen for ``seconds`` and ``looks`` times."""
        if what != self._what:
            self._what, self._since, self._looks = what, now, 0
        self._looks += 1
        return now - self._since >= seconds and self._looks >= looks

    def reset(self) -> None:
        """Forget it: the doubt is gone."""
        self._what = None
