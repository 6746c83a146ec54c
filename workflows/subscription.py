"""The promise to keep one license renewed: one workflow per subscription, one run per term, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from activities.attributes import attributes_of
    from activities.notices import NoticeActivities
    from domain import mistakes
    from domain.messages import (
        AddAddons,
        Cancel,
        ChangeAtRenewal,
        Decision,
        Ending,
        LicenseUpdated,
        Life,
        OrderAnswer,
        OrderPaid,
        PaymentChanged,
        Resume,
        State,
        Status,
        Upgrade,
    )
    from domain.tasks import Reminder
    from workflows.fulfilment import Fulfilment
    from workflows.ordering import Ordering
    from workflows.renewal import Renewal
    from workflows.requests import Parsed, Requests, asked, parse
    from workflows.standing import Standing
    from workflows.steps import record
    from workflows.waiting import happens_before


class TurnOver(Exception):
    """This run should hand over to a fresh one: its history is long, or its cancel button was pressed."""


@workflow.defn(name="Subscription")
class Subscription:
    """Sleeps until the renewal date, renews or ends, and goes on into the next term."""

    @workflow.init
    def __init__(self, life: Life) -> None:
        self._standing = Standing(life)
        self._requests = Requests(self._standing)
        self._fulfilment = Fulfilment(self._standing)
        self._renewal = Renewal(self._standing, self._fulfilment)
        self._ordering = Ordering(self._standing, self._fulfilment)

    @workflow.run
    async def run(self, life: Life) -> Ending:
        """Live through one term, then continue as new; the result is how the subscription ended."""
        self._standing.publish()
        living = asyncio.create_task(self._live_and_work())
        try:
            await asyncio.shield(living)
        except asyncio.CancelledError:
            if not self._requests.button_waits:
                raise  # not the button: the worker is putting this instance out of memory
            await self._requests.button_pressed()  # the server sends it once a run
            await living
        await workflow.wait_condition(workflow.all_handlers_finished)
        ending = living.result()
        if ending is None:
            life = self._standing.life
            workflow.continue_as_new(life, search_attributes=attributes_of(life))
        return ending

    async def _live_and_work(self) -> Ending | None:
        """The term, and beside it what is ordered; what is not done at its end the next run goes on with."""
        living, working = asyncio.create_task(self._live()), asyncio.create_task(self._ordering.work())
        await workflow.wait([living, working], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working  # it ends by an error only, and that must show
        ending = await living
        if ending is not None:
            await workflow.wait_condition(lambda: working.done() or not self._life.open_orders)
        await workflow.wait_condition(lambda: working.done() or not self._fulfilment.news_at_hand)
        working.cancel()
        return ending

    async def _live(self) -> Ending | None:
        """One term; None to go on in a fresh run."""
        try:
            await self._remind()
            while await self._renewal_wanted():
                paid = await self._renewal.collect()
                if paid is None:
                    return await self._end(State.LAPSED)
                if await self._renewal.update(paid) is not None:
                    return None
            return await self._end(State.REFUSED if self._life.state == State.REFUSED else State.EXPIRED)
        except TurnOver:
            return None

    async def _remind(self) -> None:
        """The reminders still to come (R6); one whose time passed before the subscription began is not sent."""
        for days_before, remind_at in self._life.plan.reminders[self._life.reminders_sent :]:
            if remind_at > workflow.now():
                await self._sleep_until(remind_at, f"reminder {days_before} days before expiry")
                life = self._life
                reminder = Reminder(
                    subscription_id=life.subscription_id,
                    term=life.term,
                    days_before=days_before,
                    plan=life.plan,
                    at=workflow.now(),
                )
                if life.auto_renew:
                    await record(
                        NoticeActivities.remind, reminder, f"remind {days_before} days before expiry"
                    )
            self._standing.change(reminders_sent=self._life.reminders_sent + 1)

    async def _renewal_wanted(self) -> bool:
        """Wait for the renewal date (R4); a cancelled one waits for the end of the term, for it may be resumed (R9)."""
        await self._sleep_until(self._life.plan.renews_at, "renewal date")
        await workflow.wait_condition(self._all_answered)  # what was received before the cut-off counts (R3)
        while not self._life.auto_renew:
            over = not await happens_before(
                self._life.plan.term_ends_at,
                lambda: self._life.auto_renew or self._turn_over_due(),
                "cancelled: the term runs out",
            )
            await workflow.wait_condition(self._all_answered)
            if not self._life.auto_renew:
                if over:
                    return False
                raise TurnOver
        return True

    async def _sleep_until(self, instant: datetime, summary: str) -> None:
        if await happens_before(instant, self._turn_over_due, summary):
            await workflow.wait_condition(self._all_answered)
            raise TurnOver

    async def _end(self, state: State) -> Ending:
        await self._renewal.end(state)
        return Ending(
            subscription_id=self._life.subscription_id, state=state, expires_on=self._life.term.expires_on
        )

    @property
    def _life(self) -> Life:
        return self._standing.life

    def _all_answered(self) -> bool:
        return workflow.all_handlers_finished() and not self._requests.button_waits

    def _turn_over_due(self) -> bool:
        """A fresh run clears a pressed cancel button and a long history; what is asked meanwhile is not lost."""
        return workflow.cancellation_reason() is not None or workflow.info().is_continue_as_new_suggested()

    # Signals take whatever payload was typed: none, one or many, of any shape. The SDK would drop one that does not fit
    # a type, and a person would wait for ever; so they are parsed here and refused where it shows. So are updates: one
    # payload too few for a method's parameters would fail the workflow task, again and again.

    @workflow.signal(
        description='Do not renew: {"by": "support:jo", "reason": "…", "request_id": "…"}, all optional'
    )
    async def cancel(self, *payloads: object) -> None:
        """Cancel the renewal (R7, R8)."""
        await self._requests.signalled("cancel", Cancel, payloads)

    @workflow.signal(description='Renew after all: {"by": "support:jo", "request_id": "…"}, all optional')
    async def resume(self, *payloads: object) -> None:
        """Take a cancellation back (R9)."""
        await self._requests.signalled("resume", Resume, payloads)

    @workflow.signal(description="A new card or credit is there: collect now if money is waited for")
    async def payment_changed(self, *payloads: object) -> None:
        """Try to collect at once (R22)."""
        if await self._understood("payment_changed", PaymentChanged, payloads) is not None:
            self._renewal.money_came()

    @workflow.signal(
        description='Add add-ons now: {"addons": ["Message Sniffer"], "by": "…", "quote_id": "…"}'
    )
    async def add_addons(self, *payloads: object) -> None:
        """Order add-ons; without a quote one is made and charged (R14, R15). `status` shows what came of it."""
        request = await self._understood("add_addons", AddAddons, payloads)
        if request is not None:
            answer = await self._ordering.add_addons(request)
            if answer.outcome == "refused":
                await self._requests.refuse("add_addons", answer.reason)

    @workflow.signal(
        description='Staff\'s news of a license update: {"update_id": "…", "expires_on": "2028-08-31"}'
    )
    async def license_updated(self, *payloads: object) -> None:
        """An update is done, refused, or to be done another way (R23)."""
        report = await self._understood("license_updated", LicenseUpdated, payloads)
        if report is not None and not self._fulfilment.reported(report):
            reason = f"no license update {report.update_id} of this subscription is owed"
            await self._requests.refuse("license_updated", reason)

    @workflow.signal(description='Pay an open order with credits and the saved card: {"order_id": "…"}')
    async def order_paid(self, *payloads: object) -> None:
        """The customer wants an order paid."""
        request = await self._understood("order_paid", OrderPaid, payloads)
        if request is not None:
            answer = await self._ordering.pay(request)
            if answer.outcome == "refused":
                await self._requests.refuse("order_paid", answer.reason)

    @workflow.signal(dynamic=True)
    async def unknown_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """Refuse a signal whose name is not known: a typing error must show."""
        known = "cancel, resume, add_addons, payment_changed, license_updated, order_paid"
        await self._requests.refuse(name, f"there is no signal {name!r}; there are: {known}")

    @workflow.update(description="Do not renew; answers with the decision")
    async def request_cancel(self, *payloads: object) -> Decision:
        """Cancel the renewal and say what was decided (R7, R8)."""
        return await self._requests.updated(asked(Cancel, payloads))

    @workflow.update(description="Renew after all; answers with the decision")
    async def request_resume(self, *payloads: object) -> Decision:
        """Take a cancellation back and say what was decided (R9)."""
        return await self._requests.updated(asked(Resume, payloads))

    @workflow.update(description="Add add-ons now; answers with quote, charge and promise time")
    async def request_addons(self, *payloads: object) -> OrderAnswer:
        """Order add-ons at exactly their quote, or refuse (R14, R15)."""
        return await self._ordering.add_addons(asked(AddAddons, payloads))

    @workflow.update(
        description="Staff accepted another size or edition: order it, to be paid by the customer"
    )
    async def request_upgrade(self, *payloads: object) -> OrderAnswer:
        """Order an upgrade (R27)."""
        return await self._ordering.upgrade(asked(Upgrade, payloads))

    @workflow.update(description="Pay an open order with credits and the saved card")
    async def request_payment(self, *payloads: object) -> OrderAnswer:
        """Take the money for an order that waits to be paid."""
        return await self._ordering.pay(asked(OrderPaid, payloads))

    @workflow.update(description="What the next renewal leaves out or makes smaller")
    async def request_change_at_renewal(self, *payloads: object) -> OrderAnswer:
        """Mark add-ons to be dropped, or a smaller size or edition; replaces what was said before."""
        return await self._ordering.change_at_renewal(asked(ChangeAtRenewal, payloads))

    @workflow.query(
        description="State, term, milestones, decision, promise time, last failure, refused signals"
    )
    def status(self) -> Status:
        """Where the subscription stands and what happens next."""
        return self._standing.status(self._ordering.last_answer)

    async def _understood(self, signal: str, kind: type[Parsed], payloads: Sequence[object]) -> Parsed | None:
        """The message a signal carries; None if it was refused."""
        try:
            return parse(kind, payloads)
        except mistakes.NotUnderstood as wrong:
            await self._requests.refuse(signal, str(wrong))
            return None
