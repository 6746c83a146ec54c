"""A server that is missing: exit code 3, and a message that says which and how to mend it."""

from __future__ import annotations

import asyncio

import pytest_asyncio

from sandbox.postgres import Postgres
from tests.commands import book
from tests.commands.tables import subscription_of

NOWHERE = "127.0.0.1:1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def subscription(evergreen, folder, sessions):
    row = book.row()
    await evergreen("import", book.write(folder / "servers.csv", [row]))
    return await subscription_of(sessions, row)


async def test_without_postgresql_every_command_says_so(evergreen, variables, folder):
    lost = evergreen.told(**variables).told(EVERGREEN_DATABASE_URL=f"postgresql://{NOWHERE}/evergreen")
    file = book.write(folder / "nowhere.csv", [book.row()])

    answers = await asyncio.gather(
        lost("list"),
        lost("show", "X"),
        lost("cancel", "X"),
        lost("credits", "X"),
        lost("migrate"),
        lost("import", file),
    )

    assert [(answer.code, answer.out) for answer in answers] == [(3, "")] * len(answers)
    assert all("PostgreSQL does not answer" in answer.said for answer in answers)
    assert all("Is EVERGREEN_DATABASE_URL right?" in answer.said for answer in answers)


async def test_without_temporal_what_must_be_asked_there_says_so_and_the_rest_is_shown(
    evergreen, variables, folder, subscription
):
    lost = evergreen.told(**variables).told(TEMPORAL_ADDRESS=NOWHERE)
    file = book.write(folder / "no_temporal.csv", [book.row()])

    cancelled, imported, shown = await asyncio.gather(
        lost("cancel", subscription), lost("import", file), lost("show", subscription, "--json")
    )

    assert (cancelled.code, imported.code, shown.code) == (3, 3, 0)
    assert f"no Temporal server answers at {NOWHERE}" in cancelled.said
    assert "make up" in cancelled.said
    assert "TEMPORAL_ADDRESS" in cancelled.said
    assert shown.json["workflow"] is None


async def test_a_wrong_namespace_is_not_taken_for_a_workflow_that_ended(evergreen, variables, subscription):
    answer = await evergreen.told(**variables).told(TEMPORAL_NAMESPACE="nowhere")("cancel", subscription)

    assert answer.code == 3
    assert "nowhere" in answer.said


async def test_a_database_without_our_tables_is_brought_up_to_date_by_migrate(evergreen, variables, stack):
    """Once; again nothing happens."""
    postgres: Postgres = stack.postgres
    empty = evergreen.told(**variables).told(EVERGREEN_DATABASE_URL=await postgres.create_database("empty"))

    before = await empty("list")
    assert before.code == 3
    assert "run `evergreen migrate` first" in before.said

    migrated, again = await empty("migrate", "--json"), await empty("migrate", "--json")
    assert migrated.json["before"] is None
    assert again.json == {"before": migrated.json["now"], "now": migrated.json["now"]}
    assert (await empty("list", "--json")).json == []
