# SPDX-License-Identifier: Apache-2.0
"""File system events as hints: they make a look happen sooner, and decide nothing."""

from __future__ import annotations

import os
from collections.abc import Callable

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

_log = structlog.get_logger(__name__)

#: Reading a log causes these itself.
_OWN_DOING = frozenset({"opened", "closed_no_write"})
_STOP_S = 2.0  # nobody waits for a folder that hangs


def crowded(root: str, most: int) -> bool:
    """Tell whether there are more than ``most`` folders below ``root``."""
    folders = (1 for _, names, _ in os.walk(root) for _ in names)
    return any(number >= most for number, _ in enumerate(folders))


class _Handler(FileSystemEventHandler):
    def __init__(self, hint: Callable[[str], None]) -> None:
        self._hint = hint

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _OWN_DOING or event.is_directory:
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self._hint(os.fsdecode(path))


class Watch:
    """Watches folders recursively, one watch a root.

    Args:
        roots: folders; those that do not exist or cannot be watched are left to the
            sweep, with a message.
        hint: called with the path of a file that something happened to, from a thread
            of its own.
    """

    def __init__(self, roots: set[str], hint: Callable[[str], None]) -> None:
        self._observer: BaseObserver | None = None
        self._roots = sorted(root or "." for root in roots)
        self._handler = _Handler(hint)

    def start(self) -> None:
        """Begin to watch. Trouble here costs promptness, never data."""
        try:
            observer = Observer()
            observer.daemon = True
            observer.start()
        except OSError as error:
            _log.warning(
                "file system events are not to be had; logs are swept instead",
                reason=str(error),
            )
            return
        self._observer = observer
        for root in self._roots:
            try:
                # One at a time, once it runs: a bad folder costs only its own events.
                observer.schedule(self._handler, root, recursive=True)
            except OSError as error:
                _log.info("folder is swept, not watched", root=root, reason=str(error))

    def stop(self) -> None:
        """Stop watching, and give the threads a moment to end."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(_STOP_S)
