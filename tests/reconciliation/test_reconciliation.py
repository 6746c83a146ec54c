"""Whatever happens behind our back is found: healed where that is safe, reported where it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text
from temporalio.testing import ActivityEnvironment

from activities.refunding import RefundActivities
from db.life import life_of
from db.models.audit import AuditRecord
from db.models.difference import DifferenceRecord
from db.models.notice import Notice
from db.models.payment import Payment
from domain.differences import Kind
from domain.messages import TASK_QUEUE
from domain.tasks import RefundRequest
from payments.charge import Charge, Charged
from sandbox import ports
from tests.eventually import eventually
from tests.money.book import Book
from tests.reconciliation.accidents import (
    found,
    nothing_left,
    paid_with_card,
    reconciled,
    reconciled_by_hand,
    typed,
)

NOW = datetime.now(UTC)
OPEN = (DifferenceRecord.healed_at.is_(None), DifferenceRecord.gone_at.is_(None))


async def test_a_healthy_book_has_nothing_to_look_at_and_the_command_ends_with_0(book: Book):
    subscription = await paid_with_card(book)
    await subscription.days_before_expiry(10)
    await subscription.until_renewed()

    code, told = await reconciled_by_hand(book)

    assert (code, told["differences"]) == (0, [])
    assert told["checked"]["licenses"] >= 1


async def test_one_started_twice_by_hand_is_reported_and_not_terminated(book: Book):
    subscription = await book.subscription()
    life = life_of(await subscription.row(), book.world.settings.policy())
    twin = await book.world.client.start_workflow(
        "Subscription", life, id=f"copy-of-{subscription.id}", task_queue=TASK_QUEUE
    )

    async def visible() -> bool:
        query = f'WorkflowId = "{twin.id}"'
        return [one async for one in book.world.client.list_workflows(query)] != []

    await eventually(visible, "the twin is seen")
    result = await reconciled(book)

    assert result.open == 1
    [reported] = await found(book, twin.id)
    assert (reported.kind, reported.details) == (Kind.WORKFLOW_STRAY, {"subscription": subscription.id})
    await twin.terminate("it was the wrong one")

    async def gone() -> bool:
        return not (await reconciled(book)).open

    await eventually(gone, "the twin is seen no more")
    await nothing_left(book)


async def test_what_somebody_else_changed_at_the_vendor_is_reported_once_and_not_undone(book: Book):
    subscription = await book.subscription()
    facts = {"product": "SmarterMail", "edition": "Professional", "size": "250", "addons": []}
    license = facts | {"license_key": subscription.license_key, "expires_on": str(subscription.expires_on)}
    changed = license | {"size": "500"}
    book.world.vendor.control("POST", "/sandbox/licenses?replace=true", json=[changed])

    assert (await reconciled(book)).open == 1
    code, told = await reconciled_by_hand(book)

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


async def test_a_license_that_the_vendor_does_not_answer_for_is_reported_and_holds_nothing_up(book: Book):
    stumbles, changed = await book.subscription(), await book.subscription()
    book.world.vendor.fault("fail", stumbles.license_key)
    book.world.vendor.control(
        "POST",
        "/sandbox/licenses/status",
        json={"license_keys": [changed.license_key], "status": "revoked"},
    )

    result = await reconciled(book)

    assert (result.open, result.unchecked) == (2, ())
    facts = [[one.details for one in await found(book, each.id)] for each in (stumbles, changed)]
    assert facts == [[{"vendor": "answers for others, not for this one"}], [{"vendor": "RevokedKey"}]]
    book.world.vendor.control("DELETE", "/sandbox/faults")
    active = {"license_keys": [changed.license_key], "status": "active"}
    book.world.vendor.control("POST", "/sandbox/licenses/status", json=active)
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
    code, told = await reconciled_by_hand(
        book, "--accept", reported.id, "--reason", "by phone", "--by", "staff:jo"
    )
    assert (code, told) == (0, {"difference": reported.id, "accepted_by": "staff:jo"})
    await nothing_left(book)
    async with book.world.sessions() as session:
        accepted = AuditRecord.action == "accept_difference", AuditRecord.subject == charged.reference
        [audited] = (await session.scalars(select(AuditRecord).where(*accepted))).all()
    assert (audited.actor, audited.reason) == ("staff:jo", "by phone")


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


async def test_a_card_refund_that_stuck_is_carried_out_once(book: Book):
    """R20, R25: written down, and the workflow that would carry it out is gone; then its answer is lost, too."""
    subscription = await paid_with_card(book)
    await subscription.days_before_expiry(10)
    await subscription.until_renewed()
    [paper] = await subscription.customer.papers()
    writing = RefundActivities(book.world.sessions, book.world.settings.zone)
    wish = RefundRequest(
        invoice=paper.number, amount_minor=50_00, reference="r-1", by="staff:jo", reason="moved", at=NOW
    )
    [payment_id] = (await ActivityEnvironment().run(writing.write_refund, wish)).payment_ids

    for status in ("pending", "unknown"):
        async with book.world.sessions.begin() as session:
            row = await session.get(Payment, payment_id)
            assert row is not None
            row.status, row.completed_at, row.provider_reference = status, None, None
            row.recorded_at = datetime.now(UTC) - timedelta(hours=2)
        assert (await reconciled(book)).healed == 1
        assert await subscription.customer.refunds() == [50_00]

    assert [one.healed_at is not None for one in await found(book, payment_id)] == [True, True]
    assert [one.status for one in await subscription.payments("refund")] == ["succeeded"]
    await nothing_left(book)


async def test_without_a_server_the_command_says_so_and_ends_with_3(book: Book):
    code, told = await typed(book.world, TEMPORAL_ADDRESS=f"127.0.0.1:{ports.free()}")

    assert (code, told) == (3, "")


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


async def _open_kinds(book: Book) -> list[str]:
    async with book.world.sessions() as session:
        open_ones = select(DifferenceRecord.kind).where(*OPEN, DifferenceRecord.accepted_at.is_(None))
        rows = await session.scalars(open_ones)
        return sorted(rows)
