"""Invoices and credit notes: a customer's list, one of them whole, its PDF."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from db import invoice_list, invoice_papers
from db.invoice_papers import InvoiceFacts
from db.invoices import UnknownInvoice
from papers import pdf
from papers.invoice_paper import invoice_paper
from portal.api.credits import customer_of
from portal.api.door import Reader
from portal.api.paging import Cursor, Limit, Page, after, cursor_of
from portal.api.problems import not_found
from portal.api.wording import CustomerId, Number
from portal.means import Given, Reading

router = APIRouter(tags=["invoices"])


class InvoiceLine(BaseModel):
    """One line of a list; amounts are minor units of its currency."""

    number: str = Field(examples=["INV-2027-000012"])
    kind: Literal["invoice", "credit_note"]
    currency: str
    total_minor: int
    due_minor: int
    issued_at: datetime


class Line(BaseModel):
    """One line of an invoice; a discount is below zero."""

    kind: str
    description: str
    amount_minor: int
    days: int | None
    term_days: int | None


class Payment(BaseModel):
    """What a grant or card paid (above zero), or got back (below zero)."""

    source: str
    reference: str
    amount_minor: int
    at: datetime
    done: bool = Field(description="false: a refund is on its way to the card")


class BillTo(BaseModel):
    """Whom it was made out to."""

    name: str
    country: str


class Invoice(BaseModel):
    """An invoice or credit note, whole."""

    number: str
    kind: Literal["invoice", "credit_note"]
    customer: str
    issued_at: datetime
    bill_to: BillTo
    currency: str
    net_minor: int
    tax_minor: int
    total_minor: int
    due_minor: int
    lines: list[Line]
    payments: list[Payment]
    corrects: str | None
    corrected_by: list[str]


@router.get("/customers/{customer_id}/invoices")
async def list_invoices(
    customer_id: CustomerId, _caller: Reader, reading: Reading, limit: Limit = 50, cursor: Cursor = None
) -> Page[InvoiceLine]:
    """A customer's invoices and credit notes, newest first."""
    whose = await customer_of(reading, customer_id)
    last = after(cursor)
    found = await invoice_list.of_customer(reading, whose.id, last[0] if last else None, limit + 1)
    page = [InvoiceLine.model_validate(each, from_attributes=True) for each in found[:limit]]
    return Page(data=page, next_cursor=cursor_of(found, limit, found[:limit][-1].id if found else ""))


@router.get("/invoices/{number}")
async def show(number: Number, _caller: Reader, reading: Reading) -> Invoice:
    """One invoice or credit note: its lines, and what paid it."""
    facts = await _facts(reading, number)
    return Invoice(
        number=facts.number,
        kind=facts.kind,
        customer=facts.customer_id,
        issued_at=facts.issued_at,
        bill_to=BillTo(name=facts.bill_to_name, country=facts.bill_to_country),
        currency=facts.currency,
        net_minor=facts.net_minor,
        tax_minor=facts.tax_minor,
        total_minor=facts.total_minor,
        due_minor=facts.due_minor,
        lines=[Line.model_validate(line, from_attributes=True) for line in facts.lines],
        payments=[Payment.model_validate(part, from_attributes=True) for part in facts.parts],
        corrects=facts.corrects,
        corrected_by=[note.number for note in facts.notes],
    )


@router.get(
    "/invoices/{number}/pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def as_pdf(number: Number, _caller: Reader, means: Given, reading: Reading) -> Response:
    """The same, to print or to send."""
    facts = await _facts(reading, number)
    paper = invoice_paper(facts, means.seller, means.zone)
    content = await asyncio.to_thread(pdf.pdf, paper)
    disposition = f'attachment; filename="{facts.number}.pdf"'
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": disposition})


async def _facts(session: AsyncSession, number: str) -> InvoiceFacts:
    try:
        return await invoice_papers.by_number(session, number)
    except UnknownInvoice as unknown:
        raise not_found("There is no invoice of this number: it is like INV-2027-000012.") from unknown
