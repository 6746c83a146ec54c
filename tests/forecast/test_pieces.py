"""A book that is too large for one scratch stack is forecast in pieces: whole customers, and nobody twice."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime

from sqlalchemy import text

from db.session import engine_for
from domain.happening import Happening, Kind
from forecast import snapshot
from forecast.foreseen import Foreseen
from tests.commands.book import example
from tests.forecast.sample import sample


async def test_a_book_is_copied_in_pieces_of_whole_customers_and_each_license_is_in_one(
    live, world, tmp_path
):
    """Licenses of one customer share credits, so they go together."""
    book = await live.take(sample(example("licenses.csv")), tmp_path)
    engine = engine_for(world.settings.database_url)

    pieces = await snapshot.take(engine, tmp_path / "pieces", at_a_time=5)

    seen: defaultdict[str, set[int]] = defaultdict(set)
    subscriptions: list[str] = []
    async with engine.connect() as connected:
        await connected.execute(text("CREATE TEMPORARY TABLE piece (LIKE subscriptions) ON COMMIT DROP"))
        driver = (await connected.get_raw_connection()).driver_connection
        assert driver is not None
        for number, piece in enumerate(pieces):
            columns = snapshot.columns("subscriptions")
            await driver.copy_to_table(
                "piece", source=piece.file("subscriptions"), columns=columns, format="binary"
            )
            for row in await connected.execute(text("SELECT id, customer_id FROM piece")):
                subscriptions.append(row.id)
                seen[row.customer_id].add(number)
            await connected.execute(text("DELETE FROM piece"))
    await engine.dispose()
    assert len(pieces) == 4
    assert sorted(subscriptions) == sorted(held.subscription.id for held in book)
    assert {len(numbers) for numbers in seen.values()} == {1}
    assert len(set.union(*seen.values())) > 1


def test_pieces_are_added_up_in_order_of_time():
    def piece(name: str, *days: int) -> Foreseen:
        lines = tuple(Happening(date(2027, 3, day), name, Kind.RENEWAL, name, "GBP") for day in days)
        money = {(name, "GBP"): len(name)}
        return Foreseen(
            datetime(2027, 1, 1, tzinfo=UTC),
            date(2027, 12, 31),
            ("a rate",),
            {},
            lines,
            money,
            money,
            (f"{name}: a problem",),
            {"time": 1.5},
        )

    both = piece("ada", 1, 20).plus(piece("cleo", 1, 7))

    assert [(one.on.day, one.customer_id) for one in both.happenings] == [
        (1, "ada"),
        (1, "cleo"),
        (7, "cleo"),
        (20, "ada"),
    ]
    assert both.credits_left == {("ada", "GBP"): 3, ("cleo", "GBP"): 4}
    assert both.problems == ("ada: a problem", "cleo: a problem")
    assert both.assumptions == ("a rate",)
    assert both.seconds == {"time": 3.0}
