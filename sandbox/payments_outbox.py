"""The sandbox provider's events: written down with what caused them, and owed to the webhook until it takes them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox import payments_shapes as shapes
from sandbox.payments_book import Book
from sandbox.payments_forms import Endpoint
from sandbox.payments_shapes import Shape

WAITS_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before each next attempt, the last one again and again. Stripe waits minutes, then hours, for three days."""

ATTEMPTS = 100


@dataclass(frozen=True)
class Delivery:
    """An event that is owed now."""

    event: Shape
    attempts: int


@dataclass
class Outbox:
    """Events and what became of them. Changes are made inside a transaction of the caller's, or are one statement."""

    book: Book

    def happened(self, kind: str, about: Shape) -> None:
        """Write an event down. It is owed if there is an endpoint; else nobody will ever be told."""
        event = self.book.add(shapes.event(kind, about))
        if self.endpoint():
            self.book.execute(
                "INSERT INTO deliveries (event, state, due) VALUES (?, 'owed', ?)", (event["id"], time.time())
            )

    def endpoint(self) -> Endpoint | None:
        """Where events go; None: nowhere."""
        row = self.book.execute("SELECT url, secret FROM endpoint").fetchone()
        return Endpoint(url=row[0], secret=row[1]) if row else None

    def send_to(self, endpoint: Endpoint) -> None:
        """Send events there from now on, those that are owed too."""
        self.book.execute("DELETE FROM endpoint")
        if endpoint.url:
            self.book.execute("INSERT INTO endpoint VALUES (1, ?, ?)", (endpoint.url, endpoint.secret))
        self.hurry()

    def due(self) -> list[Delivery]:
        """What is to be sent now, oldest first."""
        rows = self.book.execute(
            "SELECT event, attempts FROM deliveries JOIN objects ON id = event"
            " WHERE state = 'owed' AND due <= ? ORDER BY number",
            (time.time(),),
        )
        return [Delivery(self.book.read("event", event), attempts) for event, attempts in rows.fetchall()]

    def next_due(self) -> float | None:
        """When something is to be sent next, in seconds since 1970; None: nothing is."""
        due: float | None = self.book.execute(
            "SELECT min(due) FROM deliveries WHERE state = 'owed'"
        ).fetchone()[0]
        return due

    def postpone(self, delivery: Delivery, seconds: float | None = None) -> None:
        """Try again later; None: the longer the more often it failed, in the end not at all."""
        wait = WAITS_SECONDS[min(delivery.attempts, len(WAITS_SECONDS) - 1)] if seconds is None else seconds
        state = "owed" if delivery.attempts + 1 < ATTEMPTS else "given_up"
        self._mark(delivery, state, time.time() + wait)

    def settle(self, delivery: Delivery, state: str) -> None:
        """It `arrived`, or was `lost`."""
        self._mark(delivery, state, 0.0)

    def hurry(self) -> None:
        """Try everything that is owed now."""
        self.book.execute("UPDATE deliveries SET due = ? WHERE state = 'owed'", (time.time(),))

    def owed(self) -> int:
        """How many events are still to be taken."""
        query = "SELECT count(*) FROM deliveries WHERE state = 'owed'"
        return int(self.book.execute(query).fetchone()[0])

    def states(self) -> dict[str, tuple[str, int]]:
        """What became of each event: its state, and how often it was tried."""
        rows = self.book.execute("SELECT event, state, attempts FROM deliveries")
        return {event: (state, attempts) for event, state, attempts in rows}

    def _mark(self, delivery: Delivery, state: str, due: float) -> None:
        self.book.execute(
            "UPDATE deliveries SET state = ?, due = ?, attempts = attempts + 1 WHERE event = ?",
            (state, due, delivery.event["id"]),
        )
