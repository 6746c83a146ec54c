"""Once per idempotency key, as Stripe has it: what was answered is answered again, for ever (Stripe: for a day).

Kept is what has had its effect: a yes, and a bank's no. A request that was refused, or never begun, is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.payments_book import Book
from sandbox.payments_problems import Problem, invalid
from sandbox.payments_shapes import Shape, new_id


@dataclass(frozen=True)
class Answer:
    """What is answered, and whether it was answered before."""

    status: int
    content: str
    request_id: str
    original: str | None = None  # the first request's id, of a repeat

    @property
    def headers(self) -> dict[str, str]:
        """What Stripe tells beside it."""
        again = {"Idempotent-Replayed": "true", "Original-Request": self.original} if self.original else {}
        return {"Request-Id": self.request_id, **again}


@dataclass
class Requests:
    """Carries out requests, each of them once."""

    book: Book
    _under_way: set[str] = field(default_factory=set)

    def begin(self, key: str) -> None:
        """The key is in use from here to `end`. Raises `Problem` if it is already."""
        if key in self._under_way:
            message = f"There is currently another in-progress request using this Idempotent Key: {key}"
            raise Problem(409, "invalid_request_error", message, code="idempotency_key_in_use")
        self._under_way.add(key)

    def end(self, key: str) -> None:
        """The key is not in use any more."""
        self._under_way.discard(key)

    def carry_out(self, key: str | None, request: str, work: Callable[[], Shape]) -> Answer:
        """Do the work and commit it, unless it was done under this key before. Raises `Problem`."""
        with self.book.transaction():
            if key and (before := self._repeat(key, request)):
                return before
            try:
                status, answer = 200, work()
                about = answer.get("id")
            except Problem as problem:
                if not problem.counts:
                    raise
                status, answer = problem.status, problem.body()
                about = answer["error"].get("payment_intent", {}).get("id")
            made = Answer(status, json.dumps(answer), new_id("req"))
            if key:
                row = (key, request, made.request_id, status, made.content, about)
                self.book.execute(
                    "INSERT INTO requests (key, request, request_id, status, answer, about)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    row,
                )
        return made

    def keys_of(self, reference: str) -> list[tuple[str, int]]:
        """The keys under which an object was made or changed, and how often each was repeated."""
        query = "SELECT key, repeats FROM requests WHERE about = ? ORDER BY rowid"
        return [(str(key), int(repeats)) for key, repeats in self.book.execute(query, (reference,))]

    def _repeat(self, key: str, request: str) -> Answer | None:
        statement = (
            "UPDATE requests SET repeats = repeats + 1 WHERE key = ?"
            " RETURNING request, status, answer, request_id"
        )
        row = self.book.execute(statement, (key,)).fetchone()
        if row is None:
            return None
        first, status, answer, original = row
        if first != request:
            raise _reused(key)
        return Answer(status, answer, new_id("req"), original)


def _reused(key: str) -> Problem:
    problem = invalid(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    problem.error["type"] = "idempotency_error"
    return problem
