"""The queue of license updates that are owed, and the promises made with them (R23, R24)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import license_updates, subscriptions, update_queue
from db.models.audit import AuditRecord
from db.models.license_update import LicenseUpdate
from db.subscriptions import Held
from db.update_queue import ExpiryNotAsPromised, Month, QueuedUpdate, UnknownUpdate, UpdateClosed
from domain.messages import LicenseUpdated
from domain.tasks import UpdateStanding
from tests.db.office import RING
from tests.db.shelf import PAID_AT, PROMISE_AT, Shelf, statements

Sessions = async_sessionmaker[AsyncSession]

SNIFFER, MAPI = "Message Sniffer", "MAPI & EWS"
NOW = datetime(2027, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def shelf(sessions: Sessions) -> Shelf:
    return Shelf(sessions)


async def queued(sessions: Sessions, now: datetime = NOW, late_only: bool = False) -> list[QueuedUpdate]:
    async with sessions() as session:
        return await update_queue.queue(session, now, late_only)


async def one(sessions: Sessions, update_id: str) -> QueuedUpdate:
    async with sessions() as session:
        return await update_queue.one(session, update_id, NOW)


async def report(sessions: Sessions, held: Held, update_id: str, expires_on: date) -> UpdateStanding:
    """Staff's news, and what follows from it, as the workflow has it written down."""
    async with sessions.begin() as session:
        news = LicenseUpdated(update_id=update_id, expires_on=expires_on)
        standing = await license_updates.report(session, news, NOW)
        await session.flush()
        update = await session.get_one(LicenseUpdate, update_id)
        if standing.proof is not None:
            held = await subscriptions.held(session, held.subscription.id)
            await license_updates.done(session, held, update.order_id, standing.proof, NOW)
    return standing


async def test_what_is_owed_comes_soonest_promise_first_by_hand_and_by_api(
    sessions: Sessions, shelf: Shelf
) -> None:
    later = await shelf.paid(await shelf.license(), promise_at=PROMISE_AT + timedelta(days=1))
    by_api = await shelf.paid(await shelf.license(), channel="api")
    sooner = await shelf.paid(await shelf.license(), promise_at=PROMISE_AT - timedelta(hours=1))
    done = await shelf.paid(await shelf.license())
    await shelf.close(done, "done")
    await shelf.close(await shelf.paid(await shelf.license()), "refused")

    found = await queued(sessions)

    assert [(update.update_id, update.channel) for update in found] == [
        (sooner, "by_hand"),
        (by_api, "api"),
        (later, "by_hand"),
    ]


async def test_R23_those_past_their_promise_time_can_be_had_alone(sessions: Sessions, shelf: Shelf) -> None:
    late = await shelf.paid(await shelf.license())
    await shelf.paid(await shelf.license(), promise_at=PROMISE_AT + timedelta(microseconds=1))

    (found,) = await queued(sessions, now=PROMISE_AT, late_only=True)

    assert (found.update_id, found.late) == (late, True)
    assert not await queued(sessions, now=PROMISE_AT - timedelta(microseconds=1), late_only=True)


async def test_a_renewal_says_all_that_is_needed_to_do_it(sessions: Sessions, shelf: Shelf) -> None:
    held = await shelf.license(
        edition="Enterprise", size="500", addons=(MAPI, SNIFFER), license_key="RENEW-0001-9Z8Y"
    )
    await shelf.change(held, drop_addons=[SNIFFER], next_size="250")
    await shelf.paid(held)

    (found,) = await queued(sessions)

    assert (found.customer_name, found.last_four, found.paid_at) == ("Pine Hosting Ltd", "9Z8Y", PAID_AT)
    assert (found.product, found.edition, found.size, found.has) == (
        "SmarterMail",
        "Enterprise",
        "500",
        (MAPI, SNIFFER),
    )
    wanted = found.wanted
    assert (wanted.from_expires_on, wanted.to_expires_on) == (date(2027, 8, 31), date(2028, 8, 31))
    assert (wanted.edition, wanted.size, wanted.addons) == ("Enterprise", "250", (MAPI,))
    assert (found.to_add, wanted.dropped) == ((), (SNIFFER,))
    assert "RENEW-0001" not in repr(found)


async def test_an_addon_and_an_upgrade_leave_the_expiry_as_it_is(sessions: Sessions, shelf: Shelf) -> None:
    held = await shelf.license(addons=(MAPI,))
    await shelf.paid(held, "addon", added=[SNIFFER])
    await shelf.paid(
        held, "upgrade", promise_at=PROMISE_AT + timedelta(hours=1), edition="Enterprise", size="500"
    )

    addon, upgrade = await queued(sessions)

    assert (addon.to_add, addon.wanted.addons) == ((SNIFFER,), (MAPI, SNIFFER))
    assert (addon.wanted.edition, addon.wanted.size) == ("Professional", "250")
    assert (upgrade.wanted.edition, upgrade.wanted.size) == ("Enterprise", "500")
    assert addon.wanted.to_expires_on == upgrade.wanted.to_expires_on == date(2027, 8, 31)


async def test_two_addons_ordered_one_after_the_other_and_done_by_hand_are_both_kept(
    sessions: Sessions, shelf: Shelf
) -> None:
    """R24: the second was ordered before the first was done, and must not undo it."""
    held = await shelf.license(addons=())
    first = await shelf.paid(held, "addon", added=[MAPI])
    second = await shelf.paid(held, "addon", added=[SNIFFER])
    expires_on = held.subscription.expires_on

    await report(sessions, held, first, expires_on)
    assert (await one(sessions, second)).wanted.addons == (MAPI, SNIFFER)
    standing = await report(sessions, held, second, expires_on)

    assert standing.proof is not None
    assert standing.proof.addons == (MAPI, SNIFFER)
    assert (await shelf.held(held.subscription.id)).license.addons == [MAPI, SNIFFER]


async def test_an_addon_ordered_while_the_renewal_is_done_by_hand_keeps_its_new_expiry(
    sessions: Sessions, shelf: Shelf
) -> None:
    held = await shelf.license(addons=(MAPI,))
    await shelf.change(held, drop_addons=[MAPI])
    renewal = await shelf.paid(held)
    addon = await shelf.paid(held, "addon", added=[SNIFFER])

    await report(sessions, held, renewal, date(2028, 8, 31))
    assert (await one(sessions, addon)).wanted.to_expires_on == date(2028, 8, 31)
    too_early = await report(sessions, held, addon, date(2027, 8, 31))
    done = await report(sessions, held, addon, date(2028, 8, 31))

    assert too_early.proof is None
    assert done.proof is not None
    license = (await shelf.held(held.subscription.id)).license
    assert (license.addons, license.vendor_expires_on) == ([SNIFFER], date(2028, 8, 31))


async def test_R24_an_update_is_done_when_the_record_shows_what_was_promised(
    sessions: Sessions, shelf: Shelf
) -> None:
    found = await one(sessions, await shelf.paid(await shelf.license()))

    found.check_done(date(2028, 8, 31))
    found.check_done(date(2028, 9, 30))
    with pytest.raises(ExpiryNotAsPromised, match=r"shows 2028-08-30, promised is 2028-08-31"):
        found.check_done(date(2028, 8, 30))
    with pytest.raises(ExpiryNotAsPromised, match=r"2082-08-31 .* slip of the hand"):
        found.check_done(date(2082, 8, 31))


@pytest.mark.parametrize("state", ["done", "refused"])
async def test_nothing_is_reported_of_an_update_that_is_over(
    sessions: Sessions, shelf: Shelf, state: str
) -> None:
    update_id = await shelf.paid(await shelf.license())
    await shelf.close(update_id, state)

    found = await one(sessions, update_id)

    with pytest.raises(UpdateClosed, match=f"is {state} already"):
        found.check_done(date(2028, 8, 31))
    with pytest.raises(UpdateClosed):
        found.check_open()


async def test_R28_a_key_is_shown_whole_to_staff_and_that_is_audited(
    sessions: Sessions, shelf: Shelf
) -> None:
    held = await shelf.license(license_key="SECRET-0001-9Z8Y")
    update_id = await shelf.paid(held)

    async with sessions.begin() as session:
        shown = await update_queue.reveal(session, RING, update_id, "support:jo", NOW)

    assert shown == "SECRET-0001-9Z8Y"
    async with sessions() as session:
        (line,) = await session.scalars(select(AuditRecord).where(AuditRecord.action == "reveal_license_key"))
    assert (line.actor, line.subject, line.at) == ("support:jo", held.license.id, NOW)
    assert "SECRET" not in f"{line.details}{line.reason}"
    assert update_id in (line.reason or "")


async def test_an_unknown_update_is_said_to_be_unknown(sessions: Sessions) -> None:
    with pytest.raises(UnknownUpdate, match="upd_none"):
        await one(sessions, "upd_none")
    async with sessions() as session:
        with pytest.raises(UnknownUpdate, match="upd_none"):
            await update_queue.reveal(session, RING, "upd_none", "support:jo", NOW)


async def test_R23_the_share_of_promises_kept_is_counted_by_the_local_month_in_which_they_fell_due(
    sessions: Sessions, shelf: Shelf
) -> None:
    august, september = (
        datetime(2027, 8, 31, hour, 30, tzinfo=UTC) for hour in (22, 23)
    )  # 23:30 and 00:30 local
    kept, broken_late, refused, refused_late = [
        await shelf.paid(await shelf.license(), promise_at=august) for _ in range(4)
    ]
    overdue = await shelf.paid(await shelf.license(), promise_at=august)
    owed = await shelf.paid(await shelf.license(), promise_at=september)
    await shelf.close(kept, "done", at=august)
    await shelf.close(broken_late, "done", at=august + timedelta(seconds=1))
    await shelf.close(refused, "refused")
    await shelf.close(refused_late, "refused", late=True)

    async with sessions() as session:
        months = await update_queue.promises(session, "Europe/London", august + timedelta(minutes=1))

    assert owed != overdue
    assert months == [
        Month("2027-09", kept=0, broken=0, refused=0, owed=1),
        Month("2027-08", kept=1, broken=3, refused=1, owed=0),
    ]


async def test_however_long_the_queue_it_takes_one_statement(
    engine: AsyncEngine, sessions: Sessions, shelf: Shelf
) -> None:
    for _ in range(5):
        await shelf.paid(await shelf.license())

    with statements(engine) as sent:
        found = await queued(sessions)
        async with sessions() as session:
            await update_queue.promises(session, "Europe/London", NOW)

    assert len(found) == 5
    assert len([statement for statement in sent if "license_updates" in statement]) == 2
    assert len(sent) == 2
