"""Reads what a run left behind: the traffic log, the sandboxes' own record files, and our tables by plain SQL."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import date, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

Evidence = dict[str, Any]
"""`traffic`, `vendor`, `payments`, `mails` and `tables`; plain values, as JSON has them."""

TABLES = {
    "customers": "SELECT id, email FROM customers",
    "licenses": "SELECT id, customer_id, last_four, vendor_expires_on, addons FROM licenses",
    "subscriptions": "SELECT id, license_id, customer_id, currency, expires_on, state, auto_renew, ends_after_next,"
    " started_at, promise_broken FROM subscriptions",
    "orders": "SELECT id, subscription_id, kind, key, state, term_expires_on, added_addons, paid_at, promise_at,"
    " fulfilled_at FROM orders",
    "license_updates": "SELECT id, order_id, reference, state, promise_at, late, done_at, refusal FROM license_updates",
    "invoices": "SELECT id, order_id, kind, corrects_id, currency, total_minor, account_id FROM invoices",
    "payments": "SELECT id, invoice_id, key, kind, amount_minor, currency, status, refunds_id FROM payments",
    "accounts": "SELECT id, kind, currency, customer_id, balance_minor FROM accounts",
    "movements": "SELECT id, key, kind, subject, entry_count FROM movements",
    "entries": "SELECT movement_id, account_id, currency, amount_minor FROM entries",
    "credit_grants": "SELECT id, customer_id, account_id, amount_minor, reference FROM credit_grants",
    "notices": "SELECT id, subscription_id, customer_id, audience, term_expires_on, kind, subject, at, sent_at,"
    " attempts FROM notices",
    "audit": "SELECT id, at, actor, action, subject, details, key FROM audit",
    "intakes": "SELECT id, rows, taken, unchanged, state FROM intakes",
}


async def read(folder: Path, database_url: str) -> Evidence:
    """Everything, as plain values. The servers are up and nothing is under way any more."""
    traffic = (folder / "traffic.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "traffic": [json.loads(line) for line in traffic],
        "vendor": vendor(folder / "vendor.db"),
        "payments": payments(folder / "payments.db"),
        "mails": mails(folder / "mail.db"),
        "tables": await tables(database_url),
    }


def saved(folder: Path) -> Evidence:
    """What a run wrote down of it, to be judged once more."""
    found: Evidence = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    return found


def vendor(file: Path) -> Evidence:
    """The vendor's own record."""
    orders = _rows(
        file, "SELECT idempotency_key, reference, request, answer, repeats FROM orders ORDER BY number"
    )
    return {
        "licenses": [json.loads(content) for (content,) in _rows(file, "SELECT content FROM licenses")],
        "orders": [
            json.loads(answer)
            | {"license_key": json.loads(request)["license_key"], "idempotency_key": key, "repeats": repeats}
            for key, _reference, request, answer, repeats in orders
        ],
    }


def payments(file: Path) -> Evidence:
    """The payment provider's own record: what was tried, taken and given back."""
    found = _rows(
        file, "SELECT kind, content FROM objects WHERE kind IN ('payment_intent', 'refund') ORDER BY number"
    )
    objects = [(kind, json.loads(content)) for kind, content in found]
    return {
        "charges": [
            {
                "id": it["id"],
                "status": it["status"],
                "amount": it["amount"],
                "currency": it["currency"].upper(),
                "key": (it["metadata"] or {}).get("evergreen_key"),
            }
            for kind, it in objects
            if kind == "payment_intent"
        ],
        "refunds": [
            {"charge": it["payment_intent"], "amount": it["amount"], "status": it["status"]}
            for kind, it in objects
            if kind == "refund"
        ],
    }


def mails(file: Path) -> list[Evidence]:
    """Every mail that was taken, by the notice it tells of."""
    found = []
    for recipients, content in _rows(file, "SELECT recipients, content FROM mails ORDER BY id"):
        message_id = str(message_from_bytes(content, policy=default)["Message-ID"])
        notice = re.match(r"<([^@]+)@", message_id)
        found.append({"to": json.loads(recipients), "notice": notice[1] if notice else message_id})
    return found


async def tables(database_url: str) -> dict[str, list[Evidence]]:
    """Our tables, in the order in which PostgreSQL gives them."""
    parts = urlsplit(database_url)
    where = {name: values[0] for name, values in parse_qs(parts.query).items()}
    connected = await asyncpg.connect(
        host=where.get("host", parts.hostname),
        port=int(where.get("port", parts.port or 5432)),
        user=parts.username or "postgres",
        database=parts.path.lstrip("/"),
    )
    try:
        return {
            name: [
                {column: _plain(value) for column, value in row.items()}
                for row in await connected.fetch(query)
            ]
            for name, query in TABLES.items()
        }
    finally:
        await connected.close()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def _rows(file: Path, query: str) -> list[Any]:
    connected = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return connected.execute(query).fetchall()
    finally:
        connected.close()
