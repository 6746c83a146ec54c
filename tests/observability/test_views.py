"""The saved views of docs/operations.md, asked of the real server's visibility."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT
from tests.eventually import eventually

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
VIEWS = dict(re.findall(r"^\| ([a-z', ]+) \| `(WorkflowType = .*?)` \|", PAGE, re.MULTILINE))
FOUND = {
    "due this week": ["due"],
    "waiting for money": ["waiting"],
    "promise broken": ["broken"],
    "paid and not updated": ["broken"],
    "refused by the vendor": ["refused"],
    "cards declined": ["waiting"],
    "anything that waits": ["broken", "refused", "waiting"],
    "cancelled, still covered": [],
}
"""Of the subscriptions that have lived here; who is found by each view."""


@pytest.fixture
async def shown(world, lived, book):
    """Every subscription of this test by a word for it: one is due, one has just broken its promise."""
    due = await book.subscription()
    broken = await book.subscription()
    await broken.customer.save_card()
    world.vendor.fault("down", broken.license_key)
    await broken.days_before_expiry(14)
    promise_at = (await broken.until("updating")).promise_at
    await broken.at(promise_at)

    async def is_broken():
        return (await broken.status()).promise_broken

    await eventually(is_broken, "the promise is broken")
    yield {
        "due": due,
        "broken": broken,
        **{name: getattr(lived, name) for name in ("renewed", "lapsed", "refused", "cancelled", "waiting")},
    }
    world.vendor.control("DELETE", "/sandbox/faults")


def test_every_view_is_known_to_this_test():
    assert VIEWS.keys() == FOUND.keys()


async def test_each_saved_view_shows_what_it_says(world, shown):
    """Only the run that is going on: runs of terms before keep the attributes that they had."""
    by_id = {subscription.workflow_id: name for name, subscription in shown.items()}
    renews_on = shown["due"].plan.renews_on

    async def found(query):
        # the day itself differs, and others on this stack are due on it as well
        dated = re.sub(r'"2\d{3}-\d\d-\d\dT00:00:00Z"', f'"{renews_on}T23:59:00Z"', query)
        names = [by_id.get(run.id) async for run in world.client.list_workflows(dated)]
        return sorted(name for name in names if name)

    for view, expected in FOUND.items():

        async def as_expected(view=view, expected=expected):
            return await found(VIEWS[view]) == expected

        try:
            await eventually(as_expected, view)
        except AssertionError:
            assert await found(VIEWS[view]) == expected, view
