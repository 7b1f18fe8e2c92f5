# SPDX-License-Identifier: Apache-2.0
"""The ``clisvc`` command: thin; results go to standard output, all else to error."""
