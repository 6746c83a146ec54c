"""Our adapter on the sandbox provider, a program of its own; or on whatever EVERGREEN_STRIPE_API_BASE names.

With `EVERGREEN_STRIPE_API_BASE=https://api.stripe.com EVERGREEN_STRIPE_KEY=sk_test_…` the same tests ask Stripe
itself, in its test mode. Those that make trouble, or read what the sandbox alone tells, are skipped then.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from domain.card import SavedCard
from payments.stripe_provider import StripeProvider
from tests.payments.running import Receiver, Sandbox, new_payer, provider_on, receiving, running_sandbox

API_BASE = os.environ.get("EVERGREEN_STRIPE_API_BASE")
KEY = os.environ.get("EVERGREEN_STRIPE_KEY", "sk_test_contract")
NO_CONTROLS = "EVERGREEN_STRIPE_API_BASE names a provider that cannot be told to make trouble"


@pytest.fixture(scope="package")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox | None]:
    """One provider for all tests that leave it running; each uses customers of its own."""
    if API_BASE:
        yield None
        return
    async with running_sandbox(tmp_path_factory.mktemp("payments")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(program: Sandbox | None) -> Sandbox:
    """The provider's controls."""
    if program is None:
        pytest.skip(NO_CONTROLS)
    return program


@pytest.fixture
async def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """A provider for a test that stops it."""
    if API_BASE:
        pytest.skip(NO_CONTROLS)
    async with running_sandbox(tmp_path_factory.mktemp("own-payments")) as sandbox:
        yield sandbox


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=API_BASE is not None) as client:
        yield client


@pytest.fixture
def provider(program: Sandbox | None, client: httpx.AsyncClient) -> StripeProvider:
    return provider_on(program.url if program else API_BASE, client, KEY)


@pytest.fixture
async def receiver(sandbox: Sandbox) -> AsyncIterator[Receiver]:
    async with receiving(sandbox) as receiver:
        yield receiver


@pytest.fixture
async def saved(provider: StripeProvider) -> SavedCard:
    """A new customer's card, the default, which always pays."""
    card = await provider.save_card(new_payer(), "pm_card_visa")
    assert isinstance(card, SavedCard)
    return card


@pytest.fixture
def customer(saved: SavedCard) -> str:
    """A new customer with a card that always pays."""
    return saved.customer_reference


@pytest.fixture
def before() -> datetime:
    """An instant before the test does anything."""
    return datetime.now(UTC)
