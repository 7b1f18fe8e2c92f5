# SPDX-License-Identifier: Apache-2.0
"""What survives a restart: checkpoints, the ledger behind them, dead letters."""

from shipper.store.database import Database, Sighting
from shipper.store.deadletters import DeadLetters
from shipper.store.folder import StateFolder
from shipper.store.keeper import Keeper
from shipper.store.ledger import Ledger, Settled
from shipper.store.reader import Reader, SourceStatus

__all__ = [
    "Database",
    "DeadLetters",
    "Keeper",
    "Ledger",
    "Reader",
    "Settled",
    "Sighting",
    "SourceStatus",
    "StateFolder",
]
