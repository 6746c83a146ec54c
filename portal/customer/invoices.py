"""Invoices and credit notes: the list, one of them, its paper to print, its PDF to keep."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from db import invoice_list, invoice_papers
from db.invoice_list import ON_A_PAGE, ListedInvoice
from db.invoices import UnknownInvoice
from papers.invoice_paper import InvoicePaper, invoice_paper
from papers.page import STYLESHEET
from papers.page import page as paper_page
from portal.means import Given, Means, Reading
from portal.pages.rendering import page
from portal.security.visits import Customer, CustomerVisit

router = APIRouter()


@dataclass(frozen=True)
class ListPage:
    """The model of `customer/invoices.html`."""

    rows: tuple[ListedInvoice, ...]
    first: bool
    more: str


@dataclass(frozen=True)
class InvoicePage:
    """The model of `customer/invoice.html`."""

    paper: InvoicePaper
    above: str = ""
    """What stands before the paths of staff's own pages."""
    back: str = "/invoices"
    back_label: str = "Invoices"
    refundable: bool = False
    """Staff may give it back, or a part of it."""


@router.get("/invoices")
async def listing(request: Request, visitor: Customer, reading: Reading, before: str = "") -> Response:
    """The newest first, a page at a time."""
    found = await invoice_list.of_customer(reading, visitor.customer_id, before or None, ON_A_PAGE + 1)
    shown = found[:ON_A_PAGE]
    more = f"/invoices?before={shown[-1].id}" if len(found) > ON_A_PAGE else ""
    return page(request, "customer/invoices.html", ListPage(tuple(shown), not before, more))


@router.get("/invoices/{number}")
async def one(request: Request, number: str, visitor: Customer, means: Given, reading: Reading) -> Response:
    """What is on it, and what paid it."""
    model = InvoicePage(await _paper(reading, means, number, visitor))
    return page(request, "customer/invoice.html", model)


@router.get("/invoices/{number}/paper")
async def paper(number: str, visitor: Customer, means: Given, reading: Reading) -> Response:
    """As it looks on paper."""
    made = await _paper(reading, means, number, visitor)
    return HTMLResponse(paper_page(made, stylesheet=f"/papers/{STYLESHEET.name}"))


@router.get("/invoices/{number}/pdf")
async def as_pdf(number: str, visitor: Customer, means: Given, reading: Reading) -> Response:
    """To be kept."""
    from papers import pdf  # only here: what sets a PDF takes a second to load

    made = await _paper(reading, means, number, visitor)
    name = f'attachment; filename="{made.number}.pdf"'
    return Response(pdf.pdf(made), media_type="application/pdf", headers={"Content-Disposition": name})


async def _paper(session: AsyncSession, means: Means, number: str, visitor: CustomerVisit) -> InvoicePaper:
    """The paper of this number, if it is the visitor's; else 404."""
    try:
        facts = await invoice_papers.by_number(session, number)
    except UnknownInvoice as unknown:
        raise HTTPException(404) from unknown
    if facts.customer_id != visitor.customer_id:
        raise HTTPException(404)
    return invoice_paper(facts, means.seller, means.zone)
