"""What the pages work with: made once at the root, and given to every request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from db.license_keys import KeyRing
from db.sign_in_links import Role
from domain.catalogue import Catalogue
from domain.milestones import Policy
from domain.working_days import WorkingDays
from papers.invoice_paper import Seller
from payments.payment_provider import PaymentProvider
from portal.sign_in.identity_provider import IdentityProvider


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Means:
    """The tables, the door into Temporal, the rules' tables, and what the business is called."""

    sessions: async_sessionmaker[AsyncSession]
    temporal: Client
    provider: PaymentProvider
    key_ring: KeyRing
    catalogue: Catalogue
    policy: Policy
    working_days: WorkingDays
    business: str
    seller: Seller
    portal_url: str
    staff: dict[str, Role]
    support_limit: int = 100
    """Most that support may grant or give back at once, in whole units of the currency."""
    charges_cards: bool = False
    card_page_origins: tuple[str, ...] = ()
    """Where the payment provider's own pages are: a form may lead there, and nowhere else outside."""
    temporal_ui_url: str = ""
    identity_provider: IdentityProvider | None = None
    """Where staff may sign in besides by link; None: by link only."""
    api_requests_per_minute: int = 600
    """By one token."""
    clock: Callable[[], datetime] = field(default=_wall_clock)

    @property
    def secure(self) -> bool:
        """Whether the portal is reached by https, so that cookies can insist on it."""
        return self.portal_url.startswith("https://")

    @property
    def zone(self) -> str:
        """The business's time zone."""
        return self.policy.zone

    def now(self) -> datetime:
        """This instant, aware."""
        return self.clock()

    def today(self) -> date:
        """The business's local day."""
        return self.now().astimezone(ZoneInfo(self.zone)).date()


def _means(request: Request) -> Means:
    means: Means = request.app.state.means
    return means


Given = Annotated[Means, Depends(_means)]
"""The portal's means, as a parameter of a page."""


async def _reading(means: Given) -> AsyncIterator[AsyncSession]:
    async with means.sessions() as session:
        yield session


Reading = Annotated[AsyncSession, Depends(_reading)]
"""A session for a page that only reads; what changes something opens `means.sessions.begin()` itself."""
