"""Pages do not slow down as the book grows: what they ask is answered from an index (EXPLAIN says so)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from db import invoice_list, portal_sessions, requests, subscriptions, timeline
from tests.portal.statements import statements

ROWS = 100_000

FILL = """
INSERT INTO customers (id, email, name, country, created_at)
    SELECT 'cus_' || n, 'c' || n || '@example.com', 'Customer ' || n, 'GB', now()
        FROM generate_series(1, {customers}) n;
INSERT INTO licenses
    (id, customer_id, key_ciphertext, fingerprint, last_four, product, edition, size, vendor_expires_on)
    SELECT 'lic_' || n, 'cus_' || (n % {customers} + 1), 'x', sha256(n::text::bytea), 'ABCD', 'SmarterMail',
        'Professional', '250', DATE '2027-08-31' FROM generate_series(1, {rows}) n;
INSERT INTO subscriptions
    (id, license_id, customer_id, currency, anchor_day, starts_on, expires_on, next_renews_on, at)
    SELECT 'sub_' || n, 'lic_' || n, 'cus_' || (n % {customers} + 1), 'GBP', 31, DATE '2026-09-01',
        DATE '2027-08-31', DATE '2027-08-17', now() FROM generate_series(1, {rows}) n;
INSERT INTO orders
    (id, subscription_id, kind, key, term_starts_on, term_expires_on, target_edition, target_size, ordered_at)
    SELECT 'ord_' || n, 'sub_' || n, 'renewal', 'key/' || n, DATE '2026-09-01', DATE '2027-08-31',
        'Professional', '250', now() FROM generate_series(1, {rows}) n;
INSERT INTO notices (id, subscription_id, customer_id, audience, kind, facts, at, sent_at)
    SELECT 'ntc_' || n, 'sub_' || n, 'cus_' || (n % {customers} + 1), 'customer', 'expired', '{{}}', now(), now()
        FROM generate_series(1, {rows}) n;
INSERT INTO audit (at, actor, action, subject, details)
    SELECT now(), 'a', 'renew', 'sub_' || n, '{{"to": "2027-08-31"}}' FROM generate_series(1, {rows}) n;
ANALYZE customers, licenses, subscriptions, orders, notices, audit;
"""


async def questions(session):
    """What the pages of a customer ask."""
    held = await subscriptions.held(session, "sub_77")
    await subscriptions.of_customer(session, held.customer.id)
    await subscriptions.of_customer(session, held.customer.id, ended=True)
    await timeline.happened(session, held, lambda notice: notice.kind)
    await invoice_list.of_customer(session, held.customer.id)
    await requests.of_customer(session, held.customer.id)
    await portal_sessions.signed_in(session, "nobody", held.subscription.at)


@pytest.fixture
async def large(world):
    """100,000 subscriptions of 20,000 customers; gone afterwards."""
    await world.empty()
    async with world.engine.begin() as connection:
        for statement in FILL.format(rows=ROWS, customers=ROWS // 5).split(";\n"):
            if statement.strip():
                await connection.execute(text(statement.replace(":", "\\:")))
    yield world
    await world.empty()


async def test_no_page_of_a_customer_reads_a_whole_table(large):
    async with large.sessions() as session:
        async with statements(large.engine) as asked:
            await questions(session)
        plans = {}
        for statement, parameters in asked:
            connection = await (await session.connection()).get_raw_connection()
            rows = await connection.driver_connection.fetch(f"EXPLAIN {statement}", *parameters)
            plans[statement] = "\n".join(row[0] for row in rows)

    assert len(plans) >= 8
    grown = re.compile(r"Seq Scan on (customers|licenses|subscriptions|orders|notices|audit)\b")
    assert not {statement: plan for statement, plan in plans.items() if grown.search(plan)}
