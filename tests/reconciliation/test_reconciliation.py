"""Whatever happens behind our back is found: healed where that is safe, reported where it is not."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text

import starter
from activities.intake import life_of
from activities.lives import life_again
from activities.till import Till
from db import invoices, orders
from db import payments as payment_rows
from db.models.difference import DifferenceRecord
from db.models.notice import Notice
from db.models.payment import Payment
from domain.differences import Kind
from domain.messages import TASK_QUEUE, State
from domain.reconciliation import Reconciled
from payments.charge import Charge, Charged
from tests.end_to_end.world import OwnWorker
from tests.money.book import RENEWAL_MINOR, Book, Subscribed
from tests.vendor.running import ROOT

OPEN = (DifferenceRecord.healed_at.is_(None), DifferenceRecord.gone_at.is_(None))


async def reconciled(book: Book) -> Reconciled:
    async with asyncio.timeout(60):
        return await starter.reconcile(book.world.client)


async def found(book: Book, subject: str) -> list[DifferenceRecord]:
    query = select(DifferenceRecord).where(DifferenceRecord.subject == subject)
    async with book.world.sessions() as session:
        return list(await session.scalars(query.order_by(DifferenceRecord.id)))


async def nothing_left(book: Book) -> None:
    """What the test had done is mended: nothing is open any more, and another look changes nothing."""
    again = await reconciled(book)
    assert (again.healed, again.open, again.unchecked) == (0, 0, ())


async def lost(subscription: Subscribed) -> None:
    """Terminated by hand; when it is started anew its clock shows the real time."""
    await subscription.handle.terminate("by hand")
    subscription.world.clocks.begins_anew(subscription.workflow_id)


async def paid_with_card(book: Book) -> Subscribed:
    subscription = await book.subscription()
    await subscription.customer.save_card()
    return subscription


async def reconcile_typed(book: Book) -> tuple[int, dict[str, object]]:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "starter.py",
        "reconcile",
        "--json",
        cwd=ROOT,
        env={**book.world.variables, "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    return program.returncode or 0, json.loads(out)


async def test_a_healthy_book_has_nothing_to_look_at_and_the_command_ends_with_0(book: Book):
    subscription = await paid_with_card(book)
    await subscription.days_before_expiry(10)
    await subscription.until_renewed()

    code, told = await reconcile_typed(book)

    assert (code, told["differences"]) == (0, [])
    assert told["checked"]["licenses"] >= 1


async def test_one_terminated_asleep_is_started_anew_and_renews_once(book: Book):
    subscription = await paid_with_card(book)
    await subscription.days_before_expiry(40)
    await lost(subscription)

    assert (await reconciled(book)).healed == 1
    await subscription.days_before_expiry(10)
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert len(await subscription.notices("reminder_60")) == 1
    await nothing_left(book)


async def test_one_terminated_while_it_collects_goes_on_and_takes_the_money_once(book: Book):
    subscription = await book.subscription()
    await subscription.customer.grant(100_00)
    await subscription.days_before_expiry(13)
    await subscription.until(State.COLLECTING)
    await lost(subscription)
    await subscription.customer.save_card()

    await reconciled(book)
    assert (await subscription.status()).state == State.COLLECTING
    await subscription.days_before_expiry(11)
    await subscription.until_renewed()

    assert subscription.renewals() == subscription.one_renewal
    assert await subscription.customer.taken() == [(RENEWAL_MINOR - 100_00, "GBP")]
    assert await subscription.orders() == ["fulfilled"]
    await nothing_left(book)


async def test_one_terminated_between_charge_and_record_is_found_paid_and_charged_once(
    book: Book, worker: OwnWorker
):
    """R25: the row says unknown; the provider knows."""
    subscription = await book.subscription()
    await subscription.days_before_expiry(13)
    await subscription.until(State.COLLECTING)
    await lost(subscription)
    card = await subscription.customer.save_card()
    async with book.world.sessions.begin() as session:
        order = (await orders.open_renewals(session, subscription.id))[0]
        invoice, due_minor = await invoices.of_order(session, order.id)
        payment = await payment_rows.begin_charge(
            session, invoice, order.key, due_minor, card.payment_method, datetime.now(UTC)
        )
        payment.status, payment.recorded_at = "unknown", datetime.now(UTC) - timedelta(hours=2)
    wanted = Charge(payment.key, card.customer_reference, due_minor, "GBP", "renewal", card.payment_method)
    assert isinstance(await book.world.provider.charge(wanted), Charged)

    await reconciled(book)
    await subscription.days_before_expiry(13)
    await subscription.until_renewed()

    assert [one.healed_at is not None for one in await found(book, payment.id)] == [True]
    assert await subscription.customer.taken() == [(RENEWAL_MINOR, "GBP")]
    assert [one.status for one in await subscription.payments()] == ["succeeded"]
    await nothing_left(book)


async def test_one_started_twice_by_hand_is_reported_and_not_terminated(book: Book):
    subscription = await book.subscription()
    life = life_of(await subscription.row(), book.world.settings.policy())
    twin = await book.world.client.start_workflow(
        "Subscription", life, id=f"copy-of-{subscription.id}", task_queue=TASK_QUEUE
    )

    async def visible() -> bool:
        query = f'WorkflowId = "{twin.id}"'
        return [one async for one in book.world.client.list_workflows(query)] != []

    async with asyncio.timeout(10):
        while not await visible():
            await asyncio.sleep(0.05)
    result = await reconciled(book)

    assert result.open == 1
    [reported] = await found(book, twin.id)
    assert (reported.kind, reported.details) == (Kind.WORKFLOW_STRAY, {"subscription": subscription.id})
    await twin.terminate("it was the wrong one")
    async with asyncio.timeout(10):
        while (await reconciled(book)).open:
            pass
    await nothing_left(book)


async def test_what_somebody_else_changed_at_the_vendor_is_reported_once_and_not_undone(book: Book):
    subscription = await book.subscription()
    facts = {"product": "SmarterMail", "edition": "Professional", "size": "250", "addons": []}
    license = facts | {"license_key": subscription.license_key, "expires_on": str(subscription.expires_on)}
    changed = license | {"size": "500"}
    book.world.vendor.control("POST", "/sandbox/licenses?replace=true", json=[changed])

    assert (await reconciled(book)).open == 1
    code, told = await reconcile_typed(book)

    assert (code, len(told["differences"])) == (1, 1)
    [reported] = await found(book, subscription.id)
    assert reported.kind == Kind.LICENSE_DIFFERS
    assert "500" in reported.details["vendor"]
    async with book.world.sessions() as session:
        letters = await session.scalars(select(Notice.facts).where(Notice.kind == "differences_found"))
        lines = [line["subject"] for facts in letters for line in facts["found"]]
    assert lines.count(subscription.id) == 1
    book.world.vendor.control("POST", "/sandbox/licenses?replace=true", json=[license])
    await nothing_left(book)


async def test_a_charge_that_we_do_not_know_is_reported_until_somebody_accepts_it(book: Book):
    subscription = await book.subscription()
    card = await subscription.customer.save_card()
    charged = await book.world.provider.charge(
        Charge("by-hand", card.customer_reference, 25_00, "GBP", "by phone", card.payment_method)
    )
    assert isinstance(charged, Charged)

    assert (await reconciled(book)).open == 1
    [reported] = await found(book, charged.reference)
    assert reported.kind == Kind.CHARGE_UNKNOWN_HERE
    async with book.world.sessions.begin() as session:
        row = await session.get(DifferenceRecord, reported.id)
        assert row is not None
        row.accepted_at, row.accepted_by = datetime.now(UTC), "staff:jo"
    await nothing_left(book)


async def test_a_charge_of_another_amount_there_is_reported(book: Book):
    subscription = await paid_with_card(book)
    await subscription.days_before_expiry(10)
    await subscription.until_renewed()
    [payment] = await subscription.payments()
    async with book.world.sessions.begin() as session:
        row = await session.get(Payment, payment.id)
        assert row is not None
        row.amount_minor += 1

    assert (await reconciled(book)).open == 1
    [reported] = await found(book, payment.provider_reference or "")
    assert reported.kind == Kind.CHARGE_DIFFERS
    async with book.world.sessions.begin() as session:
        row = await session.get(Payment, payment.id)
        assert row is not None
        row.amount_minor -= 1
    await nothing_left(book)


async def test_a_ledger_changed_past_its_guards_is_reported(book: Book):
    subscription = await book.subscription()
    await subscription.customer.grant(10_00)

    async def tamper(amount_minor: int) -> None:
        async with book.world.sessions.begin() as session:
            await session.execute(text("SET LOCAL session_replication_role = replica"))
            await session.execute(
                text(
                    "UPDATE entries SET amount_minor = amount_minor + :more WHERE account_id IN"
                    " (SELECT id FROM accounts WHERE customer_id = :customer AND kind = 'grant')"
                ),
                {"more": amount_minor, "customer": subscription.customer.id},
            )

    await tamper(1)
    result = await reconciled(book)
    kinds = await _open_kinds(book)
    await tamper(-1)

    assert result.open == 3
    assert kinds == [Kind.LEDGER_BROKEN, Kind.LEDGER_BROKEN, Kind.TRIAL_BALANCE]
    await nothing_left(book)


async def test_a_life_read_back_is_the_one_that_was_lost(book: Book):
    """State, reminders, money waited for: as the workflow itself carried them."""
    subscription = await book.subscription()
    await subscription.days_before_expiry(13)
    status = await subscription.until(State.COLLECTING)
    settings = book.world.settings
    till = Till(settings.price_list(), settings.working_days(), settings.policy(), cards=True)

    async with book.world.sessions() as session:
        life = await life_again(session, await subscription.row(), till)

    assert (life.state, life.failure, life.reminders_sent) == (State.COLLECTING, status.last_failure, 3)
    assert (life.term, life.round, life.plan) == (status.term, 1, status.plan)


async def _open_kinds(book: Book) -> list[str]:
    async with book.world.sessions() as session:
        open_ones = select(DifferenceRecord.kind).where(*OPEN, DifferenceRecord.accepted_at.is_(None))
        rows = await session.scalars(open_ones)
        return sorted(rows)
