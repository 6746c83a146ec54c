"""What the programs of a forecast are told of their surroundings: the rules of the business, nothing else that is real.

Each setting is given, so that neither the environment of the command nor a `.env` file can add a live address.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config import Settings
from sandbox.environment import environment
from sandbox.holder import Addresses

RULES = (
    "zone",
    "country",
    "subdivision",
    "extra_holidays",
    "day_ends",
    "notice_days",
    "renew_days_before",
    "reminder_days",
    "catalogue",
)
"""Settings that a forecast goes by; every other is the scratch stack's own, or its default."""

OUTSIDE = ("EVERGREEN_", "TEMPORAL_", "STRIPE_", "OTEL_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PG")
"""How the names of variables begin that could lead somewhere: none is inherited."""

CACHED_WORKFLOWS = 600
"""Bounds a worker's memory; more than are ever under way at once."""


def variables(folder: Path, addresses: Addresses, rules: Settings) -> dict[str, str | None]:
    """The environment of a program on a scratch stack; None takes a variable away."""
    own = environment(folder, addresses) | {
        "EVERGREEN_SMTP_HOST": "",
        "EVERGREEN_STRIPE_WEBHOOK_SECRET": "",
        "EVERGREEN_CACHED_WORKFLOWS": str(CACHED_WORKFLOWS),
        "EVERGREEN_DRAIN_SECONDS": "1",
        "EVERGREEN_LOG_LEVEL": "warning",
    }
    if not rules.charges_cards:
        own["EVERGREEN_STRIPE_API_KEY"] = ""
    told: dict[str, str | None] = {name: None for name in os.environ if name.upper().startswith(OUTSIDE)}
    for field, info in Settings.model_fields.items():
        name = f"EVERGREEN_{field.upper()}"
        value = getattr(rules, field) if field in RULES else info.get_default(call_default_factory=True)
        told[name] = own.pop(name, None) or _written(value)
    told["EVERGREEN_SMTP_HOST"] = ""
    # Temporal's own profile is looked for at home, too.
    return told | own | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def settings(told: Mapping[str, str | None]) -> Settings:
    """The settings that a program with this environment reads."""
    ours = {
        name.removeprefix("EVERGREEN_").lower(): value
        for name, value in told.items()
        if name.startswith("EVERGREEN_") and value is not None
    }
    values: dict[str, Any] = {name: value for name, value in ours.items() if name in Settings.model_fields}
    return Settings(_env_file=None, **values)


def _written(value: object) -> str:
    """A setting's value as its variable has it."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, (frozenset, tuple)):
        return ",".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value))
    return value.isoformat() if isinstance(value, time) else str(value)
