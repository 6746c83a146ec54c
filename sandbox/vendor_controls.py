"""The sandbox vendor's controls, `/sandbox/…`: register licenses, make trouble, read the record. No token."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from sandbox.vendor_book import Book
from sandbox.vendor_desk import Desk
from sandbox.vendor_faults import Faults
from sandbox.vendor_forms import Fault, FaultKind, License, Mark, Settings


@dataclass(frozen=True)
class Controls:
    """What a test, a demonstration or a person does to the vendor from outside its contract."""

    book: Book
    faults: Faults
    desk: Desk

    def routes(self) -> APIRouter:
        """The controls, and the health page."""
        router = APIRouter(tags=["sandbox"])
        router.add_api_route("/sandbox/licenses", self.register, methods=["POST"])
        router.add_api_route("/sandbox/licenses", self.licenses, methods=["GET"])
        router.add_api_route("/sandbox/licenses/status", self.mark, methods=["POST"])
        router.add_api_route("/sandbox/orders", self.orders, methods=["GET"])
        router.add_api_route("/sandbox/faults", self.add_fault, methods=["POST"])
        router.add_api_route("/sandbox/faults", self.list_faults, methods=["GET"])
        router.add_api_route("/sandbox/faults", self.clear_faults, methods=["DELETE"])
        router.add_api_route("/sandbox/settings", self.change_settings, methods=["PUT"])
        router.add_api_route("/healthz", self.health, methods=["GET"])
        return router

    async def register(self, licenses: list[License], replace: bool = False) -> Response:
        """Take in a list of licenses at once. Keys already registered stay as they are, unless `replace`."""
        registered = self.book.register(licenses, replace)
        return JSONResponse({"registered": registered, "unchanged": len(licenses) - registered})

    async def licenses(self) -> Response:
        """Every license as it really stands, whatever look-ups are shown."""
        return JSONResponse(self.book.all_licenses())

    async def mark(self, mark: Mark) -> Response:
        """Mark keys `revoked` or `unknown`, or `active` again."""
        self.book.mark(mark)
        return JSONResponse({"marked": len(mark.license_keys)})

    async def orders(self) -> Response:
        """Every order that was carried out, oldest first, with its expiry before and after, its repeats."""
        return JSONResponse(self.book.all_orders())

    async def add_fault(self, fault: Fault) -> Response:
        """Make trouble."""
        self.faults.add(fault)
        return await self.list_faults()

    async def list_faults(self) -> Response:
        """The trouble that is still to come."""
        return JSONResponse([fault.model_dump(mode="json") for fault in self.faults.standing()])

    async def clear_faults(self, kind: FaultKind | None = None) -> Response:
        """Make no more trouble, or none of this kind."""
        self.faults.clear(kind)
        return await self.list_faults()

    async def change_settings(self, settings: Settings) -> Response:
        """Change how strict the vendor is, until it is restarted."""
        self.desk.settings = settings
        return JSONResponse(settings.model_dump())

    async def health(self) -> Response:
        """Whether the program runs (also while it plays `down`), and how much is in its book."""
        return JSONResponse({"status": "ok"} | self.book.counts())
