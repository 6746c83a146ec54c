"""Renewals bought before the move to this system (R19): what was paid becomes credit of the license."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from db import purchases as rows
from db.purchase_refusals import PurchaseRefused
from domain.intake_cells import Cells
from domain.intake_license import LicenseCheck
from domain.intake_problem import Problem as RowProblem
from domain.purchase import DESCRIPTION, Purchase
from domain.purchase_check import PurchaseCheck, check_known
from portal.api.problems import Fault, invalid, of_field, refused
from portal.api.subscriptions import answer_of
from portal.api.wording import Sent, Words
from portal.api.writes import Answer, Writing, writes
from portal.means import Means
from reception import licenses
from reception.purchases import Recording, SomeRefused, Told

router = APIRouter(tags=["purchases"])

Writes = Annotated[Writing, writes("money:write")]


class PurchaseWish(Sent):
    """A purchase; the license and its customer are described where the key may be new."""

    reference: Words = Field(description="its number, unique for ever", examples=["INV-1042"])
    license_key: Words = Field(examples=["SM-EXAMPLE-0000-7K2P"])
    amount: Words = Field(description="exactly what was paid", examples=["200.00"])
    currency: Words = Field(examples=["GBP"])
    customer_email: Words = ""
    customer_name: Words = ""
    country: Words = ""
    product: Words = ""
    edition: Words = ""
    size: Words = ""
    addons: Words = Field("", description="names, separated by semicolons")
    expires_on: Words = Field("", examples=["2027-08-31"])
    renews_on: Words = ""
    previous_customer: bool = False
    card_token: Words = Field("", description="the payment provider's; for a customer without a card")


class Recorded(BaseModel):
    """The purchase as it is here now."""

    reference: str
    new: bool = Field(description="false: it was recorded before, nothing was changed")
    grant: str
    customer: str
    subscription: str
    new_license: bool
    past_cancel_by: bool = Field(description="a new license whose coming renewal cannot be stopped any more")
    renewal: Literal["on", "collecting", "turned_on", "asked", "off", "expired"] = Field(
        description="on: it will be renewed; collecting: it was waiting for money and is told; turned_on: it was off;"
        " asked: that was left for a worker to decide; off: cancelled after the purchase; expired: it needs a request"
    )


@router.post(
    "/purchases",
    response_model=Recorded,
    status_code=201,
    responses={200: {"model": Recorded, "description": "It was recorded before; nothing was changed."}},
)
async def record(wish: PurchaseWish, write: Writes) -> Response:
    """Record a renewal bought before the move. The same reference again changes nothing."""
    given = wish.model_dump() | {"previous_customer": "yes" if wish.previous_customer else ""}
    bought = _good(check_known(Cells(1, dict(given))))

    async def do() -> Answer:
        told = await answer_of(_record(write, given, bought))
        body = Recorded.model_validate(told.as_document())
        return Answer(body, 201 if body.new else 200, f"/api/v1/subscriptions/{body.subscription}")

    return await write.once(do)


async def _record(write: Writing, given: dict[str, str], bought: Purchase) -> Told:
    means, at = write.means, write.means.now()
    async with means.sessions() as session:
        is_here = await rows.is_here(session, means.key_ring, bought.license_key)
    if not is_here and any(given[column] for column in DESCRIPTION):
        bought = _good(_check(means).check(Cells(1, dict(given))))
    digest = sha256(bought.reference.encode()).digest()
    storing = licenses.storing(
        f"purchase {bought.reference}", digest, write.by, at, means.key_ring, means.policy
    )
    recording = Recording(means.sessions, means.temporal, storing)
    try:
        if bought.license is None:
            return await recording.record(bought)
        told, _refused = await recording.store([bought])
    except PurchaseRefused as no:
        fault = Fault(at=f"body.{no.column}", reason=no.reason, mend=no.mend)
        raise refused(f"{no} Nothing was recorded.", errors=[fault.model_dump(exclude_none=True)]) from no
    except SomeRefused as some:
        faults = [of_field(problem).model_dump(exclude_none=True) for problem in some.problems]
        raise refused("What is known here speaks against it. Nothing was recorded.", errors=faults) from some
    return told[0]


def _check(means: Means) -> PurchaseCheck:
    return PurchaseCheck(LicenseCheck(means.catalogue, means.today(), means.policy.notice_days))


def _good(found: Purchase | list[RowProblem]) -> Purchase:
    if isinstance(found, Purchase):
        return found
    raise invalid(of_field(problem) for problem in found)
