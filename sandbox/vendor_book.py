"""The sandbox vendor's book: licenses and orders."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.notebook import Notebook
from sandbox.vendor_forms import License, Mark, Order
from sandbox.vendor_problems import Problem
from sandbox.vendor_rules import changed

SCHEMA = """
    CREATE TABLE IF NOT EXISTS licenses (
        license_key TEXT PRIMARY KEY,
        content TEXT NOT NULL             -- the license, as JSON
    ) STRICT;
    CREATE TABLE IF NOT EXISTS orders (
        number INTEGER PRIMARY KEY,
        idempotency_key TEXT NOT NULL UNIQUE,
        reference TEXT NOT NULL,
        request TEXT NOT NULL,            -- what was asked, to tell a repeat from a conflict
        answer TEXT NOT NULL,             -- what was answered, to answer a repeat the same
        repeats INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS orders_by_reference ON orders (reference);
"""


class Book(Notebook):
    """Licenses and orders. Every command is one transaction and is committed when it returns."""

    def __init__(self, path: Path) -> None:
        """Open the book, made if there is none."""
        super().__init__(path, SCHEMA)

    def register(self, licenses: Iterable[License], replace: bool) -> int:
        """Take in licenses; those already there stay as they are unless replaced. How many were taken."""
        rows = [(license.license_key, license.model_dump_json()) for license in licenses]
        taken_key = "DO UPDATE SET content = excluded.content" if replace else "DO NOTHING"
        statement = f"INSERT INTO licenses VALUES (?, ?) ON CONFLICT (license_key) {taken_key}"  # noqa: S608 — ours
        with self.transaction():
            return self._db.executemany(statement, rows).rowcount

    def mark(self, mark: Mark) -> None:
        """Give these keys another status. Raises `Problem` unknown_key, and then marks none."""
        with self.transaction():
            for license_key in mark.license_keys:
                self._write(self._license(license_key).model_copy(update={"status": mark.status}))

    def license(self, license_key: str) -> License:
        """The license as it stands. Raises `Problem` unknown_key or revoked_key."""
        license = self._license(license_key)
        if license.status == "unknown":
            raise Problem("unknown_key", "no such license")
        if license.status == "revoked":
            raise Problem("revoked_key", "the license was revoked")
        return license

    def place(
        self, idempotency_key: str, order: Order, strict_expiry: bool
    ) -> tuple[dict[str, Any], License | None]:
        """Carry out an order, once per idempotency key. Its answer, and the license as it was before.

        A repeat gets the first answer and no license. Raises `Problem`; a refused order leaves its key free.
        """
        request = order.model_dump_json()
        with self.transaction():
            if earlier := self._repeat(idempotency_key, request):
                return earlier, None
            before = self.license(order.license_key)
            after = changed(before, order, strict_expiry)
            answer = after.model_dump(mode="json", include={"edition", "size", "addons"}) | {
                "reference": order.reference,
                "kind": order.kind,
                "from_expires_on": before.expires_on.isoformat(),
                "to_expires_on": after.expires_on.isoformat(),
                "placed_at": datetime.now(UTC).isoformat(),
            }
            number = self._db.execute(
                "INSERT INTO orders (idempotency_key, reference, request, answer) VALUES (?, ?, ?, ?)",
                (idempotency_key, order.reference, request, json.dumps(answer)),
            ).lastrowid
            self._write(after)
        return _numbered(number, answer), before

    def orders_of(self, reference: str) -> list[tuple[str, dict[str, Any]]]:
        """License key and answer of each order placed under this reference, oldest first."""
        rows = self._db.execute(
            "SELECT number, answer, request ->> 'license_key' FROM orders"
            " WHERE reference = ? ORDER BY number",
            (reference,),
        )
        return [(license_key, _numbered(number, json.loads(answer))) for number, answer, license_key in rows]

    def all_orders(self) -> list[dict[str, Any]]:
        """The whole record, oldest first: what was answered, for which key, how often it was repeated."""
        rows = self._db.execute(
            "SELECT number, answer, request ->> 'license_key', request ->> 'months', idempotency_key, repeats"
            " FROM orders ORDER BY number"
        )
        return [
            _numbered(number, json.loads(answer))
            | {"license_key": key, "months": months, "idempotency_key": idempotency_key, "repeats": repeats}
            for number, answer, key, months, idempotency_key, repeats in rows
        ]

    def all_licenses(self) -> list[dict[str, Any]]:
        """Every license as it really stands, marked ones included, in order of registration."""
        rows = self._db.execute("SELECT content FROM licenses ORDER BY rowid")
        return [json.loads(content) for (content,) in rows]

    def counts(self) -> dict[str, int]:
        """How many licenses and orders there are."""
        query = "SELECT (SELECT count(*) FROM licenses), (SELECT count(*) FROM orders)"
        licenses, orders = self._db.execute(query).fetchone()
        return {"licenses": licenses, "orders": orders}

    def _license(self, license_key: str) -> License:
        query = "SELECT content FROM licenses WHERE license_key = ?"
        row = self._db.execute(query, (license_key,)).fetchone()
        if row is None:
            raise Problem("unknown_key", "no such license")
        return License.model_validate_json(row[0])

    def _write(self, license: License) -> None:
        statement = "UPDATE licenses SET content = ? WHERE license_key = ?"
        self._db.execute(statement, (license.model_dump_json(), license.license_key))

    def _repeat(self, idempotency_key: str, request: str) -> dict[str, Any] | None:
        """The first answer to this key, None if it is new. Raises `Problem` idempotency_conflict."""
        statement = (
            "UPDATE orders SET repeats = repeats + 1 WHERE idempotency_key = ?"
            " RETURNING number, request, answer"
        )
        row = self._db.execute(statement, (idempotency_key,)).fetchone()
        if row is None:
            return None
        number, first_request, answer = row
        if first_request != request:
            raise Problem("idempotency_conflict", "this idempotency key belongs to another order")
        return _numbered(number, json.loads(answer))


def _numbered(number: int | None, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with the vendor's order number."""
    return {"number": f"SO-{number:06d}"} | answer
