# SPDX-License-Identifier: Apache-2.0
"""A value that is never printed."""

from __future__ import annotations


class Secret:
    """Wraps a password or key so that no message, dump or traceback shows it.

    Args:
        value: the secret text; empty means that there is none.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret text."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<hidden>" if self._value else "<none>"
