"""The payloads of a history as JSON: opened, so that a recorded one can be read; sealed, as the server keeps them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from temporalio.api.common.v1 import Payload

from sealing.keys import Keys
from sealing.payloads import SealedPayloads, is_sealed

NOT_SEALED = {"data", "searchAttributes", "header"}
"""What is never sealed: what a marker is about, which the SDK's core reads, what the server finds by, and headers."""

CODEC = SealedPayloads(Keys({"recorded": bytes(range(32))}))
"""For histories that are sealed to see whether they replay; it protects nothing."""


def opened(part: Any, codec: SealedPayloads) -> Any:
    """The same, with every payload that the codec has sealed opened."""
    return _each(part, lambda payload: codec.opened(payload) if is_sealed(payload) else payload)


def sealed(part: Any, codec: SealedPayloads = CODEC) -> Any:
    """The same, with every payload sealed."""
    return _each(part, codec.sealed)


def text(payload: dict[str, Any]) -> str:
    """What a payload says."""
    return base64.b64decode(payload.get("data", "")).decode(errors="replace")


def is_payload(part: dict[str, Any]) -> bool:
    """Whether an object of the JSON is one."""
    return isinstance(part.get("metadata"), dict) and "encoding" in part["metadata"]


def _each(part: Any, change: Callable[[Payload], Payload]) -> Any:
    match part:
        case dict() if is_payload(part):
            return json_format.MessageToDict(change(json_format.ParseDict(part, Payload())))
        case dict():
            return {
                name: value if name in NOT_SEALED else _each(value, change) for name, value in part.items()
            }
        case list():
            return [_each(value, change) for value in part]
        case _:
            return part
