"""The faults: which kinds there are, in what order a seed deals them, and how each is done to the running stack."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from chaos.crew import Crew, Place
from chaos.proxy import Proxy, Trouble
from sandbox.stack import RunningStack

SERVERS = ("postgres", "temporal", "vendor", "payments", "mail")
PROXIED = ("vendor", "payments", "postgres", "temporal")
KINDS = (
    "kill worker",
    *(f"kill {server}" for server in SERVERS),
    *(f"drop {name}" for name in PROXIED),
    *(f"delay {name}" for name in PROXIED),
    # Only of HTTP: to PostgreSQL and Temporal one stream is spoken, in which nothing comes twice.
    "double vendor",
    "double payments",
    "repeat vendor",
    "repeat payments",
    "skewed clock",
    "full log",
    "another build",
)
LONGEST_AWAY_SECONDS = 3.0


@dataclass(frozen=True)
class Fault:
    """One fault, and how far the story is when it strikes: a share of all that is to be done, 0 to 1."""

    kind: str
    after: float
    seconds: float
    number: int


def deal(seed: int, faults: int) -> list[Fault]:
    """So many faults, every kind as often as any other, in the order in which they strike."""
    dice = random.Random(seed ^ 0xFA17)
    deck: list[str] = []
    while len(deck) < faults:
        deck += dice.sample(KINDS, len(KINDS))
    dealt = [
        Fault(kind, dice.uniform(0.02, _last_call(kind)), dice.uniform(0.05, LONGEST_AWAY_SECONDS), number)
        for number, kind in enumerate(deck[:faults])
    ]
    return sorted(dealt, key=lambda fault: fault.after)


def _last_call(kind: str) -> float:
    """Trouble with a reply needs somebody to ask: near the end nobody may."""
    return 0.7 if kind.endswith(("vendor", "payments")) and not kind.startswith("kill") else 0.93


@dataclass
class Injector:
    """Does faults to the stack. One at a time for each server; several servers may be away at once."""

    stack: RunningStack
    crew: Crew
    proxies: Mapping[str, Proxy]
    on_strike: Callable[[str], None] = lambda _kind: None
    """Told the kind when a fault has really happened; the proxies tell of theirs themselves."""
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def inject(self, fault: Fault) -> None:
        """Do it, and mend what was killed after a while."""
        what, _, whom = fault.kind.partition(" ")
        async with self._locks.setdefault(whom, asyncio.Lock()):
            match what:
                case "kill" if whom != "worker":
                    await self._kill(whom, fault.seconds)
                    self.on_strike(fault.kind)
                case "drop" | "delay" | "double" | "repeat":
                    self.proxies[whom].arm(Trouble(what, fault.seconds))
                case _:
                    await self._worker(fault)
                    self.on_strike(fault.kind)

    async def _kill(self, whom: str, seconds: float) -> None:
        kill, start = self._server(whom)
        kill()
        await asyncio.sleep(seconds)
        await start()

    def _server(self, whom: str) -> tuple[Callable[[], None], Callable[[], Awaitable[None]]]:
        if whom == "postgres":
            return self.stack.postgres.kill, self.stack.postgres.start
        if whom == "temporal":
            return self.stack.temporal.kill, self.stack.temporal.start
        program = self.stack.programs[whom]
        return program.kill, program.start

    async def _worker(self, fault: Fault) -> None:
        """SIGKILL, or an orderly end with another machine or build in its place, which the crew starts."""
        places = self.crew.places
        place = places[fault.number % len(places)]
        other = places[(fault.number + 1) % len(places)]
        program = place.program
        if fault.kind == "skewed clock":  # one clock is wrong, the other right: the two must get on
            place.skew_seconds, place.full_log, other.skew_seconds = _wrong_by(fault), False, 0.0
        elif fault.kind == "full log":
            place.full_log = True
        elif fault.kind == "another build":
            place.build, place.full_log, place.skew_seconds = _next_build(place), False, 0.0
        if program is None:
            return
        if fault.kind == "kill worker":
            program.kill()
        else:
            await program.stop()


def _wrong_by(fault: Fault) -> float:
    """Hours into the past or the future, in seconds."""
    return round((fault.seconds - LONGEST_AWAY_SECONDS / 2) * 8 * 3600, 1) or 3600.0


def _next_build(place: Place) -> str:
    name, _, number = place.build.rpartition(".")
    return f"{name}.{int(number) + 1}" if name else f"{place.build}.1"


def counted(struck: Iterable[str]) -> dict[str, int]:
    """How often each kind has struck, none left out."""
    counts = Counter(struck)
    return {kind: counts[kind] for kind in KINDS}


def due(faults: list[Fault], share: float) -> Iterator[Fault]:
    """Take off the list what strikes now that so much of the story is done."""
    while faults and faults[0].after <= share:
        yield faults.pop(0)
