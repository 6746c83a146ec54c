"""What the payment provider tells us by itself. Only a reason to look: the truth is asked of the provider (R22, R25).

So a repeated event has no effect, and events out of order lead to the right state.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

import starter
from db import payments as payment_rows
from domain.tasks import CardRefund
from payments import declines, webhooks
from payments.charge import ActionRequired, Declined, Outcome
from payments.payment_provider import PaymentProvider
from payments.webhooks import BadSignature, CardSaved, ChargeSettled, Event, NotUnderstood, RefundSettled
from portal.newest_card import use_newest_card

LARGEST_BODY = 256 * 1024

log = structlog.get_logger("portal.webhooks")


@dataclass(frozen=True)
class PaymentWebhooks:
    """Takes the payment provider's events."""

    sessions: async_sessionmaker[AsyncSession]
    temporal: Client
    provider: PaymentProvider
    secret: str

    def router(self) -> APIRouter:
        """`POST /webhooks/payments`."""
        router = APIRouter()
        router.add_api_route("/webhooks/payments", self.take, methods=["POST"], include_in_schema=False)
        return router

    async def take(self, request: Request) -> Response:
        """200 for everything that is understood or none of our business; 400 for a bad signature, 413 for too much.

        422 for an event that is not as agreed: the provider's own page shows that, and it comes again.
        """
        body = await request.body()
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, "an event is not that large")
        try:
            event = webhooks.read(body, request.headers.get("stripe-signature"), self.secret)
        except BadSignature as forged:
            raise HTTPException(400, "the signature does not fit the event") from forged
        except NotUnderstood as odd:
            log.error(
                "a signed event is not understood: does the endpoint use our version of the API?",
                why=str(odd),
            )
            raise HTTPException(422, "the event is not as agreed") from odd
        if event is not None:
            await self._heed(event)
        return Response(status_code=200)

    async def _heed(self, event: Event) -> None:
        match event:
            case CardSaved():
                await self._card_saved(event)
            case ChargeSettled(key=str(key), outcome=outcome) if not _is_our_own_doing(outcome):
                await self._charge_settled(key)
            case RefundSettled(key=str(key)):
                await self._refund_settled(key, event)
            case _:
                pass  # of no use: charges and refunds that are not ours, and what we did ourselves

    async def _card_saved(self, event: CardSaved) -> None:
        """Use the customer's newest card from now on; whatever waits for money is collected at once (R22)."""
        waiting = await use_newest_card(
            self.sessions, self.temporal, self.provider, event.customer_reference, event.created_at
        )
        if waiting is not None:
            log.info("a card was saved", waiting=len(waiting))

    async def _charge_settled(self, key: str) -> None:
        """A charge that waited for the customer's confirmation has got it, or was refused: the workflow looks."""
        async with self.sessions() as session:
            subscription_id = await payment_rows.awaiting_confirmation(session, key)
        if subscription_id is not None:
            await starter.payment_changed(self.temporal, subscription_id, by="payment provider")

    async def _refund_settled(self, key: str, event: RefundSettled) -> None:
        """A refund that was on its way arrived, or one that seemed to have arrived did not (R20)."""
        async with self.sessions() as session:
            refund = await payment_rows.refund_of_key(session, key)
        standing = event.refund.status
        if refund is not None and standing != "pending" and refund.status not in (standing, "declined"):
            news = CardRefund(payment_id=refund.id, at=event.created_at, news=True)
            await starter.refund_news(self.temporal, news, standing)


def _is_our_own_doing(outcome: Outcome) -> bool:
    """Asking the customer and giving the question up: the workflow did that, and must not take it for new money."""
    return isinstance(outcome, ActionRequired) or (
        isinstance(outcome, Declined) and outcome.code == declines.CANCELED
    )
