"""Encryption keys by id: the first seals, all of them open. License keys and payloads are sealed with such.

What is sealed says by which key, each in its own way: in front of a license key (db/license_keys.py), in the metadata
of a payload (sealing/payloads.py).
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_TAG_BYTES = 16
_KEY_BYTES = 32
LEAST_SEALED_BYTES = _NONCE_BYTES + _TAG_BYTES
"""Shorter bytes were never sealed."""


class KeyRingInvalid(ValueError):
    """The configured keys are no key ring; says which part, never the part itself."""


class UnknownKeyId(LookupError):
    """The bytes were sealed with a key that is not among ours (any more)."""


class SealBroken(Exception):
    """The bytes were changed, cut short, or sealed for something else."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """AES-256 keys by id, current first.

    To rotate: put a new key first, seal again what the old one sealed, drop the old one.
    """

    by_id: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if not self.by_id:
            raise KeyRingInvalid("there is no encryption key")
        for position, (key_id, key) in enumerate(self.by_id.items(), start=1):
            if not key_id or len(key_id.encode()) > 255:
                raise KeyRingInvalid(f"encryption key {position}: its id must have 1 to 255 bytes")
            if len(key) != _KEY_BYTES:
                raise KeyRingInvalid(f"encryption key {position} has {len(key)} bytes, not {_KEY_BYTES}")

    def __repr__(self) -> str:
        return f"<Keys: {len(self.by_id)}>"

    @classmethod
    def parse(cls, text: str) -> Keys:
        """Read `id:base64,id:base64`, of which the first seals. Raises `KeyRingInvalid`."""
        keys: dict[str, bytes] = {}
        for position, part in enumerate(text.split(","), start=1):
            key_id, colon, encoded = part.strip().partition(":")
            if not colon:
                raise KeyRingInvalid(f"encryption key {position} is not written id:base64")
            if key_id in keys:
                raise KeyRingInvalid(f"encryption key {position} has an id that was used before it")
            keys[key_id] = _decoded(encoded, f"encryption key {position}")
        return cls(keys)

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.by_id))

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypt with the current key (AES-GCM, a fresh random nonce in front); it opens only for the same `about`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.by_id[self.current]).encrypt(nonce, plain, about)

    def open(self, key_id: str, sealed: bytes, about: bytes) -> bytes:
        """Decrypt what `seal` made with that key. Raises `UnknownKeyId`, `SealBroken`."""
        if key_id not in self.by_id:
            raise UnknownKeyId(key_id)
        if len(sealed) < LEAST_SEALED_BYTES:
            raise SealBroken("too short")
        try:
            return AESGCM(self.by_id[key_id]).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except InvalidTag:
            raise SealBroken("changed, or sealed for something else") from None


def _decoded(encoded: str, what: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingInvalid(f"{what} is not base64") from None
