# SPDX-License-Identifier: Apache-2.0
"""``python -m shipper`` is the ``clisvc`` command."""

from shipper.cli.main import main

if __name__ == "__main__":
    main()
