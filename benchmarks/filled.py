"""A book with a past, made by the database itself within seconds: for what reads much and must not grow with it.

The rows are as ours write them, but nothing was bought: there are no movements behind the invoices.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

SUBSCRIPTIONS_EACH = 5
"""Of one customer, in a book of any size: a customer's pages show as much."""
WAITING = 5
"""Requests and license updates that wait for staff, in a book of any size."""

# Keys, ids and addresses tell the number; renewals and promises are spread over a year, as in life.
FILL = """
INSERT INTO customers (id, email, name, country, created_at)
    SELECT 'cus_' || n, 'buyer' || n || '@host' || n || '.example', 'Firm ' || n || ' Ltd', 'GB', now()
    FROM generate_series(0, {customers} - 1) n;
INSERT INTO licenses
    (id, customer_id, key_ciphertext, fingerprint, last_four, product, edition, size, vendor_expires_on)
    SELECT 'lic_' || n, 'cus_' || n / {each}, 'x', sha256(n::text::bytea), lpad(upper(to_hex(n % 65536)), 4, '0'),
        'SmarterMail', 'Professional', '250', current_date + 14 + n % 365
    FROM generate_series(0, {number} - 1) n;
INSERT INTO subscriptions
    (id, license_id, customer_id, currency, anchor_day, starts_on, expires_on, next_renews_on, started_at, at)
    SELECT 'sub_' || n, 'lic_' || n, 'cus_' || n / {each}, 'GBP', 31, current_date + n % 365 - 351,
        current_date + 14 + n % 365, current_date + n % 365, now(), now() - interval '2 years'
    FROM generate_series(0, {number} - 1) n;
INSERT INTO orders
    (id, subscription_id, kind, key, term_starts_on, term_expires_on, target_edition, target_size, state,
     ordered_at, paid_at, promise_at, fulfilled_at)
    SELECT 'ord_' || n, 'sub_' || n, 'renewal', 'key/' || n, current_date + n % 365 - 351,
        current_date + 14 + n % 365, 'Professional', '250', 'fulfilled', at, at, at + interval '1 day', at
    FROM generate_series(0, {number} - 1) n, LATERAL (SELECT now() - n % 365 * interval '1 day' AS at) paid;
INSERT INTO accounts (id, kind, currency, customer_id, balance_minor)
    SELECT 'invoice/inv_' || n, 'invoice', 'GBP', 'cus_' || n / {each}, 0 FROM generate_series(0, {number} - 1) n;
INSERT INTO invoice_series (series) VALUES ('EG');
INSERT INTO invoices
    (id, series, sequence, number, kind, order_id, customer_id, currency, net_minor, tax_minor, total_minor,
     bill_to_name, bill_to_country, account_id, issued_at)
    SELECT 'inv_' || n, 'EG', n + 1, 'EG-' || n, 'invoice', 'ord_' || n, 'cus_' || n / {each}, 'GBP', 100, 20, 120,
        'Firm', 'GB', 'invoice/inv_' || n, now() FROM generate_series(0, {number} - 1) n;
INSERT INTO license_updates
    (id, order_id, license_id, reference, channel, from_expires_on, to_expires_on, target_edition, target_size,
     state, promise_at, done_at, seen_expires_on)
    SELECT 'upd_' || n, 'ord_' || n, 'lic_' || n, 'ref_' || n, 'by_hand', current_date, current_date + 365,
        'Professional', '250', CASE WHEN n < {waiting} THEN 'pending' ELSE 'done' END,
        date_trunc('day', now()) + interval '1 day' - n % 365 * interval '1 day',
        CASE WHEN n >= {waiting} THEN now() - n % 365 * interval '1 day' END,
        CASE WHEN n >= {waiting} THEN current_date + 365 END
    FROM generate_series(0, {number} - 1) n;
INSERT INTO requests (id, customer_id, email, kind, text, state, decided_by, decided_at, reason, at)
    SELECT 'req_' || n, 'cus_' || n / {each}, 'buyer' || n / {each} || '@host.example', 'other', 'Can you call me?',
        CASE WHEN open THEN 'open' ELSE 'declined' END, CASE WHEN NOT open THEN 'jo' END,
        CASE WHEN NOT open THEN now() END, CASE WHEN NOT open THEN 'called' END, now()
    FROM generate_series(0, {number} - 1) n, LATERAL (SELECT n < {waiting} AS open) state;
INSERT INTO notices (id, subscription_id, customer_id, audience, kind, facts, at, sent_at)
    SELECT 'ntc_' || n, 'sub_' || n, 'cus_' || n / {each}, 'customer', 'expired', '{{}}', now(), now()
    FROM generate_series(0, {number} - 1) n;
INSERT INTO audit (at, actor, action, subject, details)
    SELECT now(), 'a', 'renew', 'sub_' || n, '{{"to": "2027-08-31"}}' FROM generate_series(0, {number} - 1) n;
{counted};
VACUUM ANALYZE
"""


async def fill(engine: AsyncEngine, number: int) -> None:
    """Put so many subscriptions into an empty book, each with an order, an invoice, an update, a request, a letter.

    Triggers and foreign keys are off meanwhile, for a superuser can: what they would check or keep is put in too.
    """
    count_promises = importlib.import_module("db.migrations.versions.0012_page_times").COUNT_ALL
    script = FILL.format(
        number=number,
        customers=number // SUBSCRIPTIONS_EACH,
        each=SUBSCRIPTIONS_EACH,
        waiting=WAITING,
        counted=count_promises,
    )
    await _each(engine, ["SET session_replication_role = replica", *script.split(";\n")])


async def emptied(engine: AsyncEngine, tables: Sequence[str]) -> None:
    """Forget all rows of these tables and of those that point at them, however many there are."""
    await _each(engine, ["SET session_replication_role = replica", f"TRUNCATE {', '.join(tables)} CASCADE"])


async def _each(engine: AsyncEngine, statements: Sequence[str]) -> None:
    """Each by itself, as VACUUM wants it; colons are no parameters here. The role is gone with the connection."""
    async with engine.connect() as connected:
        alone = await connected.execution_options(isolation_level="AUTOCOMMIT")
        for statement in statements:
            await alone.execute(text(statement.replace(":", "\\:")))
        await connected.invalidate()
