"""Traces as they arrive at a collector, over OTLP."""

from __future__ import annotations

from tests.eventually import eventually
from tests.observability import door


async def test_one_trace_leads_from_the_request_over_the_workflow_to_provider_and_vendor(world, book):
    subscription = await book.subscription()
    await subscription.customer.save_card()
    await door.order(world, subscription)
    run_id = (await subscription.handle.describe()).run_id

    updated = await world.sink.until("RunActivity:update", temporalRunID=run_id)

    def named(trace):
        return {(span.program, span.name) for span in trace}

    async def complete():
        names = named(world.sink.trace(updated.trace_id))
        return {
            ("evergreen-portal", f"POST {door.PAY}"),
            ("evergreen-portal", "StartWorkflowUpdate:request_addons"),
            ("evergreen-worker", "RunActivity:order_addons"),
            ("evergreen-worker", "RunActivity:charge"),
            ("evergreen-worker", "RunActivity:update"),
            ("evergreen-worker", "RunActivity:record_update"),
        } <= names

    await eventually(complete, "the whole trace")
    trace = world.sink.trace(updated.trace_id)
    by_id = {span.span_id: span for span in trace}
    calls = {
        by_id[span.parent_id].name
        for span in trace
        if span.name in ("GET", "POST") and span.program == "evergreen-worker"
    }
    assert calls == {"RunActivity:charge", "RunActivity:update"}
    orphans = [span for span in trace if span.parent_id and span.parent_id not in by_id]
    assert not orphans


async def test_what_a_term_does_by_itself_is_one_trace_named_after_its_run(world, lived):
    """Its trace id is the run id: from a page of the Temporal UI one finds its trace."""
    updated = await world.sink.until("RunActivity:begin_term", temporalWorkflowID=lived.renewed.workflow_id)

    assert updated.trace_id == updated.attributes["temporalRunID"].replace("-", "")
    names = {span.name for span in world.sink.trace(updated.trace_id)}
    assert {
        "RunActivity:settle",
        "RunActivity:charge",
        "RunActivity:update",
        "RunActivity:begin_term",
    } <= names


async def test_a_failed_attempt_shows_as_one(world, lived):
    """The vendor was down: the attempt has the status of an error."""
    failed = [
        span
        for span in world.sink.spans
        if span.name == "RunActivity:update"
        and span.attributes["temporalWorkflowID"] == lived.late.workflow_id
        and span.status == 2
    ]

    assert failed
    assert failed[0].events == ("exception",)


async def test_spans_hold_nothing_personal_and_no_secret(world, lived, book):
    """R28: no key, address, name, token, nor the words of an error; nor a path or query, where they might be."""
    sent = b"".join(world.sink.bytes)
    secrets = [
        *(subscribed.license_key for subscribed in book.kept),
        *(subscribed.customer.email for subscribed in book.kept),
        "Ann Example",
        door.HUSH,
        world.stack.addresses.token.get_secret_value(),
        "does not answer",
        "insufficient_funds",
        "/v1/orders",
    ]

    assert len(world.sink.spans) > 30
    assert [secret for secret in secrets if secret.encode() in sent] == []
