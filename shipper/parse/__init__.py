# SPDX-License-Identifier: Apache-2.0
"""Bytes of whole lines to records: text, trailers, times and glued lines."""

from shipper.parse.grammar import first_time
from shipper.parse.parser import Neighbour, Parsed, Parser
from shipper.parse.text import UnknownCodePageError
from shipper.parse.zones import UnknownZoneError, Zones

__all__ = [
    "Neighbour",
    "Parsed",
    "Parser",
    "UnknownCodePageError",
    "UnknownZoneError",
    "Zones",
    "first_time",
]
