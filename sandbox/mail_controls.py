"""The mail sandbox over HTTP: pages for people, JSON for tests, and the controls to make trouble."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, JSONResponse, Response

from sandbox.mail_book import Book, Mail
from sandbox.mail_faults import Fault, FaultKind, Faults
from sandbox.mail_pages import SAFE, SANDBOXED, list_page, one_page

ON_A_PAGE = 200


@dataclass(frozen=True)
class Controls:
    """What a person, a test or a demonstration asks of the sandbox."""

    book: Book
    faults: Faults

    def routes(self) -> APIRouter:
        """Pages, JSON and controls."""
        router = APIRouter()
        router.add_api_route("/", self.list, methods=["GET"], response_class=HTMLResponse)
        router.add_api_route("/mails/{number}.html", self.html, methods=["GET"], response_class=HTMLResponse)
        router.add_api_route("/mails/{number}.eml", self.raw, methods=["GET"])
        router.add_api_route("/mails/{number}", self.one, methods=["GET"], response_class=HTMLResponse)
        router.add_api_route("/sandbox/mails", self.mails, methods=["GET"])
        router.add_api_route("/sandbox/mails", self.clear_mails, methods=["DELETE"])
        router.add_api_route("/sandbox/faults", self.add_fault, methods=["POST"])
        router.add_api_route("/sandbox/faults", self.list_faults, methods=["GET"])
        router.add_api_route("/sandbox/faults", self.clear_faults, methods=["DELETE"])
        router.add_api_route("/healthz", self.health, methods=["GET"])
        return router

    async def list(self, before: int | None = None, to: str | None = None) -> Response:
        """The page that lists the mails."""
        found = self.book.mails(before, ON_A_PAGE + 1, to)
        page = list_page(found[:ON_A_PAGE], self.book.count(), to, older=len(found) > ON_A_PAGE)
        return HTMLResponse(page, headers=SAFE)

    async def one(self, number: int) -> Response:
        """The page of one mail."""
        return HTMLResponse(one_page(self._mail(number)), headers=SAFE)

    async def html(self, number: int) -> Response:
        """The HTML of a mail, in a cage."""
        return HTMLResponse(self._mail(number).part("html"), headers=SANDBOXED)

    async def raw(self, number: int) -> Response:
        """The mail as it came."""
        return Response(self._mail(number).content, media_type="message/rfc822", headers=SAFE)

    async def mails(self, before: int | None = None, to: str | None = None, limit: int = 1000) -> Response:
        """Mails, newest first, with headers, text and HTML."""
        return JSONResponse([mail.document() for mail in self.book.mails(before, limit, to)])

    async def clear_mails(self) -> Response:
        """Throw all mails away."""
        self.book.clear()
        return JSONResponse([])

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

    async def health(self) -> Response:
        """Whether the program runs (also while it plays `down`), and how many mails it has."""
        return JSONResponse({"status": "ok", "mails": self.book.count()})

    def _mail(self, number: int) -> Mail:
        mail = self.book.mail(number)
        if mail is None:
            raise HTTPException(404, "there is no such mail")
        return mail
