"""Settings of Evergreen, read once at the roots (worker.py, starter.py, portal, sandbox) and passed on as values.

Every setting is an environment variable `EVERGREEN_<NAME>`, or a line in a `.env` file. How to reach Temporal is
not here: that is Temporal's own profile (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …), see connection.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import httpx
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from db.license_keys import KeyRing
from db.sign_in_links import Role
from domain import catalogue as catalogues
from domain.catalogue import Catalogue
from domain.milestones import Policy
from domain.working_days import WorkingDays
from notices.letters import Letterhead
from notices.mailer import Mailer
from notices.sender import Sender
from notices.tally import NoTally, Tally
from notices.webhook_post import WebhookPost
from notices.webhook_sender import WebhookSender
from papers.receipt import ReceiptKeys
from payments.stripe_provider import StripeProvider
from payments.stripe_transport import stripe_client
from sealing.keys import Keys
from sealing.passes import Passes
from sealing.payloads import SealedPayloads

SHIPPED_CATALOGUE = Path(__file__).parent / "domain" / "catalogue.toml"


class BadSettings(Exception):
    """A setting is missing or wrong; the text names the variable and how to mend it."""


class Settings(BaseSettings):
    """What one deployment of Evergreen is told from outside. Times are local to `zone`, amounts are minor units."""

    model_config = SettingsConfigDict(env_prefix="EVERGREEN_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(description="SQLAlchemy URL of PostgreSQL, postgresql+asyncpg://…")
    secret_keys: SecretStr = Field(
        description="key ring for license keys, id:base64[,id:base64…], current first"
    )
    codec_keys: SecretStr = Field(
        description="key ring for what is sent to Temporal, id:base64[,id:base64…], current first"
    )
    fingerprint_pepper: SecretStr = Field(
        description="secret that keys the license fingerprints; never changes"
    )

    zone: str = Field("Europe/London", description="business time zone")
    country: str = Field("GB", description="country whose bank holidays count (R5)")
    subdivision: str = Field("ENG", description="part of the country, for its bank holidays")
    extra_holidays: Annotated[frozenset[date], NoDecode] = Field(
        frozenset(), description="one-off bank holidays, ISO dates separated by commas"
    )
    day_ends: time = Field(time(17, 30), description="end of a working day (R5)")
    notice_days: int = Field(
        15, ge=1, le=90, description="a cancellation counts up to so many days before expiry (R2)"
    )
    renew_days_before: int = Field(14, ge=0, le=60, description="renewal date, days before expiry (R4)")
    renewal_spread_minutes: int = Field(
        0,
        ge=0,
        le=870,
        description="what is due on one day is spread over so many minutes from 09:00 local on (R4)",
    )
    reminder_days: Annotated[tuple[int, ...], NoDecode] = Field(
        (60, 30, 16), description="reminders, days before expiry, separated by commas (R6)"
    )
    catalogue: Path = Field(SHIPPED_CATALOGUE, description="products, add-ons and prices (R12)")

    vendor_url: str = Field("http://127.0.0.1:8601", description="the license vendor's API")
    vendor_token: SecretStr = Field(SecretStr(""), description="bearer token for the vendor's API")
    vendor_timeout_seconds: float = Field(20.0, gt=0, description="longest wait for one answer of the vendor")

    stripe_api_key: SecretStr = Field(
        SecretStr(""), description="the payment provider's secret key; empty: no cards are charged"
    )
    stripe_api_base: str = Field("https://api.stripe.com", description="where the payment provider answers")
    stripe_webhook_secret: SecretStr = Field(
        SecretStr(""), description="signs what the payment provider tells us; empty: webhooks are refused"
    )
    payment_timeout_seconds: float = Field(
        20.0, gt=0, description="longest wait for one answer of the payment provider"
    )

    business: str = Field("Evergreen", description="the business's name, as letters and invoices give it")
    smtp_host: str = Field("", description="mail server; empty: letters wait in the outbox")
    smtp_port: int = Field(587, description="its port")
    smtp_security: Literal["none", "starttls", "tls"] = Field("starttls", description="how it is spoken to")
    smtp_user: str | None = Field(None, description="who we are there; none: no sign-in")
    smtp_password: SecretStr = Field(SecretStr(""), description="the password there")
    mail_from: str = Field("Evergreen <renewals@evergreen.example>", description="the sender of our letters")
    staff_address: str = Field("support@evergreen.example", description="where notices to staff go")
    staff: Annotated[dict[str, Role], NoDecode] = Field(
        {}, description="who may sign in as staff, address:role separated by commas; support or ops"
    )
    support_limit: int = Field(
        100,
        ge=0,
        description="most that support may grant or give back at once, in whole units; ops: any amount",
    )

    oidc_issuer: str = Field(
        "", description="identity provider that staff may sign in with, https://…; empty: by link only"
    )
    oidc_client_id: str = Field("", description="how the portal is known there")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="the portal's secret there")

    reconcile_at: time = Field(time(5, 0), description="local time of the daily reconciliation")
    reconcile_vendor_per_second: float = Field(
        20.0,
        gt=0,
        description="licenses that a reconciliation reads back at the vendor, at most so many a second",
    )

    portal_host: str = Field("127.0.0.1", description="address that the portal listens on")
    portal_port: int = Field(8000, description="port that the portal listens on")
    portal_url: str = Field("http://127.0.0.1:8000", description="how customers reach the portal, for links")

    temporal_ui_url: str = Field(
        "", description="how staff reach the Temporal UI, for links; its pages may ask the codec"
    )
    codec_ui_secret: SecretStr = Field(
        SecretStr(""),
        description="opens /codec/<secret>/… for a Temporal UI that sends no credentials; empty: no such door",
    )
    receipt_keys: SecretStr = Field(
        SecretStr(""),
        description="Ed25519 seeds that sign receipts of cancellations, id:base64[,…], current first; empty: none",
    )
    forecast_folder: Path | None = Field(
        None, description="where forecasts are kept for staff to look at; none: only where --out says"
    )

    api_requests_per_minute: int = Field(
        600, ge=1, description="requests that one API token may make in a minute"
    )

    build_id: str = Field("dev", description="the deployed build, shown by health and in logs")
    deployment: str = Field(
        "",
        pattern=r"^[^.:\s]*$",
        description="worker deployment that the build is a version of; empty: not versioned",
    )
    health_port: int = Field(
        9465, description="worker health, /healthz and /readyz, on loopback; 0: any free port"
    )
    health_host: str = Field("127.0.0.1", description="address that health and metrics listen on")
    metrics_port: int = Field(9464, description="worker metrics for Prometheus; 0: none")
    gauge_seconds: float = Field(
        30.0, gt=0, description="how often the worker reads what waits, for its metrics"
    )
    portal_metrics_port: int = Field(9466, description="portal metrics for Prometheus; 0: none")
    otlp_endpoint: str = Field(
        "", description="where traces go, OTLP over HTTP, like http://127.0.0.1:4318; empty: none"
    )
    cached_workflows: int = Field(1000, ge=1, description="workflows kept in a worker's memory")
    starts_at_once: int = Field(
        1, ge=1, le=200, description="workflows that a large import starts at a time; more with more workers"
    )
    outside_calls_per_second: float = Field(
        0.0,
        ge=0,
        description="most activities a second that call outside, over all workers together; 0: any number",
    )
    drain_seconds: int = Field(20, ge=0, description="how long a stopping worker lets activities finish")
    log_format: str = Field("console", pattern="^(console|json)$", description="how logs are written")
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="least level that is logged"
    )

    @field_validator("secret_keys", "codec_keys")
    @classmethod
    def _key_ring(cls, value: SecretStr) -> SecretStr:
        Keys.parse(value.get_secret_value())
        return value

    @field_validator("extra_holidays", mode="before")
    @classmethod
    def _dates(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("reminder_days", mode="before")
    @classmethod
    def _days(cls, value: object) -> object:
        return [int(part) for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _version(self) -> Self:
        if self.deployment and self.build_id == "dev":
            raise ValueError(
                "EVERGREEN_DEPLOYMENT wants a build id of its own for each release: EVERGREEN_BUILD_ID"
            )
        return self

    @field_validator("staff", mode="before")
    @classmethod
    def _people(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = (part.rpartition(":") for part in value.split(",") if part.strip())
        return {address.strip().lower(): role.strip() for address, _, role in pairs}

    @field_validator("receipt_keys")
    @classmethod
    def _receipt_keys(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            ReceiptKeys.parse(value.get_secret_value())
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value

    def key_ring(self) -> KeyRing:
        """The key ring that seals and opens license keys (R28)."""
        return KeyRing.parse(
            self.secret_keys.get_secret_value(), self.fingerprint_pepper.get_secret_value().encode()
        )

    def payload_keys(self) -> Keys:
        """The keys that seal and open what Temporal keeps for us."""
        return Keys.parse(self.codec_keys.get_secret_value())

    def payload_codec(self) -> SealedPayloads:
        """Opens and seals what Temporal keeps for us."""
        return SealedPayloads(self.payload_keys())

    def codec_passes(self) -> Passes:
        """Writes and reads passes to the codec's door."""
        return Passes(self.payload_keys())

    def receipt_signing_keys(self) -> ReceiptKeys | None:
        """The keys that sign receipts; None where none are set."""
        text = self.receipt_keys.get_secret_value()
        return ReceiptKeys.parse(text) if text else None

    def working_days(self) -> WorkingDays:
        """The business's calendar of working days (R5)."""
        return WorkingDays(
            country=self.country,
            subdivision=self.subdivision,
            zone=self.zone,
            day_ends=self.day_ends,
            extra_holidays=self.extra_holidays,
        )

    def payment_provider(self, http: httpx.AsyncClient) -> StripeProvider:
        """The payment provider; without a key it exists but is never asked, see `charges_cards`."""
        key = self.stripe_api_key.get_secret_value() or "unset"
        client = stripe_client(key, http, self.payment_timeout_seconds, self.stripe_api_base)
        return StripeProvider(client, return_url=self.portal_url)

    @property
    def charges_cards(self) -> bool:
        """Whether a payment provider is set up."""
        return bool(self.stripe_api_key.get_secret_value())

    def sender(self, sessions: async_sessionmaker[AsyncSession], tally: Tally | None = None) -> Sender | None:
        """The sender of the outbox (R6); None without a mail server."""
        if not self.smtp_host:
            return None
        mailer = Mailer(
            self.smtp_host,
            self.smtp_port,
            self.mail_from,
            security=self.smtp_security,
            user=self.smtp_user,
            password=self.smtp_password.get_secret_value(),
        )
        letterhead = Letterhead(self.business, self.zone, self.portal_url)
        return Sender(
            sessions, mailer, self.staff_address, letterhead, seal=self.key_ring(), tally=tally or NoTally()
        )

    def webhook_sender(
        self, sessions: async_sessionmaker[AsyncSession], http: httpx.AsyncClient
    ) -> WebhookSender:
        """The sender of webhooks to whoever wants to be told."""
        return WebhookSender(sessions, self.key_ring(), WebhookPost(http), self.staff_address)

    def policy(self) -> Policy:
        """The days and hours by which every term is planned (R2, R4, R6)."""
        return Policy(
            zone=self.zone,
            notice_days=self.notice_days,
            renew_days_before=self.renew_days_before,
            reminder_days=self.reminder_days,
            spread_minutes=self.renewal_spread_minutes,
        )

    def price_list(self) -> Catalogue:
        """The catalogue, read from its file and checked (R12). Raises CatalogueError, OSError."""
        return catalogues.parse(self.catalogue.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Raises BadSettings, which names each wrong variable."""
    try:
        return Settings()
    except ValidationError as invalid:
        lines = [f"  {_variable(wrong['loc'])}{wrong['msg']}" for wrong in invalid.errors()]
        raise BadSettings("these settings are missing or wrong:\n" + "\n".join(lines)) from None


def _variable(location: Sequence[int | str]) -> str:
    """The variable that is wrong; what is wrong between several names them itself."""
    return f"EVERGREEN_{'_'.join(map(str, location)).upper()}: " if location else ""
