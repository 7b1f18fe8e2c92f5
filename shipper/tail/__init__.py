# SPDX-License-Identifier: Apache-2.0
"""From files to chunks of whole lines: discovery, identity, framing, watching.

Other shippers lose or double data where they trust a path, an inode or a size. Here the
content decides (``identity``), a file is never held open between reads (``opener``,
``harvester``), and file system events only wake a look (``watch``, ``schedule``).
"""

from shipper.tail.candidates import Siblings, active_path, log_name
from shipper.tail.discovery import Discovery, Pattern
from shipper.tail.framing import frame
from shipper.tail.harvester import Harvester
from shipper.tail.hosts import HostList
from shipper.tail.identity import ANCHOR_BYTES, IDENTITY_BYTES, identify
from shipper.tail.life import Life
from shipper.tail.opener import (
    Kept,
    LocalOpener,
    LogFile,
    LookError,
    Opener,
    Trouble,
    trouble_of,
)
from shipper.tail.pacing import Pacing
from shipper.tail.pool import ShareReaders
from shipper.tail.reading import Reading, Status
from shipper.tail.schedule import Schedule
from shipper.tail.watch import Watch, crowded
from shipper.tail.wildcard import Calls

__all__ = [
    "ANCHOR_BYTES",
    "IDENTITY_BYTES",
    "Calls",
    "Discovery",
    "Harvester",
    "HostList",
    "Kept",
    "Life",
    "LocalOpener",
    "LogFile",
    "LookError",
    "Opener",
    "Pacing",
    "Pattern",
    "Reading",
    "Schedule",
    "ShareReaders",
    "Siblings",
    "Status",
    "Trouble",
    "Watch",
    "active_path",
    "crowded",
    "frame",
    "identify",
    "log_name",
    "trouble_of",
]
