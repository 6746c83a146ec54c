"""Requests are placed within bounds, for the right license, and decided once (R27)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db import request_decisions, requests
from db.models.audit import AuditRecord
from db.models.customer import Customer
from db.models.notice import Notice
from db.request_decisions import AlreadyDecided
from db.requests import (
    AlreadyAsked,
    Bounds,
    KeyKnown,
    KeyUnknown,
    Listed,
    NotTheirs,
    Placing,
    TooManyRequests,
    UnknownRequest,
)
from domain.request_form import Form, Kind
from tests.db.bookkeeper import at_once
from tests.db.office import RING
from tests.db.shelf import Shelf, statements

Sessions = async_sessionmaker[AsyncSession]

KEY = "REQUESTED-0001-9Z8Y"
AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
PLACING = Placing("customer", AT, RING, "GB")


def form(kind: Kind = "other", email: str = "new@example.com", key: str | None = None, **facts: Any) -> Form:
    stated = {column: text for column, text in facts.items() if column not in ("subscription_id", "text")}
    return Form(kind, email, key, facts.get("subscription_id"), facts.get("text", "Please."), stated)


@pytest.fixture
def shelf(sessions: Sessions) -> Shelf:
    return Shelf(sessions)


async def placed(sessions: Sessions, wish: Form, placing: Placing = PLACING) -> str:
    async with sessions.begin() as session:
        return (await requests.place(session, placing, wish)).id


async def decided(
    sessions: Sessions, request_id: str, decided: Any, by: str = "support:jo", **facts: Any
) -> None:
    async with sessions.begin() as session:
        await request_decisions.decide(session, request_id, decided, by, AT, **facts)


async def concluded(sessions: Sessions, request_id: str, **outcome: Any) -> None:
    async with sessions.begin() as session:
        await request_decisions.conclude(session, request_id, outcome, AT)


async def found(sessions: Sessions, request_id: str) -> Listed:
    async with sessions() as session:
        return await requests.one(session, request_id)


async def told(sessions: Sessions) -> list[tuple[str, str, str]]:
    async with sessions() as session:
        notices = (await session.scalars(select(Notice).order_by(Notice.id))).all()
    return [(notice.audience, notice.kind, notice.subject) for notice in notices]


async def audited(sessions: Sessions, request_id: str) -> list[tuple[str, str]]:
    async with sessions() as session:
        query = select(AuditRecord).where(AuditRecord.subject == request_id).order_by(AuditRecord.id)
        return [(line.actor, line.action) for line in (await session.scalars(query)).all()]


async def test_R27_a_request_of_somebody_unknown_is_put_before_staff_with_a_customer_to_answer_to(
    sessions: Sessions,
) -> None:
    request_id = await placed(sessions, form(customer_name="Jo Pine", country="JE"))

    listed = await found(sessions, request_id)
    assert (listed.customer.email, listed.customer.name, listed.customer.country) == (
        "new@example.com",
        "Jo Pine",
        "JE",
    )
    assert (listed.request.state, listed.request.kind, listed.request.text) == ("open", "other", "Please.")
    assert await told(sessions) == [("staff", "request_new", request_id)]
    assert await audited(sessions, request_id) == [("customer", "request")]


async def test_who_says_nothing_of_themselves_is_called_by_their_address_and_lives_where_we_do(
    sessions: Sessions,
) -> None:
    listed = await found(sessions, await placed(sessions, form(email="jo.pine@example.com")))

    assert (listed.customer.name, listed.customer.country) == ("jo.pine", "GB")


async def test_a_customer_we_know_is_left_as_they_are(sessions: Sessions, shelf: Shelf) -> None:
    held = await shelf.license(email="jo@pine.example")

    listed = await found(
        sessions,
        await placed(sessions, form(email="jo@pine.example", customer_name="Somebody", country="FR")),
    )

    assert listed.customer.id == held.customer.id
    assert (listed.customer.name, listed.customer.country) == ("Pine Hosting Ltd", "JE")


async def test_R28_the_key_is_sealed_for_the_request_and_shown_only_by_its_last_four(
    sessions: Sessions,
) -> None:
    request_id = await placed(sessions, form("add_key", key=KEY))

    request = (await found(sessions, request_id)).request
    assert request.license_key_ciphertext is not None
    assert KEY.encode() not in request.license_key_ciphertext
    assert RING.open(request.license_key_ciphertext, request_id) == KEY
    assert request.license_fingerprint == RING.fingerprint(KEY)
    assert request.details == {"last_four": "9Z8Y"}


async def test_R28_R29_staff_see_the_whole_key_while_they_decide_and_that_is_audited(
    sessions: Sessions,
) -> None:
    request_id = await placed(sessions, form("add_key", key=KEY))

    async with sessions.begin() as session:
        assert await requests.reveal(session, RING, request_id, "support:jo", AT, "to look it up") == KEY

    assert await audited(sessions, request_id) == [
        ("customer", "request"),
        ("support:jo", "reveal_license_key"),
    ]


async def test_a_key_that_is_in_the_system_is_refused(sessions: Sessions, shelf: Shelf) -> None:
    await shelf.license(license_key=KEY)

    with pytest.raises(KeyKnown, match="ending in 9Z8Y is in our system already"):
        await placed(sessions, form("add_key", key=KEY.lower()))
    assert not await told(sessions)


async def test_a_key_that_the_same_customer_has_asked_for_is_not_asked_for_twice(sessions: Sessions) -> None:
    request_id = await placed(sessions, form("add_key", key=KEY))

    with pytest.raises(AlreadyAsked, match=request_id):
        await placed(sessions, form("add_key", key=KEY))
    await placed(sessions, form("add_key", email="other@example.com", key=KEY))
    await decided(sessions, request_id, "declined", reason="not yours")
    await placed(sessions, form("add_key", key=KEY))


@pytest.mark.parametrize("kind", ["upgrade", "downgrade"])
async def test_another_size_is_asked_for_a_license_of_ones_own(
    sessions: Sessions, shelf: Shelf, kind: Kind
) -> None:
    held = await shelf.license(email="jo@pine.example", license_key=KEY)
    by_key = form(kind, "jo@pine.example", KEY)
    by_id = form(kind, "jo@pine.example", subscription_id=held.subscription.id)

    for wish in (by_key, by_id):
        listed = await found(sessions, await placed(sessions, wish))
        assert listed.request.subscription_id == held.subscription.id
        assert listed.customer.id == held.customer.id
    with pytest.raises(NotTheirs, match="another customer's"):
        await placed(sessions, form(kind, "eve@example.com", KEY))
    with pytest.raises(NotTheirs, match="another customer's"):
        await placed(sessions, form(kind, "eve@example.com", subscription_id=held.subscription.id))
    with pytest.raises(NotTheirs, match="no subscription sub_none"):
        await placed(sessions, form(kind, subscription_id="sub_none"))
    with pytest.raises(KeyUnknown, match="ask for it to be added first"):
        await placed(sessions, form(kind, key="UNKNOWN-0000-0000"))


async def test_an_address_has_so_many_open_requests_and_no_more(sessions: Sessions) -> None:
    placing = Placing("customer", AT, RING, "GB", Bounds(open=2, a_day=9))
    first = await placed(sessions, form(), placing)
    await placed(sessions, form(), placing)

    with pytest.raises(TooManyRequests, match=r"2 requests .* wait for an answer already"):
        await placed(sessions, form(), placing)
    await placed(sessions, form(email="other@example.com"), placing)
    await decided(sessions, first, "declined", reason="no")
    await placed(sessions, form(), placing)


async def test_an_address_has_so_many_requests_a_day_whatever_became_of_them(sessions: Sessions) -> None:
    bounds = Bounds(open=9, a_day=2)
    for _ in range(2):
        request_id = await placed(sessions, form(), Placing("customer", AT, RING, "GB", bounds))
        await decided(sessions, request_id, "declined", reason="no")

    last = AT + timedelta(days=1) - timedelta(microseconds=1)
    with pytest.raises(TooManyRequests, match="within a day"):
        await placed(sessions, form(), Placing("customer", last, RING, "GB", bounds))
    await placed(sessions, form(), Placing("customer", AT + timedelta(days=1), RING, "GB", bounds))


async def test_the_bounds_hold_for_requests_that_come_all_at_once(sessions: Sessions) -> None:
    placing = Placing("customer", AT, RING, "GB", Bounds(open=3, a_day=9))

    async def try_it() -> bool:
        try:
            await placed(sessions, form(), placing)
        except TooManyRequests:
            return False
        return True

    assert sorted(await at_once(*(try_it() for _ in range(8)))) == [False] * 5 + [True] * 3
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Customer)) == 1


async def test_R27_a_declined_request_is_over_and_the_customer_reads_why(sessions: Sessions) -> None:
    request_id = await placed(sessions, form("add_key", key=KEY))

    await decided(sessions, request_id, "declined", reason="The key is not yours.")

    request = (await found(sessions, request_id)).request
    assert (request.state, request.decided_by, request.decided_at) == ("declined", "support:jo", AT)
    assert (request.license_key_ciphertext, request.license_fingerprint) == (None, None), "R28"
    assert await told(sessions) == [
        ("staff", "request_new", request_id),
        ("customer", "request_declined", request_id),
    ]
    async with sessions() as session:
        notice = (await session.scalars(select(Notice).where(Notice.audience == "customer"))).one()
    assert notice.facts == {
        "request_id": request_id,
        "request_kind": "add_key",
        "answer": "The key is not yours.",
    }
    assert await audited(sessions, request_id) == [
        ("customer", "request"),
        ("support:jo", "request_declined"),
    ]


async def test_R27_two_who_decide_at_once_have_one_effect(sessions: Sessions) -> None:
    request_id = await placed(sessions, form())

    async def decide(by: str, what: str) -> str | None:
        try:
            await decided(sessions, request_id, what, by, reason="so be it")
        except AlreadyDecided as late:
            return str(late)
        return None

    said = await at_once(*(decide(f"support:{n}", "accepted" if n % 2 else "declined") for n in range(6)))

    request = (await found(sessions, request_id)).request
    refused = [text for text in said if text is not None]
    assert len(refused) == 5
    assert all(f"was {request.state} by {request.decided_by} at 2027-03-01 12:00" in text for text in refused)
    assert len(await audited(sessions, request_id)) == 2


async def test_an_accepted_request_is_told_of_once_when_it_is_carried_out(sessions: Sessions) -> None:
    request_id = await placed(sessions, form("upgrade"))
    await decided(sessions, request_id, "accepted", chosen={"size": "500"})
    assert not request_decisions.is_concluded((await found(sessions, request_id)).request)
    assert len(await told(sessions)) == 1

    await at_once(*(concluded(sessions, request_id, order="ord_1") for _ in range(3)))

    request = (await found(sessions, request_id)).request
    assert request_decisions.is_concluded(request)
    assert request.details == {"chosen": {"size": "500"}, "outcome": {"order": "ord_1"}}
    assert (await told(sessions))[1:] == [("customer", "request_accepted", request_id)]


async def test_what_cannot_be_carried_out_waits_for_another_decision(sessions: Sessions) -> None:
    request_id = await placed(sessions, form("upgrade", size="500"))
    await decided(sessions, request_id, "accepted", chosen={"size": "500"})

    async with sessions.begin() as session:
        await request_decisions.reopen(session, request_id, "support:jo", AT, "not an upgrade")

    request = (await found(sessions, request_id)).request
    assert (request.state, request.decided_by, request.details) == ("open", None, {"size": "500"})
    await decided(sessions, request_id, "declined", reason="sorry")


async def test_what_was_carried_out_is_not_opened_again(sessions: Sessions) -> None:
    request_id = await placed(sessions, form())
    await decided(sessions, request_id, "accepted", reason="done")
    await concluded(sessions, request_id)

    async with sessions.begin() as session:
        await request_decisions.reopen(session, request_id, "support:jo", AT, "why not")

    assert (await found(sessions, request_id)).request.state == "accepted"


async def test_a_customer_without_a_subscription_is_corrected_and_no_other(
    sessions: Sessions, shelf: Shelf
) -> None:
    held = await shelf.license()
    new = (await found(sessions, await placed(sessions, form()))).customer
    for customer_id in (held.customer.id, new.id):
        async with sessions.begin() as session:
            await request_decisions.correct_customer(session, customer_id, "Right Name", "US")

    async with sessions() as session:
        names = {c.id: (c.name, c.country) for c in await session.scalars(select(Customer))}
    assert names == {held.customer.id: ("Pine Hosting Ltd", "JE"), new.id: ("Right Name", "US")}


async def test_open_requests_are_listed_oldest_first_and_all_of_them_latest_first(
    engine: AsyncEngine, sessions: Sessions
) -> None:
    ids = sorted([await placed(sessions, form(email=f"c{number}@example.com")) for number in range(3)])
    await decided(sessions, ids[1], "declined", reason="no")

    with statements(engine) as sent:
        async with sessions() as session:
            waiting = await requests.listing(session)
    async with sessions() as session:
        everything = await requests.listing(session, decided_too=True)

    assert [listed.request.id for listed in waiting] == [ids[0], ids[2]]
    assert [listed.request.id for listed in everything] == [ids[2], ids[1], ids[0]]
    assert len(sent) == 1


async def test_an_unknown_request_is_said_to_be_unknown(sessions: Sessions) -> None:
    with pytest.raises(UnknownRequest, match="req_none"):
        await found(sessions, "req_none")
    with pytest.raises(UnknownRequest, match="req_none"):
        await decided(sessions, "req_none", "declined", reason="no")
