"""Licenses that come to us: what several rows of one customer say together (R26)."""

from __future__ import annotations

import pytest

from db import arrivals, intakes
from db.models.customer import Customer
from tests.db.office import Office, license_row

CARD, OTHER_CARD = "pm_card_visa", "pm_card_mastercard"


@pytest.fixture
def office(sessions) -> Office:
    return Office(sessions)


async def take(office, *rows):
    storing = office.storing()
    async with office.sessions.begin() as session:
        await intakes.begin(session, storing)
        await arrivals.take(session, storing, rows)


def rows(*cards, start=1, **facts):
    return [
        license_row(license_key=f"ARRIVES-{number:04}-KEY", card_token=card, **facts)
        for number, card in enumerate(cards, start=start)
    ]


@pytest.mark.parametrize("cards", [(CARD, None), (None, CARD), (None, CARD, None)])
async def test_a_card_that_one_row_names_is_the_card_of_the_customer(office, cards):
    await take(office, *rows(*cards))

    assert (await office.one(Customer)).card_token == CARD


async def test_a_customer_who_was_here_before_a_card_was_named_gets_it_and_keeps_it(office):
    await take(office, *rows(None))
    await take(office, *rows(CARD, start=2))
    await take(office, *rows(OTHER_CARD, None, start=3))

    assert (await office.one(Customer)).card_token == CARD


async def test_one_row_that_says_so_makes_a_previous_customer(office):
    first, second = rows(None, None)
    await take(office, license_row(license_key="ARRIVES-0009-KEY", previous_customer=True), first, second)

    assert (await office.one(Customer)).previous_customer
