"""What we ask of the license vendor, in our words: its values, its errors and the protocol itself.

Not here: how it is reached (`vendor/http.py`) and when it is asked (`activities/`). Nothing here tries again:
Temporal does.

The errors, as one tree:

    VendorError
    ├── VendorUnavailable      no answer to rely on, the outcome is unknown: look up, then try again
    ├── Unauthorized           our token is not accepted, nothing was done: correct the setting, try again
    ├── VendorRefused          final: trying again cannot help (R23: refund, staff task, customer told)
    │   ├── UnknownKey
    │   ├── RevokedKey
    │   └── OrderNotPossible
    ├── ExpiryDiffers          the license is not where we believed, nothing was done: read it, decide
    └── ReferenceConflict      the reference belongs to another order, nothing was done: a person must look

No error's text holds a license key (R28).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

from pydantic import AwareDatetime

OrderKind = Literal["renewal", "addons", "upgrade"]


class VendorError(Exception):
    """Whatever may go wrong between us and the vendor."""


class VendorUnavailable(VendorError):
    """No answer to rely on (time-out, connection, 429, 5xx): find the order before placing it again (R25).

    `retry_after_seconds` is the vendor's own wish, where it gave one.
    """

    def __init__(self, text: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class Unauthorized(VendorError):
    """The vendor does not accept our token. Not the license's fault, so never a reason to refund."""


class VendorRefused(VendorError):
    """The vendor's final no (R23)."""


class UnknownKey(VendorRefused):
    """The vendor has no license with this key."""


class RevokedKey(VendorRefused):
    """The vendor has withdrawn this key."""


class OrderNotPossible(VendorRefused):
    """The vendor does not sell this for this license."""


class ExpiryDiffers(VendorError):
    """The license's expiry at the vendor is not the one the order starts from."""

    def __init__(self, current: date) -> None:
        super().__init__(f"the vendor's expiry is {current}")
        self.current = current


class ReferenceConflict(VendorError):
    """An order with this reference, but with other content, was placed before (R25)."""


@dataclass(frozen=True)
class VendorLicense:
    """The vendor's own record of a license, as read back: the proof that an update was done (R24)."""

    expires_on: date  # last covered day
    product: str
    edition: str
    size: str  # as the vendor writes it: '250', 'unlimited'
    addons: frozenset[str]
    status: str  # 'active' or 'lapsed', by the vendor's calendar


@dataclass(frozen=True)
class LicenseOrder:
    """What the vendor is asked to change.

    A renewal extends the license by `months` and states the complete set of add-ons it has from then on and,
    where they change, its size and edition (a downgrade happens at renewal only). The other kinds have no
    months: they last to the expiry as it is, and `addons` names what is added to what the license has.
    """

    reference: str  # ours, unique for ever, printable ASCII: the idempotency key (R25)
    license_key: str = field(repr=False)  # secret (R28)
    kind: OrderKind
    from_expires_on: date  # the expiry we believe the license has now
    to_expires_on: date  # the expiry we expect when it is done; the same date unless it is a renewal
    months: int = 0
    addons: tuple[str, ...] = ()
    size: str | None = None  # None: as it is
    edition: str | None = None  # None: as it is

    def __post_init__(self) -> None:
        """Raise ValueError for an order that no vendor could take."""
        if (self.kind == "renewal") != (self.months > 0):
            raise ValueError(f"a renewal has months and a {self.kind} of {self.months} months is none")
        if not (self.reference and self.reference.isascii() and self.reference.isprintable()):
            raise ValueError("a reference is printable ASCII")


@dataclass(frozen=True)
class PlacedOrder:
    """An order as the vendor booked it. It is no proof of how the license stands: read that back (R24)."""

    reference: str  # ours
    number: str  # the vendor's
    kind: str
    from_expires_on: date  # the vendor's expiry before
    to_expires_on: date  # and after; differs from the order's if the vendor did not stand where we believed
    addons: frozenset[str]  # the complete set after the order
    placed_at: AwareDatetime


class LicenseVendor(Protocol):
    """Where licenses are read and renewed. Any method may also raise `VendorUnavailable`, `Unauthorized`."""

    async def read(self, license_key: str) -> VendorLicense:
        """The license as it stands. Raises `UnknownKey` or `RevokedKey`."""
        ...

    async def place(self, order: LicenseOrder) -> PlacedOrder:
        """Carry out the order, once per reference (R25): the same again does nothing and answers the same.

        Raises `UnknownKey`, `RevokedKey`, `OrderNotPossible`, `ExpiryDiffers` or `ReferenceConflict`.
        """
        ...

    async def find(self, reference: str) -> PlacedOrder | None:
        """The order placed under our reference, None if there is none; for an unknown outcome (R25)."""
        ...


def masked(license_key: str) -> str:
    """The key as it may be shown: its last four characters (R28), or none of a key shorter than eight."""
    return "****" + (license_key[-4:] if len(license_key) >= 8 else "")
