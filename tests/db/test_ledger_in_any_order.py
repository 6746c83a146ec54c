"""Whatever happens in whatever order, the books stay whole (R17–R20)."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import ledger, remainders
from domain.credits import GrantKind
from tests.db.bookkeeper import TODAY, Bookkeeper

REFUSALS = (ledger.AlreadyReversed, remainders.NotExpired, remainders.NotAPurchase)

which = st.integers(0, 5)
amounts = st.integers(1, 500)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), amounts, st.sampled_from(["purchase", "promotional"]), st.none() | which),
        st.tuples(st.just("pay"), which, amounts),
        st.tuples(st.just("overuse"), which, amounts),
        st.tuples(st.just("reverse"), which, which),
        st.tuples(st.just("expire"), which, which),
        st.tuples(st.just("convert"), which),
        st.tuples(st.just("repeat"), which),
    ),
    min_size=3,
    max_size=14,
)


class Account:
    """A customer whose grants and movements are chosen by number, and what each step should do."""

    def __init__(self, books: Bookkeeper, customer_id: str, invoice: str) -> None:
        self.books, self.customer_id, self.invoice = books, customer_id, invoice
        self.grants: list[str] = []
        self.uses: list[tuple[str, tuple[tuple[str, int], ...]]] = []
        self.reversed: set[str] = set()

    async def grant(self, amount_minor: int, kind: GrantKind, days: int | None) -> None:
        expires_on = None if days is None else TODAY + timedelta(days=days)
        reference = f"{self.customer_id}/{len(self.grants)}"
        granted = await self.books.grant(
            self.customer_id, amount_minor, kind, reference=reference, expires_on=expires_on
        )
        self.grants.append(granted.grant_id)

    async def pay(self, number: int, amount_minor: int) -> None:
        key = f"{self.customer_id}/pay/{len(self.uses)}"
        uses = await self.books.pay(key, self.customer_id, self.invoice, amount_minor)
        if uses:
            self.uses.append((key, tuple((str(use.grant_id), use.amount_minor) for use in uses)))

    async def overuse(self, number: int, amount_minor: int) -> None:
        if self.grants:
            grant_id = self.grants[number % len(self.grants)]
            more = await self.books.left(grant_id) + amount_minor
            with pytest.raises(ledger.BalanceTooLow):
                await self.books.use(f"{self.customer_id}/overuse", self.invoice, (grant_id, more))

    async def reverse(self, number: int, name: int) -> None:
        if self.uses:
            key, uses = self.uses[number % len(self.uses)]
            before = [await self.books.left(grant_id) for grant_id, _ in uses]
            reversal = await self.books.reverse(key, f"{key}/reversed/{name}")
            after = [await self.books.left(grant_id) for grant_id, _ in uses]
            gained = [amount_minor if reversal.new else 0 for _, amount_minor in uses]
            assert after == [left + amount for left, amount in zip(before, gained, strict=True)]
            assert reversal.new == (key not in self.reversed)
            self.reversed.add(key)

    async def expire(self, number: int, days: int) -> None:
        if self.grants:
            grant_id = self.grants[number % len(self.grants)]
            before = await self.books.left(grant_id)
            assert await self.books.expire(grant_id, TODAY + timedelta(days=days)) == before
            assert await self.books.left(grant_id) == 0

    async def convert(self, number: int) -> None:
        if self.grants:
            grant_id = self.grants[number % len(self.grants)]
            before = await self.books.left(grant_id)
            converted = await self.books.convert(grant_id, f"{grant_id}/rest/{len(self.grants)}")
            assert (converted is None) == (before == 0)
            if converted:
                self.grants.append(converted.grant_id)

    async def repeat(self, number: int) -> None:
        if self.uses:
            key, uses = self.uses[number % len(self.uses)]
            async with self.books.sessions() as session:
                movement = await ledger.find(session, key)
            assert movement is not None
            assert await self.books.use(key, self.invoice, *uses) == ledger.Posted(movement.id, new=False)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_grants_uses_reversals_expiries_and_conversions_in_any_order_keep_the_books_whole(
    books: Bookkeeper, steps: list[tuple[str, *tuple[object, ...]]]
) -> None:
    """R17: entries balance, no grant is below zero, and each statement's movements sum to what is left."""
    customer_id = await books.customer()
    account = Account(books, customer_id, await books.invoice(customer_id, 1_000_000))

    for name, *arguments in steps:
        with suppress(*REFUSALS):
            await getattr(account, name)(*arguments)

    statement = await books.statement(customer_id)
    assert sorted(grant.grant_id for grant in statement) == sorted(account.grants)
    for grant in statement:
        assert grant.remaining_minor == sum(line.amount_minor for line in grant.lines)
        assert grant.remaining_minor == grant.lines[-1].balance_minor
        assert all(line.balance_minor >= 0 for line in grant.lines)
    await books.check()
