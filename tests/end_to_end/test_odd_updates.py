"""An update with the wrong payload is refused, and the subscription lives on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.end_to_end.book import Book


@pytest.mark.parametrize("payloads", [["please"], [{"bye": "jo"}], [{}, {}]], ids=repr)
async def test_an_update_that_cannot_be_understood_is_answered_with_what_is_wrong(
    book: Book, payloads: list[Any]
):
    subscription = await book.subscription()

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        async with asyncio.timeout(10):
            await subscription.handle.execute_update("request_cancel", args=payloads)

    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "NotUnderstood"
    assert (await subscription.status()).auto_renew


async def test_an_update_without_a_payload_is_the_empty_message(book: Book):
    """As `temporal workflow update execute --name request_cancel` sends it; it once failed the workflow task."""
    subscription = await book.subscription()

    async with asyncio.timeout(10):
        await subscription.handle.execute_update("request_cancel")

    assert not (await subscription.status()).auto_renew
