"""What staff see: the front page, search, a customer's and a subscription's whole view."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select

from db.models.audit import AuditRecord
from forecast import shelf
from tests.portal.application import portal_application
from tests.portal.doings import ask_something, order_addons
from tests.portal.visitor import SUPPORT


async def lines(world, action):
    async with world.sessions() as session:
        return list(await session.scalars(select(AuditRecord).where(AuditRecord.action == action)))


async def test_the_front_page_has_figures_and_charts_that_can_be_read_aloud(world, book, jo):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer, expires_on=datetime.now(UTC).date() + timedelta(days=60))
    await ask_something(world, customer)
    await customer.grant(500_00)
    await order_addons(world, subscribed)

    await jo.open("/staff")

    assert "1 requests to answer" in jo.text
    assert "Renewals due, by the week's Monday" in jo.page.text
    assert "renewals: " in jo.text
    assert "Nobody owes anything." in jo.text
    assert 'href="/papers/chart.css"' in jo.page.text
    assert (await jo.http.get("/papers/chart.css")).status_code == 200


@pytest.mark.parametrize("by", ["id", "email", "name", "last four", "invoice", "order", "request"])
async def test_whatever_is_at_hand_leads_to_it(world, book, jo, by):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer, addons=["Message Sniffer"])
    words = {"id": subscribed.id, "email": customer.email, "last four": subscribed.license_key[-4:].lower()}
    if by in ("invoice", "order"):
        await customer.grant(500_00)
        ordered = await order_addons(world, subscribed)
        words |= {"invoice": ordered.invoice, "order": ordered.order_id}
    if by == "request":
        words["request"] = await ask_something(world, customer)
    words["name"] = customer.email[:5].upper()

    await jo.open(f"/staff/search?q={quote(words[by])}")

    there = {
        "email": customer.id,
        "name": customer.id,
        "invoice": words.get("invoice"),
        "request": words.get("request"),
    }
    assert jo.page.url.path.endswith(str(there.get(by, subscribed.id))), jo.text


async def test_what_fits_nothing_says_so(book, jo):
    await jo.open("/staff/search?q=nobody%25_at_all")
    assert "Nothing fits" in jo.text


async def test_a_customers_whole_view(world, book, jo):
    customer = book.customer("GB")
    subscribed = await book.subscription(customer)
    await customer.grant(500_00)
    ordered = await order_addons(world, subscribed)
    asked = await ask_something(world, customer)

    await jo.open(f"/staff/customers/{customer.id}")

    for said in (customer.email, "SmarterMail Professional 250", str(ordered.invoice), "left of", "£500.00"):
        assert said.lower() in jo.text.lower(), said
    assert f"/staff/requests/{asked}" in jo.page.text
    assert "order addon" in jo.text
    assert subscribed.license_key not in jo.page.text


async def test_a_subscription_leads_to_its_execution_in_the_temporal_ui(world, book, jo):
    subscribed = await book.subscription(book.customer("GB"))

    await jo.open(f"/staff/subscriptions/{subscribed.id}")

    ui = f"{world.settings.temporal_ui_url}/namespaces/{world.client.namespace}/workflows/subscription%2F"
    assert f'href="{ui}{subscribed.id}"' in jo.page.text
    assert "Last day to cancel" in jo.text


async def test_R28_a_look_at_a_key_has_a_reason_and_is_written_down(world, book, jo):
    subscribed = await book.subscription(book.customer("GB"))
    here = f"/staff/subscriptions/{subscribed.id}"
    await jo.open(here)
    assert subscribed.license_key not in jo.page.text
    form = jo.form(f"{here}/key")
    assert (await jo.send(form)).status_code == 422
    assert await lines(world, "reveal_license_key") == []

    await jo.submit(f"{here}/key", reason="asked on the phone")

    assert subscribed.license_key in jo.text
    [line] = await lines(world, "reveal_license_key")
    assert (line.actor, line.subject, line.reason) == (
        f"support:{SUPPORT}",
        subscribed.id,
        "asked on the phone",
    )


async def test_the_forecast_made_last_is_shown_with_its_own_style_and_nothing_else(world, book, jo, tmp_path):
    kept = shelf.place(tmp_path, datetime(2026, 11, 1, tzinfo=UTC), date(2027, 11, 1))
    kept.mkdir()
    (kept / shelf.PAGE).write_text("<style>p{}</style><p>The forecast</p>")
    facts = {"plain": {"began_at": "2026-11-01T00:00:00+00:00", "until": "2027-11-01"}}
    (kept / shelf.DOCUMENT).write_text(json.dumps(facts))
    app = portal_application(world, forecast_folder=tmp_path)
    cookies = dict(jo.http.cookies)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=jo.origin, cookies=cookies
    ) as http:
        front, page = await http.get("/staff"), await http.get("/staff/forecast")

    assert "The forecast until 1 November 2027" in front.text
    digest = b64encode(sha256(b"p{}").digest()).decode()
    policy = page.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}';" in policy
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'")
    assert "The forecast" in page.text
