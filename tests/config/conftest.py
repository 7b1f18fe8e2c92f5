# SPDX-License-Identifier: Apache-2.0
"""A keyring of the tests' own: nobody's real one is touched."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend


class MemoryKeyring(KeyringBackend):
    """Keeps entries by service and name."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of the library
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry, if there is one."""
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep an entry."""
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget an entry."""
        del self.entries[service, username]


@pytest.fixture
def memory_keyring() -> Iterator[MemoryKeyring]:
    """Give a keyring whose service ``1`` holds an API key."""
    made, before = MemoryKeyring(), keyring.get_keyring()
    made.set_password("1", "api_key", "of the keyring")
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)
