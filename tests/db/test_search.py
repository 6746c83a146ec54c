"""Staff find a customer by how the words of a name or an address begin."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db import search
from db.models.customer import Customer

Sessions = async_sessionmaker[AsyncSession]

NAMES = {
    "post@muller-hosting.example": "Jörg Müller GmbH",
    "pat.obrien@example.com": "O'Brien & Sons",
    "x@1e5.example": "X Ltd",
    "bo_li+work@xi-an.example": "Bo Li",
    "zoe@example.org": 'Zoë "The Host" 100% \\ Ltd',
}


@pytest.fixture
async def names(sessions: Sessions) -> Sessions:
    async with sessions.begin() as session:
        for number, (email, name) in enumerate(NAMES.items()):
            at = datetime(2027, 1, 1, tzinfo=UTC)
            session.add(Customer(id=f"cus_{number}", email=email, name=name, country="GB", created_at=at))
    return sessions


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("MÜL", ["Jörg Müller GmbH"]),
        ("jörg muller", ["Jörg Müller GmbH"]),
        ("hosting.ex", ["Jörg Müller GmbH"]),
        ("o'br", ["O'Brien & Sons"]),
        ("obrien@example", ["O'Brien & Sons"]),
        ("rien", []),
        ("x", ["X Ltd"]),
        ("1e", ["X Ltd"]),
        ("li bo", ["Bo Li"]),
        ("bo_li+wo", ["Bo Li"]),
        ("xi-an", ["Bo Li"]),
        ("ltd", ["X Ltd", 'Zoë "The Host" 100% \\ Ltd']),
        ("100%", ['Zoë "The Host" 100% \\ Ltd']),
        ("\\ the host", ['Zoë "The Host" 100% \\ Ltd']),
        ("!the:* | zoë", ['Zoë "The Host" 100% \\ Ltd']),
        ("%", []),
        ("' & !", []),
        ("nobody", []),
    ],
)
async def test_words_that_are_typed_begin_words_in_any_order(
    names: Sessions, typed: str, found: list[str]
) -> None:
    """Whatever is typed is taken as words, never as a query."""
    async with names() as session:
        assert [customer.name for customer in await search.customers(session, typed)] == found


async def test_no_more_are_read_than_are_asked_for(names: Sessions) -> None:
    async with names() as session:
        assert len(await search.customers(session, "example", limit=2)) == 2
