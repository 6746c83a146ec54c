"""What support types with Temporal's own command line, right and wrong: taken or refused, never a wedged workflow."""

from __future__ import annotations

import pytest

from domain.decisions import Outcome
from domain.messages import State
from tests.end_to_end.book import Book
from tests.end_to_end.command_line import CommandLine
from tests.end_to_end.dates import DAY, local
from tests.end_to_end.subscribed import Subscribed
from tests.eventually import eventually

WRONG = {
    "a text": ("cancel", ['"x"'], "the payload: must be a JSON object"),
    "a list": ("cancel", ['["support:jo"]'], "the payload: must be a JSON object"),
    "a number for a name": ("cancel", ['{"by": 3}'], "by: input should be a valid string"),
    "two payloads": ("cancel", ['{"by": "jo"}', '{"by": "jo"}'], "2 values came"),
    "a misspelled field": ("resume", ['{"bye": "jo"}'], "bye: there is no such field"),
    "a whole novel": (
        "cancel",
        ['{"reason": "' + 501 * "x" + '"}'],
        "reason: string should have at most 500",
    ),
    "a misspelled signal": ("cansel", ['{"by": "jo"}'], "there is no signal 'cansel'"),
    "a misspelled signal without payload": ("Cancel", [], "there is no signal 'Cancel'"),
    "a wrong payload for money": ("payment_changed", ["7"], "the payload: must be a JSON object"),
}


async def test_a_cancel_typed_by_support_cancels(book: Book, typed: CommandLine):
    """R7: name and payload are what the documentation says; `by` and reason are in the audit (R29)."""
    subscription = await book.subscription()
    await subscription.at(local(subscription.expires_on - 40 * DAY))

    await _signal(typed, subscription, "cancel", '{"by":"support:jo","reason":"moved"}')

    decision = await subscription.answer()
    assert (decision.outcome, decision.by) == (Outcome.ACCEPTED, "support:jo")
    [line] = await subscription.audit("cancel")
    assert (line.actor, line.reason) == ("support:jo", "moved")
    assert (await subscription.status()).decision == decision


@pytest.mark.parametrize("inputs", [[], ["null"], ["{}"]], ids=["none", "null", "empty"])
async def test_a_cancel_without_payload_is_a_cancel_by_whoever_sent_it(
    book: Book, typed: CommandLine, inputs: list[str]
):
    """R29: who did not say who they are is known by the identity of their connection."""
    subscription = await book.subscription()

    await _signal(typed, subscription, "cancel", *inputs, identity="jo@desk")

    assert (await subscription.answer()).by == "jo@desk"
    assert not (await subscription.status()).auto_renew


@pytest.mark.parametrize(("name", "inputs", "reason"), WRONG.values(), ids=WRONG)
async def test_what_is_typed_wrong_is_refused_where_it_shows_and_does_no_harm(
    book: Book, typed: CommandLine, name: str, inputs: list[str], reason: str
):
    """The sender sees in `status` why; the audit has it (R29); the subscription renews as if nothing had been."""
    subscription = await book.subscription()

    await _signal(typed, subscription, name, *inputs)

    await eventually(lambda: _is_refused(subscription), f"{name} is refused")
    [refused] = (await subscription.status()).refusals
    assert refused.signal == name
    assert reason in refused.reason
    [line] = await subscription.audit("refused_signal")
    assert (line.details["signal"], line.reason) == (name, refused.reason)
    await subscription.at(local(subscription.expires_on))
    assert subscription.renewals() == subscription.one_renewal
    assert (await subscription.status()).state == State.ACTIVE
    assert await subscription.audit("cancel") == []


async def test_a_payload_in_a_code_that_we_do_not_know_does_no_harm(book: Book, typed: CommandLine):
    """R3: nor does it make us mistake one signal for another when the server is asked when a request came."""
    subscription = await book.subscription()
    await subscription.at(subscription.plan.cancel_until)
    await typed(*_to(subscription, "cancel"), "--input", "{}", "--input-meta", "encoding=binary/unknown")

    await _signal(typed, subscription, "cancel", identity="jo@desk")

    assert (await subscription.answer()).by == "jo@desk"
    assert (await subscription.answer()).received_at == (await subscription.received())[1]
    await subscription.at(local(subscription.expires_on))
    assert subscription.renewals() == subscription.one_renewal


async def _signal(
    typed: CommandLine, subscription: Subscribed, name: str, *inputs: str, identity: str = "somebody"
) -> None:
    with_inputs = [word for value in inputs for word in ("--input", value)]
    await typed(*_to(subscription, name), *with_inputs, "--identity", identity)


def _to(subscription: Subscribed, name: str) -> list[str]:
    return ["workflow", "signal", "--workflow-id", subscription.workflow_id, "--name", name]


async def _is_refused(subscription: Subscribed) -> bool:
    return len(await subscription.audit("refused_signal")) > 0
