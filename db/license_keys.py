"""Sealing license keys for storage, finding them again, and showing them masked (R28); no database here."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from sealing.keys import KeyRingInvalid, Keys, SealBroken, UnknownKeyId

__all__ = ["KeyRing", "KeyRingInvalid", "KeyUnreadable", "UnknownKeyId", "last_four", "masked", "normalized"]

_FORMAT = 1
_LEAST_PEPPER_BYTES = 16


class KeyUnreadable(Exception):
    """The stored bytes were changed, cut short, or sealed for another license."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The keys that seal license keys, and the pepper that keys their fingerprints, which never changes.

    To rotate the keys: put a new one first, seal again what the old one sealed (`evergreen reseal`), drop the old one.
    """

    keys: Keys
    pepper: bytes

    def __post_init__(self) -> None:
        if len(self.pepper) < _LEAST_PEPPER_BYTES:
            raise KeyRingInvalid(f"the pepper has {len(self.pepper)} bytes, fewer than {_LEAST_PEPPER_BYTES}")

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self.keys.by_id)}>"

    @classmethod
    def parse(cls, keys: str, pepper: bytes) -> "KeyRing":
        """Read `id:base64,id:base64`, of which the first seals. Raises `KeyRingInvalid`."""
        return cls(Keys.parse(keys), pepper)

    def seal(self, license_key: str, about: str) -> bytes:
        """Encrypt the key for one owner (`about`: the license's id): it opens for no other."""
        header = _header(self.keys.current)
        return header + self.keys.seal(license_key.encode(), header + about.encode())

    def open(self, sealed: bytes, about: str) -> str:
        """Decrypt what `seal` made for the same owner. Raises `UnknownKeyId`, `KeyUnreadable`."""
        key_id, header, rest = _parts(sealed)
        try:
            return self.keys.open(key_id, rest, header + about.encode()).decode()
        except (SealBroken, ValueError):
            raise KeyUnreadable(about) from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the key that seals now sealed it; if not, it waits for rotation."""
        return _parts(sealed)[0] == self.keys.current

    @property
    def current_header(self) -> bytes:
        """How all bytes begin that the current key has sealed: finds in a table what waits for rotation."""
        return _header(self.keys.current)

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


def _header(key_id: str) -> bytes:
    name = key_id.encode()
    return bytes([_FORMAT, len(name)]) + name


def _parts(sealed: bytes) -> tuple[str, bytes, bytes]:
    """Key id, header and the rest of stored bytes."""
    ends = 2 + sealed[1] if len(sealed) > 1 else 0
    if not ends or sealed[0] != _FORMAT or len(sealed) <= ends:
        raise KeyUnreadable("these bytes are no sealed license key")
    try:
        return sealed[2:ends].decode(), sealed[:ends], sealed[ends:]
    except UnicodeDecodeError:
        raise KeyUnreadable("these bytes are no sealed license key") from None
