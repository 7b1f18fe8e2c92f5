# SPDX-License-Identifier: Apache-2.0
"""Set-up of Kibana: dashboards, saved searches, data views, and alert rules."""

from shipper.kibana.client import Kibana
from shipper.kibana.instance import Instance, probe
from shipper.kibana.plan import plan
from shipper.kibana.removal import plan_removal
from shipper.kibana.setup import apply

__all__ = ["Instance", "Kibana", "apply", "plan", "plan_removal", "probe"]
