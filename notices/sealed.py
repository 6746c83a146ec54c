"""Facts of a letter that must not lie open in the outbox: a link that signs somebody in. Pure.

They are under `sealed`, each sealed for the notice's own `sealed_for`; whoever sends the letter has the key ring.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol


class Seal(Protocol):
    """What seals and opens a text for one owner; the key ring does."""

    def seal(self, license_key: str, about: str, /) -> bytes:
        """Seal the text."""

    def open(self, sealed: bytes, about: str, /) -> str:
        """Open it again."""


def sealed(ring: Seal, owner: str, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The facts to keep instead of the secrets themselves; `owner` is what they are about."""
    kept = {name: base64.b64encode(ring.seal(text, owner)).decode() for name, text in secrets.items()}
    return {"sealed_for": owner, "sealed": kept}


def opened(ring: Seal | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with what was sealed; without a key ring it stays sealed, and its letter cannot be written."""
    if ring is None or "sealed" not in facts:
        return dict(facts)
    open_ones = {k: v for k, v in facts.items() if k not in {"sealed", "sealed_for"}}
    secrets = {
        name: ring.open(base64.b64decode(text), facts["sealed_for"]) for name, text in facts["sealed"].items()
    }
    return open_ones | secrets
