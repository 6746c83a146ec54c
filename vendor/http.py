"""The license vendor over HTTP, by the contract in `docs/vendor-api.md`. One request a call, no retries."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from vendor.license_vendor import (
    ExpiryDiffers,
    LicenseOrder,
    LicenseVendor,
    OrderNotPossible,
    PlacedOrder,
    ReferenceConflict,
    RevokedKey,
    Unauthorized,
    UnknownKey,
    VendorError,
    VendorLicense,
    VendorUnavailable,
    masked,
)


@dataclass(frozen=True)
class FoundOrders:
    """The answer to a search by reference, oldest first."""

    orders: list[PlacedOrder]


Answer = TypeVar("Answer")
ALONE = {"Connection": "close"}
"""Each question has a connection of its own. The answer to a look-up does not say which license it is about (R28): on
a connection that is kept, a reply that came twice would prove another license's renewal (R24)."""
LICENSE = TypeAdapter(VendorLicense)
ORDER = TypeAdapter(LicenseOrder)
PLACED = TypeAdapter(PlacedOrder)
FOUND = TypeAdapter(FoundOrders)


@dataclass(frozen=True)
class HttpVendor(LicenseVendor):
    """The license vendor behind an HTTP API. The client is the caller's: it opens and closes it.

    `timeout_seconds` bounds a whole call, connection and body included, however slowly the answer drips in.
    """

    base_url: str
    token: str = field(repr=False)
    timeout_seconds: float
    client: httpx.AsyncClient

    def __post_init__(self) -> None:
        """Raise ValueError for a token that cannot be sent: httpx would print it in its own error (R28)."""
        if not (self.token.isascii() and self.token.isprintable()):
            raise ValueError("the vendor token holds characters that a header cannot")

    async def read(self, license_key: str) -> VendorLicense:
        """The license as it stands at the vendor (R24). Errors: see `LicenseVendor.read`."""
        question = {"license_key": license_key}
        answer = await self._ask("POST", "/v1/licenses/lookup", license_key, json=question)
        return _understood(LICENSE, answer)

    async def place(self, order: LicenseOrder) -> PlacedOrder:
        """Carry out the order, once per reference (R25). Errors: see `LicenseVendor.place`."""
        content = ORDER.dump_python(order, mode="json") | {"addons": sorted(set(order.addons))}
        key = {"Idempotency-Key": order.reference}
        answer = await self._ask("POST", "/v1/orders", order.license_key, json=content, headers=key)
        return _of(order.reference, _understood(PLACED, answer))

    async def find(self, reference: str) -> PlacedOrder | None:
        """The first order placed under our reference, None if there is none (R25)."""
        answer = await self._ask("GET", "/v1/orders", params={"reference": reference})
        orders = _understood(FOUND, answer).orders
        return _of(reference, orders[0]) if orders else None

    async def _ask(self, method: str, path: str, license_key: str = "", **request: Any) -> bytes:
        """The body of the vendor's yes; any other answer, or none, is raised as a `VendorError`."""
        # Without a token no header: h11 would refuse to send an empty one, and a 401 tells more.
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers = authorization | request.pop("headers", {}) | ALONE
        url = self.base_url.rstrip("/") + path
        try:
            # Not httpx's own time-outs: they bound each step, and a body that drips would never end.
            async with asyncio.timeout(self.timeout_seconds):
                response = await self.client.request(method, url, headers=headers, timeout=None, **request)
        except TimeoutError:
            raise VendorUnavailable(f"the vendor did not answer within {self.timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise VendorUnavailable(f"the vendor cannot be reached ({type(error).__name__})") from error
        if response.status_code not in (200, 201):
            raise _error(response, license_key)
        return response.content


def _understood(answer: TypeAdapter[Answer], content: bytes) -> Answer:
    """The answer as one of our values; one outside the contract proves nothing: neither done nor refused."""
    try:
        return answer.validate_json(content, strict=True)
    except ValidationError:  # its text quotes the answer
        raise VendorUnavailable("the vendor's answer is not as agreed") from None


def _of(reference: str, placed: PlacedOrder) -> PlacedOrder:
    """The order, if it is the one that was asked for."""
    if placed.reference != reference:
        raise VendorUnavailable("the vendor answered with another order")
    return placed


def _error(response: httpx.Response, license_key: str) -> VendorError:
    """The error that any other answer stands for; decided by status and `code`, never by text."""
    status = response.status_code
    if status in (401, 403):
        return Unauthorized(f"the vendor does not accept our token (status {status})")
    if status == 429 or status >= 500:
        wait = response.headers.get("Retry-After", "")
        retry_after_seconds = int(wait) if wait.isascii() and wait.isdigit() else None
        return VendorUnavailable(f"the vendor answered with status {status}", retry_after_seconds)
    match _problem(response):
        case {"code": "unknown_key"}:
            return UnknownKey(f"the vendor has no license {masked(license_key)}")
        case {"code": "revoked_key"}:
            return RevokedKey(f"the vendor has withdrawn license {masked(license_key)}")
        case {"code": "not_possible", **more}:
            return OrderNotPossible(_without_key(str(more.get("detail", "no reason given")), license_key))
        case {"code": "idempotency_conflict"}:
            return ReferenceConflict("the vendor has another order under this reference")
        case {"code": "expiry_differs", "current_expires_on": date() as current}:
            return ExpiryDiffers(current)
    return VendorUnavailable(f"the vendor's answer is not as agreed (status {status})")


def _problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document with its date read; empty if there is none, as when a proxy answered."""
    try:
        problem = dict(response.json())
        if "current_expires_on" in problem:
            problem["current_expires_on"] = date.fromisoformat(problem["current_expires_on"])
    except (TypeError, ValueError):
        return {}
    return problem


def _without_key(text: str, license_key: str) -> str:
    """The vendor's reason, bounded, and with the key masked however it is cased or grouped (R28)."""
    key = r"[\W_]*".join(character for character in license_key if character.isalnum())
    return re.sub(key, lambda _: masked(license_key), text, flags=re.IGNORECASE)[:200] if key else text[:200]
