"""How a command runs: finds the stack, reads the settings, opens what it needs, and turns failures into exit codes.

0 done; 1 refused by a rule; 2 bad input or usage; 3 a server cannot be reached.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer
from rich.markup import escape
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client
from temporalio.service import RPCError

import config
import connection
import logs
from commands.screen import to_errors
from config import Settings
from db.session import engine_for, sessions_for
from sandbox import environment, holder

FOLDER = Path(os.environ.get("EVERGREEN_FOLDER", ".evergreen"))
"""Where the embedded stack keeps its data, and tells other commands its addresses."""

Result = TypeVar("Result")


class Refused(Exception):
    """A rule says no (exit code 1); the text says which and what can be done."""


class BadInput(Exception):
    """What was given cannot be used (exit code 2); the text says where, what and how to mend it."""


class Unreachable(Exception):
    """A server does not answer (exit code 3)."""


def use(variables: Mapping[str, str]) -> None:
    """Let this process find a stack; what the environment says already holds."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def settings() -> Settings:
    """The settings of this command; a running embedded stack gives what the environment leaves out."""
    addresses = holder.running(FOLDER.resolve()) if "EVERGREEN_DATABASE_URL" not in os.environ else None
    if addresses is not None:
        use(environment.environment(FOLDER.resolve(), addresses))
    try:
        return config.settings()
    except config.BadSettings as wrong:
        raise BadInput(f"{wrong}\nOr start the embedded stack with `make up` in another terminal.") from None


@asynccontextmanager
async def database(wanted: Settings) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Sessions on PostgreSQL for the time of a command."""
    engine = engine_for(wanted.database_url, pool_size=4)
    try:
        yield sessions_for(engine)
    finally:
        await engine.dispose()


async def temporal() -> Client:
    """A client for Temporal. Raises Unreachable."""
    try:
        return await connection.connect(settings().payload_keys())
    except connection.TemporalUnreachable as failed:
        raise Unreachable(str(failed)) from failed


def run(command: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a command's coroutine; a failure is told in one message and becomes the exit code."""
    logs.configure("warning")
    try:
        return asyncio.run(command())
    except Refused as no:
        _fail(no, 1)
    except BadInput as wrong:
        _fail(wrong, 2)
    except (Unreachable, RPCError) as failed:
        _fail(failed, 3)
    except (OperationalError, InterfaceError, OSError) as failed:
        _fail(f"PostgreSQL does not answer: {failed}. Is it up? Is EVERGREEN_DATABASE_URL right?", 3)
    except DBAPIError as failed:
        if "does not exist" not in str(failed.orig):
            raise
        _fail("the database has not our tables: run `evergreen migrate` first", 3)


def _fail(why: object, code: int) -> NoReturn:
    to_errors.print(f"[bold red]evergreen:[/] {escape(str(why))}")
    raise typer.Exit(code)
