"""What Temporal's own command line prints of a query, opened as the codec's door would do it."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from sealing.payloads import SealedPayloads


def opened(printed: str, codec: SealedPayloads) -> dict[str, Any]:
    """The one answer in what `temporal workflow query --output json` printed."""
    [sealed] = json_format.ParseDict(json.loads(printed)["queryResult"], Payloads()).payloads
    told: dict[str, Any] = json.loads(codec.opened(sealed).data)
    return told
