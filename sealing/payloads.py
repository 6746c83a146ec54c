"""What crosses into Temporal is sealed before it leaves us, and opened when it comes back: the payload codec.

Inputs, results, signals, updates, queries, failures, memos, summaries and details are payloads; ids, types, search
attributes and the names of activities are not, so nothing personal may stand there (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from sealing.keys import LEAST_SEALED_BYTES, Keys, SealBroken

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
ABOUT = b"temporal payload 1\x00"
"""Bound to every seal together with the key's id: a license key's bytes are no payload, nor the other way round."""


@dataclass(frozen=True)
class SealedPayloads(PayloadCodec):
    """Seals every payload with the current key, its own metadata too; opens what any listed key has sealed.

    What was never sealed passes as it is: a signal typed by hand, a history from before. A payload of ours that does
    not open raises: the workflow's task then waits for the right key. Leaving it out instead would be to forget a
    request, and to remember it differently when the key is back.
    """

    keys: Keys

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Seal all of them."""
        return [self.sealed(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Open those that are ours. Raises `UnknownKeyId`, `SealBroken`."""
        return [self.opened(payload) if is_sealed(payload) else payload for payload in payloads]

    def sealed(self, payload: Payload) -> Payload:
        """The payload, sealed."""
        key_id = self.keys.current.encode()
        return Payload(
            metadata={"encoding": ENCODING, KEY_ID: key_id},
            data=self.keys.seal(payload.SerializeToString(), ABOUT + key_id),
        )

    def opened(self, payload: Payload) -> Payload:
        """The payload inside. Raises `UnknownKeyId`, `SealBroken`."""
        key_id = payload.metadata[KEY_ID]
        plain = self.keys.open(key_id.decode(errors="replace"), payload.data, ABOUT + key_id)
        try:
            return Payload.FromString(plain)
        except DecodeError as other:
            raise SealBroken("no payload inside") from other


def is_sealed(payload: Payload) -> bool:
    """Whether a payload has the shape of ours; what only claims to is left to the converter, which refuses it."""
    return (
        payload.metadata.get("encoding") == ENCODING
        and bool(payload.metadata.get(KEY_ID))
        and len(payload.data) >= LEAST_SEALED_BYTES
    )
