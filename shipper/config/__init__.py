# SPDX-License-Identifier: Apache-2.0
"""Settings: what there is, where a value came from, and what is wrong with it.

An option of the command line beats an environment variable, which beats the file, which
beats the default.
"""

from shipper.config.load import Loaded, load
from shipper.config.secret import Secret
from shipper.config.settings import (
    ElasticsearchSettings,
    InputSettings,
    KibanaSettings,
    KnowledgeSettings,
    LogSettings,
    OutputSettings,
    ServerSettings,
    Settings,
    SetupSettings,
    StateSettings,
)

__all__ = [
    "ElasticsearchSettings",
    "InputSettings",
    "KibanaSettings",
    "KnowledgeSettings",
    "Loaded",
    "LogSettings",
    "OutputSettings",
    "Secret",
    "ServerSettings",
    "Settings",
    "SetupSettings",
    "StateSettings",
    "load",
]
