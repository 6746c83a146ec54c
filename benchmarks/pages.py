"""How long the portal's pages take over HTTP in a large book, beside the same pages in a book of ten subscriptions.

Two portals, real programs, each on a database of its own, are asked in turn, so that a slow moment slows both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.figure import Figure
from benchmarks.filled import fill
from benchmarks.ground import Ground
from benchmarks.size import Size
from db import portal_sessions, schema
from db.session import engine_for, sessions_for
from db.sign_in_links import Person
from portal.security.cookies import SESSION
from sandbox.stack import PORTAL

FEW = 10
LOOKS, FIRST = 30, 3
"""How often each page is timed, and how often it is shown before."""
STAFF = "jo@bench.example"

CUSTOMERS = {
    "a customer's subscriptions": ("theirs", "/subscriptions"),
    "one subscription": ("one", "/subscriptions/sub_7"),
    "a customer's invoices": ("invoices", "/invoices"),
}
FOR_STAFF = {
    "staff's front page": ("front", "/staff"),
    "search by name": ("name", "/staff/search?q=firm+1"),
    "search by e-mail": ("e-mail", "/staff/search?q=buyer1@host"),
    "search by last four": ("key", "/staff/search?q=0007"),
    "search by reference": ("number", "/staff/search?q=EG-7"),
    "the update queue": ("updates", "/staff/updates"),
    "the request inbox": ("requests", "/staff/requests"),
}
PAGES = CUSTOMERS | FOR_STAFF
"""What is shown → what a chart calls it, and its path."""


@dataclass(frozen=True)
class Shop:
    """A portal on a book of its own, and two who are signed in to it."""

    customer: httpx.AsyncClient
    staff: httpx.AsyncClient

    async def milliseconds(self, what: str) -> float:
        """Show the page once."""
        http = self.customer if what in CUSTOMERS else self.staff
        path = PAGES[what][1]
        began = perf_counter()
        answer = await http.get(path)
        took = (perf_counter() - began) * 1000
        assert answer.status_code in (200, 303), f"{path}: {answer.status_code}"
        return took


async def measure(size: Size, ground: Ground) -> list[Figure]:
    """Each page in both books."""
    times: dict[str, tuple[list[float], list[float]]] = {what: ([], []) for what in PAGES}
    async with shop(ground, "few", FEW) as few, shop(ground, "many", size.pages) as many:
        for look in range(FIRST + LOOKS):
            for what, (in_few, in_many) in times.items():
                took = await few.milliseconds(what), await many.milliseconds(what)
                if look >= FIRST:
                    in_few.append(took[0])
                    in_many.append(took[1])
    return [
        Figure(
            "pages",
            f"{what}, among {size.pages:,} subscriptions",
            "ms",
            median(in_many),
            median(in_few),
            f"the same among {FEW}",
            label=PAGES[what][0],
            ratio_at_most=1.5,
        )
        for what, (in_few, in_many) in times.items()
    ]


@asynccontextmanager
async def shop(ground: Ground, name: str, subscriptions: int) -> AsyncIterator[Shop]:
    """A portal on a new database with so many subscriptions."""
    url = make_url(ground.settings.database_url).set(database=name).render_as_string(hide_password=False)
    async with ground.engine.connect() as connected:
        alone = await connected.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text(f"CREATE DATABASE {name}"))
    async with AsyncExitStack() as on_exit:
        engine = engine_for(url)
        on_exit.push_async_callback(engine.dispose)
        await schema.upgrade(engine)
        await fill(engine, subscriptions)
        log = Path(on_exit.enter_context(TemporaryDirectory(prefix="evergreen-"))) / "log"
        env = ground.variables | {"EVERGREEN_DATABASE_URL": url, "EVERGREEN_STAFF": f"{STAFF}:support"}
        program, address = await PORTAL.start(log=log, filled_in={}, env=env, any_ports=True)
        on_exit.push_async_callback(program.stop)
        people = (Person(customer_id="cus_1"), Person(staff_email=STAFF, role="support"))
        browsers = [
            await on_exit.enter_async_context(
                httpx.AsyncClient(
                    base_url=address, cookies={SESSION: await signed_in(engine, person)}, trust_env=False
                )
            )
            for person in people
        ]
        yield Shop(*browsers)


async def signed_in(engine: AsyncEngine, person: Person) -> str:
    """The cookie of a new session."""
    async with sessions_for(engine).begin() as session:
        token, _lapses_at = await portal_sessions.open_session(session, person, datetime.now(UTC))
    return token
