# SPDX-License-Identifier: Apache-2.0
"""Checks the bodies in ``pipelines/`` against the types of the official clients."""
