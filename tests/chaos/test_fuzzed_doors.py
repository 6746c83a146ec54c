"""Whatever comes in at a door: it is taken, or refused where it shows, and nobody behind the door stumbles (R26)."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from stripe import WebhookSignature
from temporalio.client import WorkflowUpdateFailedError

import config
from domain.catalogue import parse
from domain.intake import check_csv, check_json_lines
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import COLUMNS, Row
from payments import webhooks
from payments.webhooks import READERS, BadSignature, NotUnderstood
from tests.chaos.payloads import anything, nearly_right, payloads
from tests.end_to_end.book import Book
from tests.end_to_end.dates import local
from tests.end_to_end.world import OwnWorker
from tests.money.world import World
from tests.portal.application import portal_application

ON_THE_LOOP = settings(
    deadline=None,
    max_examples=3,
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # each example lives a year: what differs is small enough to read
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SIGNALS = (
    *("cancel", "resume", "add_addons", "payment_changed", "license_updated", "order_paid"),
    *("__stack_trace", "no_such_signal"),
)
UPDATES = (
    *("request_cancel", "request_resume", "request_addons", "request_upgrade", "request_payment"),
    *("request_change_at_renewal", "no_such_update"),
)
CATALOGUE = parse(config.SHIPPED_CATALOGUE.read_text(encoding="utf-8"))
SECRET = "whsec_fuzz"

messages = st.lists(
    st.tuples(st.just("signal"), st.sampled_from(SIGNALS), payloads)
    | st.tuples(st.just("update"), st.sampled_from(UPDATES), payloads),
    min_size=10,
    max_size=25,
)


@given(conversations=st.lists(messages, min_size=2, max_size=3))
@ON_THE_LOOP
async def test_no_message_wedges_a_subscription(
    conversations: list[list[tuple[str, str, list[Any]]]], world: World, worker: OwnWorker
):
    """R10, R29: whatever is sent, it answers, is still the customer's to cancel, and is renewed if nobody has."""
    book = Book(world)
    try:
        told = [await book.subscription() for _ in conversations]
        async with asyncio.TaskGroup() as group:
            for subscription, said in zip(told, conversations, strict=True):
                group.create_task(_say(subscription.handle, said))
        for subscription in told:
            assert (await subscription.status()).term == subscription.term
            await subscription.resume(request_id="the last word")
            await subscription.at(local(subscription.expires_on))
            assert subscription.renewals() == subscription.one_renewal
    finally:
        await book.close()


async def _say(handle: Any, said: list[tuple[str, str, list[Any]]]) -> None:
    for way, name, values in said:
        if way == "signal":
            await handle.signal(name, args=values)
        else:
            with suppress(WorkflowUpdateFailedError):
                async with asyncio.timeout(20):
                    await handle.execute_update(name, args=values)


columns = st.sampled_from(COLUMNS)
cells = st.text(max_size=40) | st.sampled_from(
    ["GB", "GBP", "SmarterMail", "2027-08-31", "200.00", "yes", "1e3"]
)


@given(whole=st.binary(max_size=400), cut=st.integers(1, 50))
@settings(max_examples=150)
def test_any_bytes_are_rows_problems_or_an_unreadable_file(whole: bytes, cut: int):
    """R26: a file is never a crash."""
    for content in (whole, ",".join(COLUMNS).encode() + b"\n" + whole):
        chunks = [content[at : at + cut] for at in range(0, len(content), cut)]
        for check in (check_csv, check_json_lines):
            with suppress(UnreadableFile):
                assert all(
                    isinstance(found, Row | Problem) for found in check(chunks, CATALOGUE, date(2026, 11, 25))
                )


@given(
    rows=st.lists(
        st.dictionaries(columns | st.text(max_size=8), anything | cells, max_size=14), min_size=1, max_size=4
    )
)
@settings(max_examples=150)
def test_any_json_line_is_a_row_or_a_problem_of_that_line(rows: list[dict[str, Any]]):
    """R26: every bad row is reported with its line."""
    content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    found = list(check_json_lines([content], CATALOGUE, date(2026, 11, 25)))

    assert {one.line for one in found} == set(range(1, len(rows) + 1))


STATUSES = ("succeeded", "processing", "requires_action", "requires_capture", "canceled", "failed")
things = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("pi_1") | anything,
        "object": st.sampled_from(["payment_intent", "refund", "charge", "customer"]) | anything,
        "status": st.sampled_from(
            ["succeeded", "processing", "requires_action", "requires_capture", "canceled", "failed"]
        )
        | anything,
        "amount": st.integers(0, 10**6) | anything,
        "amount_received": st.integers(0, 10**6) | anything,
        "amount_refunded": st.integers(0, 10**6) | anything,
        "created": st.integers(0, 2**33) | anything,
        "currency": st.just("gbp") | anything,
        "customer": st.just("cus_1") | st.just({"id": "cus_1", "object": "customer"}) | anything,
        "metadata": st.just({"evergreen_key": "sub_1/2027-08-31/renewal/1/charge/1"}) | anything,
        "next_action": st.none() | st.just({"type": "use_stripe_sdk", "use_stripe_sdk": {}}) | anything,
        "last_payment_error": st.none() | st.just({"code": "card_declined", "type": "card_error"}) | anything,
        "payment_intent": st.just("pi_1") | anything,
        "payment_method": st.just("pm_1") | anything,
        "mode": st.just("setup") | anything,
        "type": st.just("card") | anything,
    },
)
events = st.fixed_dictionaries(
    {"object": st.just("event"), "type": st.sampled_from(sorted(READERS)) | st.text(max_size=10)},
    optional={
        "id": st.just("evt_1") | anything,
        "created": st.integers(0, 2**33) | anything,
        "data": st.fixed_dictionaries({"object": things}) | anything,
    },
)


def _signed(body: bytes) -> str:
    at = int(time.time())
    signature = WebhookSignature._compute_signature(f"{at}.{body.decode()}", SECRET)
    return f"t={at},v1={signature}"


@given(event=events | anything | nearly_right)
@settings(max_examples=300, deadline=None)
def test_a_signed_event_of_any_shape_is_read_or_refused(event: Any):
    """Only the provider can sign; but it has other versions of its API, and other charges than ours."""
    body = json.dumps(event).encode()

    with suppress(NotUnderstood):
        webhooks.read(body, _signed(body), SECRET)


@given(body=st.binary(max_size=200), signature=st.none() | st.text(max_size=80) | st.just("t=1,v1=00"))
@settings(max_examples=100)
def test_what_is_not_signed_is_refused(body: bytes, signature: str | None):
    """Whatever it says."""
    with pytest.raises(BadSignature):
        webhooks.read(body, signature, SECRET)


@given(sent=st.lists(events | anything, min_size=20, max_size=40))
@ON_THE_LOOP
async def test_no_event_breaks_the_webhook(sent: list[Any], world: World):
    """A signed event is answered; none ends in an error of ours."""
    app = portal_application(world, webhook_secret=SECRET)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as portal:
        for event in sent:
            body = json.dumps(event).encode()
            answer = await portal.post(
                "/webhooks/payments", content=body, headers={"stripe-signature": _signed(body)}
            )
            assert answer.status_code in (200, 400, 422), (answer.status_code, event)
