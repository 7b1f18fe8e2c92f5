# SPDX-License-Identifier: Apache-2.0
"""Set-up of Elasticsearch: what is installed, where, and whether it may be."""

from shipper.stack.assets import OWNER, Asset, Kind, assets, folder
from shipper.stack.comparison import differences
from shipper.stack.grouping import groups
from shipper.stack.keys import Key, create_key
from shipper.stack.objects import Inventory
from shipper.stack.plan import plan
from shipper.stack.removal import plan_removal
from shipper.stack.server import Server, probe
from shipper.stack.setup import (
    Ensured,
    apply,
    carried_out,
    ensure,
    first_error,
    refused,
)
from shipper.stack.step import Action, Step

__all__ = [
    "OWNER",
    "Action",
    "Asset",
    "Ensured",
    "Inventory",
    "Key",
    "Kind",
    "Server",
    "Step",
    "apply",
    "assets",
    "carried_out",
    "create_key",
    "differences",
    "ensure",
    "first_error",
    "folder",
    "groups",
    "plan",
    "plan_removal",
    "probe",
    "refused",
]
