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
    return {
        "EVERGREEN_DATABASE_URL": addresses.database_url,
        "EVERGREEN_VENDOR_URL": addresses.urls["vendor"],
        "EVERGREEN_VENDOR_TOKEN": addresses.token.get_secret_value(),
        "EVERGREEN_STRIPE_API_BASE": addresses.urls["payments"],
        "EVERGREEN_STRIPE_API_KEY": f"sk_test_{addresses.token.get_secret_value()}",
        "EVERGREEN_STRIPE_WEBHOOK_SECRET": f"whsec_{addresses.token.get_secret_value()}",
        "TEMPORAL_ADDRESS": addresses.temporal_address,
        "TEMPORAL_NAMESPACE": addresses.temporal_namespace,
        **smtp_environment(folder / "mail.db"),
        **kept_secrets(folder),
    }


def kept_secrets(folder: Path) -> dict[str, str]:
    """The keys that seal license keys on this stack: made at its first start, kept beside its data."""
    path = folder / SECRETS
    if not path.exists():
        made = {
            "EVERGREEN_SECRET_KEYS": f"embedded-1:{_random_key()}",
            "EVERGREEN_FINGERPRINT_PEPPER": _random_key(),
            "EVERGREEN_RECEIPT_KEYS": f"embedded-1:{_random_key()}",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(made, indent=2), encoding="utf-8")
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
