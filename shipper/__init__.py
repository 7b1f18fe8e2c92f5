# SPDX-License-Identifier: Apache-2.0
"""Clisvc Shipper: ships the SMS client service log and says what it means.

A package is a stage of the pipeline; the bytes flow one way::

    tail → parse → enrich → deliver → Elasticsearch
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
