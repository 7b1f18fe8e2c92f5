# SPDX-License-Identifier: Apache-2.0
"""What survives a restart: checkpoints and their ledger, dead letters, the spool."""

from shipper.store.database import Database, Sighting
from shipper.store.deadletters import DeadLetters
from shipper.store.folder import StateFolder
from shipper.store.keeper import Keeper
from shipper.store.ledger import Ledger, Settled
from shipper.store.letter import Damaged, Key, Letter, Refusal
from shipper.store.reader import Account, Reader, SourceStatus
from shipper.store.spool import Spool, spooled_in

__all__ = [
    "Account",
    "Damaged",
    "Database",
    "DeadLetters",
    "Keeper",
    "Key",
    "Ledger",
    "Letter",
    "Reader",
    "Refusal",
    "Settled",
    "Sighting",
    "SourceStatus",
    "Spool",
    "StateFolder",
    "spooled_in",
]
