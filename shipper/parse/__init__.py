# SPDX-License-Identifier: Apache-2.0
"""Bytes of whole lines to records: text, trailers, envelopes, times, glued lines."""

from shipper.parse.moments import Neighbour
from shipper.parse.parser import Parsed, Parser
from shipper.parse.text import UnknownCodePageError
from shipper.parse.timed import first_time
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
