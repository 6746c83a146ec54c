"""The settings under which our programs find an embedded stack, and the secrets it keeps in its folder."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from sandbox.holder import Addresses
from sandbox.mail_book import smtp_environment

SECRETS = "secrets.json"


def environment(folder: Path, addresses: Addresses) -> dict[str, str]:
    """Environment variables of worker, portal and command line on the stack in this folder."""
    portal = {"EVERGREEN_PORTAL_URL": addresses.urls["portal"]} if "portal" in addresses.urls else {}
    return {
        **portal,
        "EVERGREEN_DATABASE_URL": addresses.database_url,
        "EVERGREEN_VENDOR_URL": addresses.urls["vendor"],
        "EVERGREEN_VENDOR_TOKEN": addresses.token.get_secret_value(),
        "EVERGREEN_STRIPE_API_BASE": addresses.urls["payments"],
        "EVERGREEN_STRIPE_API_KEY": f"sk_test_{addresses.token.get_secret_value()}",
        "EVERGREEN_STRIPE_WEBHOOK_SECRET": f"whsec_{addresses.token.get_secret_value()}",
        "TEMPORAL_ADDRESS": addresses.temporal_address,
        "TEMPORAL_NAMESPACE": addresses.temporal_namespace,
        "EVERGREEN_TEMPORAL_UI_URL": addresses.temporal_ui_url,
        "EVERGREEN_STAFF": "jo@evergreen.example:support,al@evergreen.example:ops",
        **smtp_environment(folder / "mail.db"),
        **kept_secrets(folder),
    }


def kept_secrets(folder: Path) -> dict[str, str]:
    """The keys with which this stack seals: made when they are first wanted, kept beside its data."""
    path = folder / SECRETS
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    made = {
        "EVERGREEN_SECRET_KEYS": f"embedded-1:{_random_key()}",
        "EVERGREEN_CODEC_KEYS": f"embedded-1:{_random_key()}",
        "EVERGREEN_RECEIPT_KEYS": f"embedded-1:{_random_key()}",
        "EVERGREEN_FINGERPRINT_PEPPER": _random_key(),
        "EVERGREEN_CODEC_UI_SECRET": secrets.token_urlsafe(32),
    }
    if made.keys() - kept.keys():  # none yet, or kept by a version that knew fewer
        kept = made | kept
        path.touch(mode=0o600)
        path.write_text(json.dumps(kept, indent=2), encoding="utf-8")
    return kept


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
