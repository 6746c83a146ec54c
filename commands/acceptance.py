"""What accepting a request stands on, what staff choose, and what comes of it (R27)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from config import Settings
from domain.messages import OrderAnswer


@dataclass(frozen=True)
class Desk:
    """Where one member of staff decides: the tables, the workflows, who and when."""

    sessions: async_sessionmaker[AsyncSession]
    client: Client
    settings: Settings
    by: str
    at: datetime


@dataclass(frozen=True)
class Choice:
    """What staff say when they accept; what is left empty stays as the customer filled it in."""

    license: dict[str, str] = field(repr=False)
    """By column, as in an import; may hold the license key."""
    subscription: str
    price: str
    answer: str
    """To the customer."""


@dataclass(frozen=True)
class Accepted:
    """What came of it; not carried out yet when no worker has answered."""

    request_id: str
    kind: str
    subscription_id: str | None
    answer: OrderAnswer | None = None
    carried_out: bool = True
    window_closed: bool = False
    """The coming renewal of the license cannot be stopped any more (R26)."""
