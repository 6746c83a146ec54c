"""One run: the stack comes up, the book is imported, stories and faults go on side by side, and the dust settles."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from rich.progress import Progress
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

import connection
from chaos import books, faults
from chaos.clock import Clock, Stuck
from chaos.crew import Crew
from chaos.faults import Fault, Injector
from chaos.journal import Journal
from chaos.plan import License, Plan, encore, plan
from chaos.proxy import Proxy, tcp, unix
from chaos.story import Stage, Story
from config import Settings
from db import schema
from db.session import engine_for, sessions_for
from sandbox.environment import environment
from sandbox.stack import RunningStack, Stack

AT_ONCE = 24
"""So many stories are told at a time; two processors are busy with that."""
ENCORES = 5
SETTLING_SECONDS = 180.0
"""The server gives a killed worker's call up after a minute; what was under way then is done again."""
ORDERS = (b"POST /v1/orders",)
CHARGES = (b"POST /v1/payment_intents", b"POST /v1/refunds")
COMMITS = (b"COMMIT",)


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    seed: int
    subscriptions: int
    faults: int


@dataclass
class Run:
    """A run on a folder; whatever ends it, another one on the same folder goes on from there."""

    folder: Path
    journal: Journal
    stack: RunningStack
    engine: AsyncEngine
    crew: Crew
    injector: Injector
    stage: Stage
    plan: Plan
    size: Size
    struck: set[int] = field(default_factory=set)
    _striking: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path, size: Size) -> AsyncIterator[Run]:
        """The stack of the folder with workers behind proxies. A folder that was begun keeps its size."""
        journal = Journal(folder / "traffic.jsonl")
        if journal.find("plan") is None:
            journal.write("plan", **vars(size), began_at=datetime.now(UTC).isoformat())
        begun = journal.find("plan") or {}
        size = Size(begun["seed"], begun["subscriptions"], begun["faults"])
        made = plan(size.seed, size.subscriptions, datetime.fromisoformat(begun["began_at"]))
        stack = Stack(
            folder,
            search_attributes=connection.search_attribute_types(),
            time_skipping=True,
            fast=True,
            any_ports=True,
        )
        async with AsyncExitStack() as on_exit:
            on_exit.callback(journal.close)
            running = await on_exit.enter_async_context(stack.up())
            direct = environment(folder.resolve(), running.addresses)
            settings = _settings(direct)
            engine = engine_for(settings.database_url, pool_size=20)
            on_exit.push_async_callback(engine.dispose)
            await schema.upgrade(engine)
            proxies = {
                name: await on_exit.enter_async_context(p.listening())
                for name, p in _proxies(running).items()
            }
            for name, proxy in proxies.items():
                proxy.on_strike = partial(_struck, journal, name)
            crew = Crew(
                folder / "logs", direct | _through(proxies, settings) | {"EVERGREEN_DRAIN_SECONDS": "1"}
            )
            client = await Client.connect(
                running.addresses.temporal_address,
                data_converter=connection.converter(settings.payload_keys()),
                identity="chaos",
                runtime=connection.quiet_runtime(),
            )
            http = await on_exit.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
            stage = Stage(
                client,
                sessions_for(engine),
                Clock(client),
                journal,
                settings,
                running.addresses.urls["payments"],
                http,
            )
            injector = Injector(running, crew, proxies, lambda kind: journal.write("fault", kind=kind))
            await on_exit.enter_async_context(crew.at_work())  # they come up while the book is imported
            yield cls(folder, journal, running, engine, crew, injector, stage, made, size)

    async def live(self, progress: Progress) -> None:
        """The whole year, or what is left of it."""
        await self._import("first", self.plan.first)
        all_faults = faults.deal(self.size.seed, self.size.faults)
        waiting = [fault for fault in all_faults if fault.number not in self._dealt()]
        half = len(self.plan.first) // 2
        steps = sum(len(one.acts) + 1 for one in (*self.plan.first, *self.plan.second))
        task = progress.add_task("the year", total=steps)
        done = 0

        def tick() -> None:
            nonlocal done
            done += 1
            progress.update(task, completed=done, description=f"the year, {len(self.struck)} faults")
            for fault in faults.due(waiting, done / steps):
                self._strike(fault)

        try:
            await self._tell(self.plan.first[:half], tick)
            later = asyncio.create_task(self._import("second", (*self.plan.second, *self.plan.first[:3])))
            await self._tell(self.plan.first[half:], tick)
            await later
            await self._tell(self.plan.second, tick)
            for fault in waiting:
                self._strike(fault)
            await asyncio.gather(*self._striking)
            await self._encore()
            await self._settle(progress)
        finally:
            for striking in self._striking:
                striking.cancel()

    async def _encore(self) -> None:
        """More licenses fall due as long as trouble waits for a request to the vendor or the payment provider."""
        for number in range(ENCORES):
            name = f"encore {number}"
            waiting = any(proxy.armed for proxy in self.injector.proxies.values())
            if waiting or self._is_imported(name):
                more = encore(self.plan, number)
                await self._import(name, more)
                await self._tell(more, lambda: None)

    def _dealt(self) -> set[int]:
        return {line["number"] for line in self.journal.lines if line["what"] == "dealt"}

    def _strike(self, fault: Fault) -> None:
        self.struck.add(fault.number)
        self.journal.write("dealt", number=fault.number, kind=fault.kind)
        striking = asyncio.create_task(self.injector.inject(fault))
        self._striking.add(striking)

    async def _import(self, name: str, licenses: tuple[License, ...]) -> None:
        """As staff do by the command; again until it says that all is there (R26)."""
        if self._is_imported(name):
            return
        file = self.folder / f"{name}.csv"
        books.write(file, licenses)
        await books.register(self.stage.http, self.stack.addresses.urls["vendor"], licenses)
        counts = await books.imported(file, self.stage.settings, self.stage.sessions, self.stage.client)
        for one in licenses:
            self.journal.write("license", name=name, **one.as_document())
        self.journal.write("imported", name=name, counts=counts)

    def _is_imported(self, name: str) -> bool:
        return any(line["what"] == "imported" and line["name"] == name for line in self.journal.lines)

    async def _tell(self, licenses: tuple[License, ...], tick: Callable[[], None]) -> None:
        known = await self._known()
        over = {line["key"] for line in self.journal.lines if line["what"] == "over"}
        gate = asyncio.Semaphore(AT_ONCE)

        async def tell(one: License) -> None:
            if one.key in over:
                for _ in range(len(one.acts) + 1):
                    tick()
                return
            async with gate:
                try:
                    await Story(self.stage, one, *known[one.key[-4:]]).play(self.plan.until, tick)
                except Stuck as stuck:
                    self.journal.write("stuck", key=one.key, reason=str(stuck))

        async with asyncio.TaskGroup() as group:
            for one in licenses:
                group.create_task(tell(one))

    async def _known(self) -> dict[str, tuple[str, str]]:
        query = text(
            "SELECT l.last_four, s.id, s.customer_id FROM subscriptions s JOIN licenses l ON l.id = s.license_id"
        )
        while True:
            try:
                async with self.engine.connect() as connected:
                    return {
                        ending: (sub, customer) for ending, sub, customer in await connected.execute(query)
                    }
            except (DBAPIError, OSError):
                await asyncio.sleep(0.3)

    async def _settle(self, progress: Progress) -> None:
        """Wait until nothing is under way. The outbox waits on the wall's clock, which nobody can move: end that."""
        task = progress.add_task("settling", total=None)
        hurry = text(
            "UPDATE notices SET next_attempt_at = now() WHERE sent_at IS NULL AND next_attempt_at > now()"
        )
        left = text(
            "SELECT (SELECT count(*) FROM orders WHERE state = 'paid'),"
            " (SELECT count(*) FROM payments WHERE status IN ('pending', 'unknown')),"
            " (SELECT count(*) FROM notices WHERE sent_at IS NULL)"
        )
        deadline = asyncio.get_running_loop().time() + SETTLING_SECONDS
        lease = asyncio.get_running_loop().time() + 3
        while True:
            async with self.engine.begin() as connected:
                counts = (await connected.execute(left)).one()
                if asyncio.get_running_loop().time() > lease:
                    lease += 25  # longer than one letter may take: none is taken from a sender that is at it
                    await connected.execute(hurry)
            under_way = "{} orders, {} payments, {} letters".format(*counts)
            progress.update(task, description=f"settling: {under_way}")
            if not any(counts) or asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(0.2)


def _struck(journal: Journal, name: str, kind: str) -> None:
    journal.write("fault", kind=f"{kind} {name}")


def _proxies(stack: RunningStack) -> dict[str, Proxy]:
    addresses = stack.addresses
    where = make_url(addresses.database_url).query
    socket = f"{where['host']}/.s.PGSQL.{where['port']}"
    return {
        "vendor": Proxy(tcp(_port(addresses.urls["vendor"])), ORDERS),
        "payments": Proxy(tcp(_port(addresses.urls["payments"])), CHARGES),
        "postgres": Proxy(unix(socket), COMMITS),
        "temporal": Proxy(tcp(_port(f"http://{addresses.temporal_address}"))),
    }


def _through(proxies: Mapping[str, Proxy], settings: Settings) -> dict[str, str]:
    """The workers' settings: each server is behind its proxy."""
    database = make_url(settings.database_url)
    there = database.set(query={}, host="127.0.0.1", port=proxies["postgres"].port)
    return {
        "EVERGREEN_DATABASE_URL": there.render_as_string(hide_password=False),
        "EVERGREEN_VENDOR_URL": f"http://127.0.0.1:{proxies['vendor'].port}",
        "EVERGREEN_STRIPE_API_BASE": f"http://127.0.0.1:{proxies['payments'].port}",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{proxies['temporal'].port}",
    }


def _port(url: str) -> int:
    return int(re.sub(r".*:", "", url))


def _settings(variables: Mapping[str, str]) -> Settings:
    ours = {
        n.removeprefix("EVERGREEN_").lower(): v for n, v in variables.items() if n.startswith("EVERGREEN_")
    }
    return Settings(_env_file=None, **ours)  # type: ignore[arg-type]  # pydantic reads the text


def save(folder: Path, name: str, document: object) -> Path:
    """Write a JSON document beside the data of the run."""
    path = folder / name
    path.write_text(json.dumps(document, default=str), encoding="utf-8")
    return path
