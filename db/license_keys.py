"""Sealing license keys for storage, finding them again, and showing them masked (R28); no database here."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_LEAST_PEPPER_BYTES = 16


class UnknownKeyId(LookupError):
    """The stored bytes were sealed with a key that is not in the ring (any more)."""


class KeyUnreadable(Exception):
    """The stored bytes were changed, cut short, or sealed for another license."""


class KeyRingInvalid(ValueError):
    """The configured keys are no key ring; says which part, never the part itself."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """AES-256 keys by id, the first of which seals; all of them open. The pepper keys the fingerprint.

    To rotate: put a new key first, seal again what the old one sealed, drop the old one. The pepper stays.
    """

    keys: Mapping[str, bytes]
    pepper: bytes

    def __post_init__(self) -> None:
        if not self.keys:
            raise KeyRingInvalid("there is no encryption key")
        for position, (key_id, key) in enumerate(self.keys.items(), start=1):
            if not key_id or len(key_id.encode()) > 255:
                raise KeyRingInvalid(f"encryption key {position}: its id must have 1 to 255 bytes")
            if len(key) != _KEY_BYTES:
                raise KeyRingInvalid(f"encryption key {position} has {len(key)} bytes, not {_KEY_BYTES}")
        if len(self.pepper) < _LEAST_PEPPER_BYTES:
            raise KeyRingInvalid(f"the pepper has {len(self.pepper)} bytes, fewer than {_LEAST_PEPPER_BYTES}")

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self.keys)}>"

    @classmethod
    def parse(cls, keys: str, pepper: bytes) -> "KeyRing":
        """Read `id:base64,id:base64`, of which the first seals. Raises `KeyRingInvalid`."""
        ring: dict[str, bytes] = {}
        for position, part in enumerate(keys.split(","), start=1):
            key_id, colon, encoded = part.strip().partition(":")
            if not colon:
                raise KeyRingInvalid(f"encryption key {position} is not written id:base64")
            if key_id in ring:
                raise KeyRingInvalid(f"encryption key {position} has an id that was used before it")
            ring[key_id] = _decoded(encoded, f"encryption key {position}")
        return cls(ring, pepper)

    def seal(self, license_key: str, about: str) -> bytes:
        """Encrypt the key for one owner (`about`: the license's id): it opens for no other."""
        key_id = next(iter(self.keys))
        name = key_id.encode()
        header = bytes([_FORMAT, len(name)]) + name
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return (
            header
            + nonce
            + AESGCM(self.keys[key_id]).encrypt(nonce, license_key.encode(), header + about.encode())
        )

    def open(self, sealed: bytes, about: str) -> str:
        """Decrypt what `seal` made for the same owner. Raises `UnknownKeyId`, `KeyUnreadable`."""
        key_id, header, rest = _parts(sealed)
        if key_id not in self.keys:
            raise UnknownKeyId(key_id)
        nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return AESGCM(self.keys[key_id]).decrypt(nonce, ciphertext, header + about.encode()).decode()
        except (InvalidTag, ValueError):
            raise KeyUnreadable(about) from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the key that seals now sealed it; if not, it waits for rotation."""
        return _parts(sealed)[0] == next(iter(self.keys))

    def fingerprint(self, license_key: str) -> bytes:
        """HMAC-SHA256 of the normalized key: finds a license without opening any; 32 bytes."""
        return hmac.digest(self.pepper, normalized(license_key).encode(), sha256)


def normalized(license_key: str) -> str:
    """The key as it is compared: no spaces around it, capital letters."""
    return license_key.strip().upper()


def last_four(license_key: str) -> str:
    """The part of a key that may be shown; half of it at most, should the key be that short."""
    key = normalized(license_key)
    return key[-min(4, max(1, len(key) // 2)) :]


def masked(license_key: str) -> str:
    """A key, or the last four characters of one, as pages and letters show it: `••••1A2B`."""
    return f"••••{normalized(license_key)[-4:]}"


def _parts(sealed: bytes) -> tuple[str, bytes, bytes]:
    """Key id, header and the rest of stored bytes."""
    ends = 2 + sealed[1] if len(sealed) > 1 else 0
    if not ends or sealed[0] != _FORMAT or len(sealed) <= ends + _NONCE_BYTES:
        raise KeyUnreadable("these bytes are no sealed license key")
    try:
        return sealed[2:ends].decode(), sealed[:ends], sealed[ends:]
    except UnicodeDecodeError:
        raise KeyUnreadable("these bytes are no sealed license key") from None


def _decoded(encoded: str, what: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingInvalid(f"{what} is not base64") from None
