"""The sandbox provider's book: every object as JSON, and what the bank behind a card answers."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.notebook import Notebook
from sandbox.payments_forms import Listing, Range
from sandbox.payments_problems import missing
from sandbox.payments_shapes import Shape

SCHEMA = """
    CREATE TABLE IF NOT EXISTS objects (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,               -- Stripe's: customer, payment_intent, …
        content TEXT NOT NULL             -- the object, as JSON
    ) STRICT;
    CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (kind, content ->> 'customer', number);
    CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (kind, content ->> 'payment_intent', number);
    CREATE TABLE IF NOT EXISTS answers (
        payment_method TEXT PRIMARY KEY,
        answer TEXT NOT NULL              -- approve, authenticate, or the code of a decline
    ) STRICT;
    CREATE TABLE IF NOT EXISTS requests (
        key TEXT PRIMARY KEY,             -- the idempotency key
        request TEXT NOT NULL,            -- what was asked, to tell a repeat from a misuse
        request_id TEXT NOT NULL,
        status INTEGER NOT NULL,
        answer TEXT NOT NULL,             -- what was answered, to answer a repeat the same
        about TEXT,                       -- the id of the object that it made or changed
        repeats INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS requests_by_object ON requests (about);
    CREATE TABLE IF NOT EXISTS deliveries (
        event TEXT PRIMARY KEY,
        state TEXT NOT NULL,              -- owed, arrived, lost or given_up
        due REAL NOT NULL,                -- seconds since 1970; when it is tried next
        attempts INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS deliveries_owed ON deliveries (due) WHERE state = 'owed';
    CREATE TABLE IF NOT EXISTS endpoint (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        url TEXT NOT NULL,
        secret TEXT NOT NULL
    ) STRICT;
"""
FILTERS = ("customer", "payment_intent", "charge", "email", "type")


class Book(Notebook):
    """Objects by their id. Changes are made inside a transaction of the caller's."""

    def __init__(self, path: Path) -> None:
        """Open the book, made if there is none."""
        super().__init__(path, SCHEMA)

    def add(self, thing: Shape) -> Shape:
        """Take in a new object."""
        row = (thing["id"], thing["object"], json.dumps(thing))
        self.execute("INSERT INTO objects (id, kind, content) VALUES (?, ?, ?)", row)
        return thing

    def write(self, thing: Shape) -> Shape:
        """Put an object in the place of what it was."""
        self.execute("UPDATE objects SET content = ? WHERE id = ?", (json.dumps(thing), thing["id"]))
        return thing

    def find(self, reference: str) -> Shape | None:
        """The object with this id, of whatever kind."""
        row = self.execute("SELECT content FROM objects WHERE id = ?", (reference,)).fetchone()
        return dict(json.loads(row[0])) if row else None

    def read(self, kind: str, reference: str, param: str = "id") -> Shape:
        """The object of this kind with this id. Raises `Problem` resource_missing."""
        found = self.find(reference)
        if found is None or found["object"] != kind:
            raise missing(kind, reference, param)
        return found

    def all(self, kind: str, **fields: str) -> list[Shape]:
        """Every object of this kind with these fields, oldest first."""
        conditions = "".join(f" AND content ->> '{name}' = ?" for name in fields)
        query = f"SELECT content FROM objects WHERE kind = ?{conditions} ORDER BY number"  # noqa: S608 — ours
        return [json.loads(content) for (content,) in self.execute(query, (kind, *fields.values()))]

    def count(self, kind: str) -> int:
        """How many objects of this kind there are."""
        query = "SELECT count(*) FROM objects WHERE kind = ?"
        return int(self.execute(query, (kind,)).fetchone()[0])

    def page(self, kind: str, listing: Listing) -> tuple[list[Shape], bool]:
        """One page of the objects of this kind, newest first, and whether there are more."""
        conditions = ["kind = ?"]
        values: list[str | int] = [kind, *self._filtered(listing)]
        conditions += [f"content ->> '{name}' = ?" for name in FILTERS if getattr(listing, name) is not None]
        for comparison, second in _created(listing):
            conditions.append(f"content ->> 'created' {comparison} ?")
            values.append(second)
        order = "DESC"
        if cursor := listing.starting_after or listing.ending_before:
            order = "DESC" if listing.starting_after else "ASC"
            conditions.append(f"number {'<' if order == 'DESC' else '>'} ?")
            values.append(self._number(kind, cursor))
        query = (
            f"SELECT content FROM objects WHERE {' AND '.join(conditions)} ORDER BY number {order} LIMIT ?"  # noqa: S608 — ours
        )
        found = [json.loads(row) for (row,) in self.execute(query, (*values, listing.limit + 1))]
        page = found[: listing.limit]
        return (page if order == "DESC" else page[::-1]), len(found) > listing.limit

    def answer(self, payment_method: str) -> str:
        """What the bank behind a card answers."""
        query = "SELECT answer FROM answers WHERE payment_method = ?"
        return str(self.execute(query, (payment_method,)).fetchone()[0])

    def let_answer(self, payment_method: str, answer: str) -> None:
        """Let the bank behind a card answer this from now on."""
        self.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (payment_method, answer))

    def _number(self, kind: str, reference: str) -> int:
        query = "SELECT number FROM objects WHERE kind = ? AND id = ?"
        row = self.execute(query, (kind, reference)).fetchone()
        if row is None:
            raise missing(kind, reference, "starting_after")
        return int(row[0])

    @staticmethod
    def _filtered(listing: Listing) -> list[str]:
        values = (getattr(listing, name) for name in FILTERS)
        return [value for value in values if value is not None]


def _created(listing: Listing) -> list[tuple[str, int]]:
    match listing.created:
        case int(second):
            return [("=", second)]
        case Range() as span:
            bounds = [(">", span.gt), (">=", span.gte), ("<", span.lt), ("<=", span.lte)]
            return [(comparison, second) for comparison, second in bounds if second is not None]
    return []
