# SPDX-License-Identifier: Apache-2.0
"""A small SMS fleet that writes its logs, and says beforehand what is in them."""

from shipper.demo.fleet.bulk import write_big
from shipper.demo.fleet.fleet import Fleet
from shipper.demo.fleet.log import Entry, Log
from shipper.demo.fleet.roster import Host, Trouble
from shipper.demo.fleet.stamp import DEFAULT_TIMEZONE
from shipper.demo.fleet.truth import AgentTruth, Ending, Truth
from shipper.demo.fleet.writer import (
    LOG_NAME,
    OLDER_NAME,
    Action,
    Step,
    Writer,
)

__all__ = [
    "DEFAULT_TIMEZONE",
    "LOG_NAME",
    "OLDER_NAME",
    "Action",
    "AgentTruth",
    "Ending",
    "Entry",
    "Fleet",
    "Host",
    "Log",
    "Step",
    "Trouble",
    "Truth",
    "Writer",
    "write_big",
]
