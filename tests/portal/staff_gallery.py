"""Something on every page of staff, and the pages: for the tests of their looks and for the screenshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from db import customers, differences
from db.models.license_update import LicenseUpdate
from domain.differences import Difference, Kind
from tests.eventually import eventually
from tests.money.book import Book
from tests.money.world import World
from tests.portal.doings import bad_file, order_addons
from tests.portal.gallery import pages

OWING = 3


async def staff_pages(world: World, book: Book) -> dict[str, str]:
    """Name → path of each page, the main ones first; somebody owes money, something is promised, something differs."""
    email, theirs = await pages(world, book)
    owing = [
        await book.subscription(
            book.customer("GB"), expires_on=datetime.now(UTC).date() + timedelta(days=9 + 21 * number)
        )
        for number in range(OWING)
    ]

    async def owes() -> bool:
        return (await owing[0].row()).subscription.state == "collecting"

    await eventually(owes, "somebody owes money")
    await owing[2].customer.grant(500_00)
    trouble = {"kind": "down", "license_key": owing[2].license_key}
    world.vendor.control("POST", "/sandbox/faults", json=trouble)
    await order_addons(world, owing[2])
    async with world.sessions.begin() as session:
        found = Difference(Kind.LICENSE_DIFFERS, owing[1].id, {"ours": "250", "vendor": "500"})
        await differences.seen(session, [found], datetime.now(UTC))
        customer = await customers.find(session, email)
        updates = list(await session.scalars(select(LicenseUpdate.id).order_by(LicenseUpdate.id.desc())))
    subscription, other = theirs["subscription"], theirs["too-late-to-cancel"].removesuffix("/cancel")
    return {
        "staff-overview": "/staff",
        "staff-customer": f"/staff/customers/{customer.id}",
        "staff-subscription": f"/staff{other}",
        "staff-updates": "/staff/updates",
        "staff-update": f"/staff/updates/{updates[0]}",
        "staff-request": f"/staff{theirs['request']}",
        "staff-import": f"/staff/imports/{await bad_file(world)}",
        "staff-update-done": f"/staff/updates/{updates[-1]}",
        "staff-requests": "/staff/requests",
        "staff-imports": "/staff/imports",
        "staff-search": "/staff/search?q=example",
        "staff-invoice": f"/staff{theirs['invoice']}",
        "staff-refund": f"/staff{theirs['invoice']}/refund",
        "staff-grant": f"/staff/customers/{customer.id}/grant",
        "staff-cancel": f"/staff{subscription}/cancel",
        "staff-resume": f"/staff{subscription}/resume",
        "staff-addons": f"/staff{subscription}/addons",
        "staff-quote": f"/staff{theirs['quote']}",
        "staff-differences": "/staff/differences",
    }
