# SPDX-License-Identifier: Apache-2.0
"""How the client reads and writes: ready-made bytes go out as they are."""

from __future__ import annotations

from typing import Any

import msgspec
from elasticsearch.serializer import (
    CompatibilityModeJsonSerializer,
    CompatibilityModeNdjsonSerializer,
)


class _Json(CompatibilityModeJsonSerializer):
    """Reads replies several times as fast as the standard library."""

    def json_loads(self, data: bytes | str) -> Any:  # noqa: ANN401 - JSON is anything
        return msgspec.json.decode(data)


class _Ndjson(CompatibilityModeNdjsonSerializer):
    """Takes a bulk request that is bytes already without copying it line by line."""

    def dumps(self, data: Any) -> bytes:  # noqa: ANN401 - the base class's signature
        if isinstance(data, bytes):
            return data
        return super().dumps(data)


#: By media type, beside the client's own.
SERIALIZERS = {kind.mimetype: kind() for kind in (_Json, _Ndjson)}
