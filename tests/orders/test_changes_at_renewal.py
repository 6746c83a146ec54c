"""What a customer no longer wants ends at the renewal: price and license follow there, not before (R21, R27)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.orders.days import DAY, local
from tests.orders.price_list import MAPI, SNIFFER, SYNC, gross
from tests.orders.shop import Shop


async def test_a_dropped_add_on_is_gone_from_price_and_license_at_the_renewal(shop: Shop):
    """R21: until then the license has it; the term after that knows nothing of the wish any more."""
    customer = await shop.customer(addons=[SNIFFER, MAPI])

    answer = await customer.at_renewal(SNIFFER)

    assert answer.outcome == "accepted"
    await customer.at(customer.plan.renews_at - timedelta(minutes=5))
    assert (await customer.at_vendor())["addons"] == sorted([SNIFFER, MAPI])
    reminded = [n.facts["total_minor"] for n in await customer.notices() if n.kind.startswith("reminder")]
    await customer.at(local(customer.expires_on - 13 * DAY))
    await customer.settled()
    assert (await customer.at_vendor())["addons"] == [MAPI]
    assert await customer.taken_minor() == [gross(300_00, 220_00)]
    assert set(reminded) == {gross(300_00, 220_00)}
    row = await customer.row()
    assert (row.license.addons, row.subscription.drop_addons) == ([MAPI], [])
    await customer.at(local(customer.next_expires_on - 13 * DAY))
    await customer.settled()
    assert (await customer.at_vendor())["addons"] == [MAPI]
    assert await customer.taken_minor() == [gross(300_00, 220_00)] * 2


async def test_an_add_on_that_is_unmarked_again_stays(shop: Shop):
    """R21: what was said last counts; it replaces all that was said before."""
    customer = await shop.customer(addons=[SNIFFER, MAPI])
    await customer.at_renewal(SNIFFER, MAPI)
    await customer.at_renewal(MAPI)
    await customer.at_renewal()

    await customer.at(local(customer.expires_on - 13 * DAY))

    await customer.settled()
    assert (await customer.at_vendor())["addons"] == sorted([SNIFFER, MAPI])
    assert await customer.taken_minor() == [gross(300_00, 120_00, 220_00)]
    assert len(await customer.audit("change_at_renewal")) == 3


async def test_a_downgrade_takes_effect_at_the_renewal_and_add_ons_follow_the_size(shop: Shop):
    """R12, R27: edition and size become smaller then; add-ons cost what they cost for the smaller size."""
    customer = await shop.customer(edition="Enterprise", size="500", addons=[SNIFFER])

    answer = await customer.at_renewal(edition="Professional", size="250")

    assert answer.outcome == "accepted"
    await customer.at(customer.plan.renews_at - timedelta(minutes=5))
    license = await customer.at_vendor()
    assert (license["edition"], license["size"]) == ("Enterprise", "500")
    await customer.at(local(customer.expires_on - 13 * DAY))
    status = await customer.settled()
    license = await customer.at_vendor()
    assert (license["edition"], license["size"], license["addons"]) == ("Professional", "250", [SNIFFER])
    assert await customer.taken_minor() == [gross(200_00, 80_00)]
    assert status.last_failure is None
    assert status.product == "SmarterMail Professional 250"


async def test_an_add_on_bought_after_a_downgrade_was_asked_for_is_renewed_at_the_smaller_size(shop: Shop):
    """R12, R14: bought at the size of this term, renewed at that of the next."""
    customer = await shop.customer(size="500")
    await customer.at_renewal(size="250")
    bought = await customer.buy(SNIFFER)
    assert bought.quote is not None

    await customer.at(local(customer.expires_on - 13 * DAY))

    await customer.settled()
    assert await customer.taken_minor() == [bought.quote.total_minor, gross(200_00, 80_00)]
    license = await customer.at_vendor()
    assert (license["size"], license["addons"]) == ("250", [SNIFFER])


@pytest.mark.parametrize(
    ("drop", "edition", "size", "says"),
    [
        ((MAPI,), None, None, "does not have 'MAPI & EWS'"),
        ((), None, "500", "ask for an upgrade instead"),
        ((), "Professional", None, "Exchange ActiveSync"),
        ((), None, "77", "77"),
    ],
    ids=["not held", "not smaller", "an add-on does not fit", "no such size"],
)
async def test_what_cannot_be_is_refused(
    shop: Shop, drop: tuple[str, ...], edition: str | None, size: str | None, says: str
):
    """R27: with a sentence that names it; nothing is noted."""
    customer = await shop.customer(edition="Enterprise", size="250", addons=[SYNC])

    answer = await customer.at_renewal(*drop, edition=edition, size=size)

    assert answer.outcome == "refused"
    assert says in answer.reason
    row = (await customer.row()).subscription
    assert (row.drop_addons, row.next_edition, row.next_size) == ([], None, None)


@pytest.mark.parametrize("card", ["pm_card_visa", None], ids=["the vendor is down", "money is missing"])
async def test_after_the_renewal_date_it_is_too_late(shop: Shop, card: str | None):
    """R21: the renewal is priced; the answer says so and nothing changes."""
    customer = await shop.customer(addons=[SNIFFER], card=card)
    await customer.vendor_trouble("down")
    await customer.at(customer.plan.renews_at + timedelta(minutes=1))

    answer = await customer.at_renewal(SNIFFER)

    assert answer.outcome == "refused"
    assert "renewal date has passed" in answer.reason
    assert (await customer.row()).subscription.drop_addons == []
