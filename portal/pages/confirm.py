"""A page that asks once more before something is done: what it means, one button to do it, one way back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


def new_request_id() -> str:
    """For a form: the form sent twice has the same, and counts once (R10)."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Confirm:
    """The model of `confirm.html`."""

    title: str
    sentences: tuple[str, ...]
    action: str
    """Where the form goes."""
    button: str
    back: str
    back_label: str = "Go back"
    grave: bool = False
    """It takes something away: the button says so."""
    asks_reason: str = ""
    """The label of a field for the reason; empty: none is asked for."""
    reason_needed: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=new_request_id)
