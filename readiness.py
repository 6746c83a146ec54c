"""What a worker needs before it starts: each check says what is wrong, and how to mend it."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

import connection
from db import schema


class NotReady(Exception):
    """The worker cannot start; the text says what is wrong and how to mend it."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


async def check_database(engine: AsyncEngine) -> None:
    """Raise NotReady unless PostgreSQL answers and its schema is the one this code was written for."""
    try:
        current = await schema.current_revision(engine)
    except (OSError, DBAPIError) as failed:
        raise NotReady(
            f"PostgreSQL does not answer at {engine.url.render_as_string(hide_password=True)} ({failed}). "
            "Is it up? Is EVERGREEN_DATABASE_URL right?",
            exit_code=3,
        ) from failed
    if current != schema.head_revision():
        raise NotReady(
            f"the database is at migration {current or 'none'}, this code needs {schema.head_revision()}. "
            "Run `evergreen migrate` first; it is safe while old workers run.",
            exit_code=2,
        )


async def check_search_attributes(client: Client) -> None:
    """Raise NotReady unless the namespace knows our search attributes."""
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as failed:
        raise NotReady(
            f"the Temporal namespace {client.namespace!r} does not answer ({failed.message}). "
            "Is TEMPORAL_NAMESPACE right? Create it with `temporal operator namespace create`.",
            exit_code=3,
        ) from failed
    missing = {
        n: t for n, t in connection.search_attribute_types().items() if n not in known.custom_attributes
    }
    if missing:
        commands = "\n".join(
            f"  temporal operator search-attribute create --namespace {client.namespace} --name {name} --type {kind}"
            for name, kind in missing.items()
        )
        raise NotReady(
            f"the namespace lacks search attributes of ours; create them:\n{commands}", exit_code=2
        )
