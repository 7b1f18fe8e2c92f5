# SPDX-License-Identifier: Apache-2.0
"""The composition root: the only package that knows every stage."""

from shipper.app.application import App, Progress
from shipper.app.assembly import Assembly
from shipper.app.oneshot import documents

__all__ = ["App", "Assembly", "Progress", "documents"]
