# SPDX-License-Identifier: Apache-2.0
"""Set-up of Elasticsearch: what is installed, where, and whether it may be."""

from shipper.stack.assets import OWNER, Asset, Kind, assets
from shipper.stack.server import Server, probe
from shipper.stack.setup import Ensured, Step, apply, ensure, plan

__all__ = [
    "OWNER",
    "Asset",
    "Ensured",
    "Kind",
    "Server",
    "Step",
    "apply",
    "assets",
    "ensure",
    "plan",
    "probe",
]
