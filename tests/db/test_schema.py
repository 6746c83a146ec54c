"""Migrations and models say the same, and bringing a database up to date is safe to do twice."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

import db.models  # noqa: F401  (loads the tables)
from db import schema
from db.models.record import Record
from db.session import engine_for
from sandbox.postgres import Postgres
from tests.db.bookkeeper import at_once

CONSTRAINTS = """
    SELECT conrelid::regclass::text AS of, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 't'
    UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    ORDER BY 1, 2
"""


async def test_the_migrated_schema_is_the_models(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), Record.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_constraint_and_index_is_the_models_own(engine: AsyncEngine, postgres: Postgres) -> None:
    """Alembic does not compare checks; PostgreSQL's own account of both schemas does."""
    made = engine_for(await postgres.create_database("from_models"))
    async with made.begin() as connection:
        await connection.run_sync(Record.metadata.create_all)
        wanted = set(map(tuple, await connection.execute(text(CONSTRAINTS))))
    await made.dispose()
    async with engine.connect() as connection:
        found = {
            tuple(row) for row in await connection.execute(text(CONSTRAINTS)) if row.of != "alembic_version"
        }

    assert {row for row in found if row[0] != "alembic_version"} == wanted


async def test_every_constraint_has_a_name_of_ours() -> None:
    names = [constraint.name for table in Record.metadata.tables.values() for constraint in table.constraints]
    assert all(names)


async def test_several_processes_may_upgrade_at_once(postgres: Postgres) -> None:
    engine = engine_for(await postgres.create_database("fresh"))
    assert await schema.current_revision(engine) is None

    await at_once(*(schema.upgrade(engine) for _ in range(3)))

    assert await schema.current_revision(engine) == schema.head_revision()
    await schema.upgrade(engine)
    await engine.dispose()


async def test_migrations_go_down_to_nothing_and_up_again(postgres: Postgres) -> None:
    engine = engine_for(await postgres.create_database("down_and_up"))
    await schema.upgrade(engine)

    def downgrade(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(schema.MIGRATIONS))
        command.downgrade(config, "base")

    async with engine.begin() as connection:
        await connection.run_sync(downgrade)
        left = await connection.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
                " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            )
        )
        assert left.all() == ["alembic_version"]
    await schema.upgrade(engine)
    assert await schema.current_revision(engine) == schema.head_revision()
    await engine.dispose()


async def test_every_foreign_key_is_found_by_an_index(engine: AsyncEngine) -> None:
    """Without one, looking from the other side reads the whole table; the exceptions are never needed so."""
    never = {
        "fk_credit_grants_for_subscription_id",  # these two are reached from the grant and the invoice only
        "fk_invoices_account_id",
        "fk_invoices_series",
        "fk_requests_subscription_id",
    }
    query = """
        SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1]
        )
    """
    async with engine.connect() as connection:
        assert set(await connection.scalars(text(query))) <= never
