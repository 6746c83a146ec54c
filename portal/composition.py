"""What the portal depends on, from the settings."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlsplit

import httpx
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from temporalio.client import Client

from config import Settings
from papers.invoice_paper import EXAMPLE_LINES, Seller
from payments.payment_provider import PaymentProvider
from portal.codec import CodecDoor
from portal.means import Means
from portal.security import visits
from portal.sign_in.identity_provider import IdentityProvider

STRIPE_API = "https://api.stripe.com"
STRIPE_PAGES = "https://checkout.stripe.com"


def means_of(
    settings: Settings,
    sessions: async_sessionmaker[AsyncSession],
    temporal: Client,
    provider: PaymentProvider,
    http: httpx.AsyncClient,
) -> Means:
    """The portal's means. Raises CatalogueError, OSError for a price list that cannot be read."""
    return Means(
        sessions=sessions,
        temporal=temporal,
        provider=provider,
        key_ring=settings.key_ring(),
        catalogue=settings.price_list(),
        policy=settings.policy(),
        working_days=settings.working_days(),
        business=settings.business,
        seller=Seller(settings.business, EXAMPLE_LINES),
        portal_url=settings.portal_url.rstrip("/"),
        staff=settings.staff,
        support_limit=settings.support_limit,
        charges_cards=settings.charges_cards,
        card_page_origins=(_card_pages(settings.stripe_api_base),),
        temporal_ui_url=settings.temporal_ui_url.rstrip("/"),
        api_requests_per_minute=settings.api_requests_per_minute,
        identity_provider=_identity_provider(settings, http),
    )


def codec_door_of(settings: Settings, means: Means) -> CodecDoor:
    """The door at which payloads are opened: for a pass, for the embedded UI, for ops who are signed in."""
    return CodecDoor(
        settings.payload_codec(),
        settings.codec_passes(),
        settings.temporal_ui_url,
        settings.codec_ui_secret.get_secret_value(),
        signed_in=partial(visits.ops_email, means),
    )


def _identity_provider(settings: Settings, http: httpx.AsyncClient) -> IdentityProvider | None:
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return IdentityProvider(settings.oidc_issuer, settings.oidc_client_id, secret, http)


def _card_pages(api: str) -> str:
    """Stripe's pages are on a host of their own; a stand-in has everything on one."""
    if api.rstrip("/") == STRIPE_API:
        return STRIPE_PAGES
    parts = urlsplit(api)
    return f"{parts.scheme}://{parts.netloc}"
