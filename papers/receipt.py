"""The receipt of a cancellation: when it was received, what the cut-off was, by how much it was early or late. Signed.

Ed25519: whoever has the public key can verify a receipt, and cannot make one. With a shared secret (HMAC) a customer
would have to ask us whether our own receipt is true.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.local_time import end_of
from domain.messages import Decision

FORMAT: Final = "evergreen-receipt-1"
SEED_BYTES: Final = 32


class ReceiptKeyInvalid(ValueError):
    """The configured keys are no receipt keys; says which part, never the part itself."""


class ReceiptInvalid(Exception):
    """It is no receipt of ours, or it was changed; the text says what is wrong."""


@dataclass(frozen=True, repr=False)
class ReceiptKeys:
    """Signing keys by id, the first of which signs; all of them verify."""

    keys: Mapping[str, Ed25519PrivateKey]

    def __repr__(self) -> str:
        return f"<ReceiptKeys of {len(self.keys)}>"

    @classmethod
    def parse(cls, text: str) -> ReceiptKeys:
        """Read `id:base64[,id:base64…]`, seeds of 32 bytes. Raises ReceiptKeyInvalid."""
        keys: dict[str, Ed25519PrivateKey] = {}
        for position, part in enumerate(text.split(","), start=1):
            key_id, colon, encoded = part.strip().partition(":")
            if not colon or not key_id or key_id in keys:
                raise ReceiptKeyInvalid(
                    f"receipt key {position} is not written id:base64, with an id of its own"
                )
            keys[key_id] = Ed25519PrivateKey.from_private_bytes(_seed(encoded, position))
        return cls(keys)

    def public(self) -> dict[str, str]:
        """The public keys by id, base64: to be given to whoever verifies."""
        return {
            key_id: base64.b64encode(key.public_key().public_bytes_raw()).decode()
            for key_id, key in self.keys.items()
        }

    def sign(self, receipt: Mapping[str, Any]) -> dict[str, Any]:
        """The receipt with its signature, as it is given out."""
        key_id, key = next(iter(self.keys.items()))
        signature = base64.b64encode(key.sign(_canonical(receipt, key_id))).decode()
        return {"receipt": dict(receipt), "key_id": key_id, "signature": signature}


def receipt(
    decision: Decision, subscription_id: str, license: str, zone: str, business: str
) -> dict[str, Any]:
    """What a receipt says of one decision (R2, R3, R7, R8). `license` is masked (R28)."""
    cut_off_at = end_of(decision.cancel_by, zone)
    margin = cut_off_at - decision.received_at
    return {
        "format": FORMAT,
        "business": business,
        "subscription": subscription_id,
        "license": license,
        "received_at": decision.received_at.isoformat(),
        "cut_off_at": cut_off_at.isoformat(),
        "cancel_by": decision.cancel_by.isoformat(),
        "zone": zone,
        "in_time": margin > timedelta(0),
        "by_seconds": abs(margin) // timedelta(seconds=1),
        "outcome": decision.outcome.value,
        "effective_on": decision.effective_on.isoformat(),
        "asked_by": decision.by,
        "request_id": decision.request_id,
        "sentence": decision.sentence,
    }


def verified(given: str, public_keys: Mapping[str, str]) -> dict[str, Any]:
    """The receipt in a signed document, if one of these keys (id → base64) signed it. Raises ReceiptInvalid."""
    try:
        signed = json.loads(given)
        said, key_id = dict(signed["receipt"]), str(signed["key_id"])
        signature = base64.b64decode(signed["signature"], validate=True)
    except (ValueError, KeyError, TypeError):
        raise ReceiptInvalid("this is no signed receipt: it needs receipt, key_id and signature") from None
    if key_id not in public_keys:
        raise ReceiptInvalid(f"it was signed with the key {key_id!r}, which is not known here")
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_keys[key_id], validate=True))
        public.verify(signature, _canonical(said, key_id))
    except InvalidSignature:
        raise ReceiptInvalid("the signature does not fit: the receipt was changed, or is not ours") from None
    except ValueError:
        raise ReceiptInvalid(f"the public key {key_id!r} is not 32 bytes in base64") from None
    if said.get("format") != FORMAT:
        raise ReceiptInvalid(f"its format is {said.get('format')!r}, not {FORMAT!r}")
    return said


def by_how_much(said: Mapping[str, Any]) -> str:
    """`in time by 3 days, 4:05:06`, or `late by …`."""
    margin = timedelta(seconds=said["by_seconds"])
    return f"{'in time' if said['in_time'] else 'late'} by {margin}"


def received(said: Mapping[str, Any]) -> datetime:
    """When the request was received (R3)."""
    return datetime.fromisoformat(said["received_at"])


def _canonical(said: Mapping[str, Any], key_id: str) -> bytes:
    """What is signed: the same bytes however the document is laid out."""
    return json.dumps(
        {"key_id": key_id, "receipt": said}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def _seed(encoded: str, position: int) -> bytes:
    try:
        seed = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ReceiptKeyInvalid(f"receipt key {position} is not base64") from None
    if len(seed) != SEED_BYTES:
        raise ReceiptKeyInvalid(f"receipt key {position} has {len(seed)} bytes, not {SEED_BYTES}")
    return seed
