"""What worker and portal write into their logs, as JSON."""

from __future__ import annotations

from tests.eventually import eventually
from tests.observability import door


async def test_a_line_names_subscription_activity_and_attempt(world, lived):
    lines = [line for line in world.log("worker") if line.get("subscription_id") == lived.renewed.id]
    done = {line["activity"] for line in lines if line["event"] == "done"}

    assert {"settle", "charge", "update", "begin_term"} <= done
    for line in lines:
        assert line.keys() >= {"timestamp", "level", "logger", "workflow_id", "run_id", "attempt"}
        assert line["workflow_id"] == lived.renewed.workflow_id


async def test_a_failed_attempt_is_logged_by_its_kind(world, lived):
    failed = [
        line
        for line in world.log("worker")
        if line.get("subscription_id") == lived.late.id and line.get("event") == "not done"
    ]

    assert failed
    assert {line["failure"] for line in failed} == {"VendorUnavailable"}


async def test_a_request_keeps_its_id_from_the_portal_into_the_workers_lines(world):
    """The id that came with it, or one of ours; the answer tells it."""
    given = await world.http.get(f"{world.portal}/healthz", headers={"X-Request-ID": "jo-1"})
    made = await world.http.get(f"{world.portal}/healthz", headers={"X-Request-ID": "no good: \x7f"})

    assert given.headers["X-Request-ID"] == "jo-1"
    assert made.headers["X-Request-ID"] not in ("", "jo-1")

    async def logged():
        lines = [line for line in world.log("portal") if line.get("event") == "answered"]
        return {"jo-1", made.headers["X-Request-ID"]} <= {line["request_id"] for line in lines}

    await eventually(logged, "both are logged")


async def test_from_the_id_of_a_request_one_finds_what_the_worker_did_for_it(world, book):
    """The portal says under which id it asked the workflow: a form's own, for the form may be sent twice."""
    subscription = await book.subscription()
    await subscription.customer.save_card()
    answer = await door.order(world, subscription, request_id="jo-7")
    assert answer.headers["X-Request-ID"] == "jo-7"

    [asked] = [
        line
        for line in world.log("portal")
        if (line["event"], line.get("request_id")) == ("the workflow is asked", "jo-7")
    ]
    assert (asked["subscription_id"], asked["asks"]) == (subscription.id, "request_addons")

    async def logged():
        lines = [line for line in world.log("worker") if line.get("request_id") == asked["asked_as"]]
        return {line["activity"] for line in lines if line["subscription_id"] == subscription.id} >= {
            "order_addons"
        }

    await eventually(logged, "a step with the request's id")


async def test_no_log_holds_a_key_an_address_or_a_name(world, lived, book):
    """R28: of all that has lived here, with its failures and letters."""
    await world.http.get(f"{world.portal}/sign-in?token=hush-hush")
    secrets = {
        "Ann Example",
        "hush-hush",
        "@example.com",
        world.stack.addresses.token.get_secret_value(),
        *(subscribed.license_key for subscribed in book.kept),
    }

    for path, text in world.logs().items():
        assert len(text) > 100, path
        assert [secret for secret in secrets if secret in text] == [], path
