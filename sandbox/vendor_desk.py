"""The sandbox vendor's front desk: the contract of `docs/vendor-api.md`, and nothing else."""

import logging
from dataclasses import dataclass, field
from secrets import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import JSONResponse, Response

from sandbox.hang_up import HangUp
from sandbox.vendor_book import Book
from sandbox.vendor_faults import Faults, Veils
from sandbox.vendor_forms import Lookup, Operation, Order, Settings
from sandbox.vendor_problems import Problem

log = logging.getLogger("sandbox.vendor")


@dataclass
class Desk:
    """Reads licenses, takes orders, makes trouble as told. Logs references and dates, never a key (R28)."""

    book: Book
    faults: Faults
    token: str | None  # None: any token is accepted
    settings: Settings
    veils: Veils = field(default_factory=Veils)

    def routes(self) -> APIRouter:
        """The contract's three endpoints."""
        router = APIRouter(tags=["contract"], dependencies=[Depends(self.authorize)])
        router.add_api_route("/v1/licenses/lookup", self.lookup, methods=["POST"])
        router.add_api_route("/v1/orders", self.place, methods=["POST"], status_code=201)
        router.add_api_route("/v1/orders", self.find, methods=["GET"])
        return router

    async def authorize(self, authorization: Annotated[str, Header()] = "") -> None:
        """Turn away who has not our token."""
        if self.token is None or compare_digest(authorization.encode(), f"Bearer {self.token}".encode()):
            return
        raise Problem("unauthorized", "the bearer token is missing or wrong")

    async def lookup(self, lookup: Lookup) -> Response:
        """A license as it stands, or as it stood if the read-back lags."""
        await self.faults.strike("lookup", lookup.license_key)
        license = self.veils.seen(self.book.license(lookup.license_key))
        answer = license.model_dump(mode="json", exclude={"license_key"})
        return self._reply(answer, "lookup", lookup.license_key)

    async def place(
        self, order: Order, idempotency_key: Annotated[str, Header(min_length=1, max_length=200)]
    ) -> Response:
        """Carry out an order, once per idempotency key."""
        await self.faults.strike("order", order.license_key)
        answer, before = self.book.place(idempotency_key, order, self.settings.strict_expiry)
        if before and (lag := self.faults.take("lag", "order", order.license_key)):
            self.veils.draw(before, lag.reads)
        done = answer | {"done": "placed" if before else "repeated"}
        log.info("%(number)s %(done)s: %(reference)s, %(from_expires_on)s → %(to_expires_on)s", done)
        return self._reply(answer, "order", order.license_key, status=201)

    async def find(self, reference: Annotated[str, Query(min_length=1, max_length=200)]) -> Response:
        """The orders placed under a reference, oldest first; none is no error."""
        orders = self.book.orders_of(reference)
        license_key = orders[0][0] if orders else None
        await self.faults.strike("find", license_key)
        return self._reply({"orders": [answer for _, answer in orders]}, "find", license_key)

    def _reply(
        self, answer: object, operation: Operation, license_key: str | None, status: int = 200
    ) -> Response:
        """The answer, unless it is to be lost."""
        if self.faults.take("lose_reply", operation, license_key):
            log.info("reply lost on purpose")
            return HangUp()
        return JSONResponse(answer, status)
