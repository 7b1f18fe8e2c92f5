# SPDX-License-Identifier: Apache-2.0
"""Set-up of Elasticsearch: what is installed, where, and whether it may be."""

from shipper.stack.assets import OWNER, Asset, Kind, assets
from shipper.stack.grouping import groups
from shipper.stack.keys import Key, create_key
from shipper.stack.plan import Action, Step, plan
from shipper.stack.removal import plan_removal
from shipper.stack.server import Server, probe
from shipper.stack.setup import Ensured, apply, ensure, first_error

__all__ = [
    "OWNER",
    "Action",
    "Asset",
    "Ensured",
    "Key",
    "Kind",
    "Server",
    "Step",
    "apply",
    "assets",
    "create_key",
    "ensure",
    "first_error",
    "groups",
    "plan",
    "plan_removal",
    "probe",
]
