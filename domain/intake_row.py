"""One license as an import file states it, checked (R26), and the columns it is read from.

Not a message: it holds the whole key and the card's token, so it goes from the file to the database and
nowhere else (R28).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from domain.intake_columns import Columns

COLUMNS: Final = (
    "customer_email",
    "customer_name",
    "country",
    "currency",
    "license_key",
    "product",
    "edition",
    "size",
    "addons",
    "expires_on",
    "renews_on",
    "opening_credit",
    "previous_customer",
    "card_token",
)
MAY_BE_EMPTY: Final = ("addons", "renews_on", "opening_credit", "previous_customer", "card_token")

LICENSES: Final = Columns(COLUMNS, MAY_BE_EMPTY)
"""The columns of an import file."""


@dataclass(frozen=True, slots=True)
class Row:
    """A good row. Its repr shows neither the key, nor the card's token, nor who the customer is (R28)."""

    line: int
    """Where the row stands in the file; the first line is 1."""
    customer_email: str = field(repr=False)
    """In lower case: customers are matched by it."""
    customer_name: str = field(repr=False)
    country: str
    currency: str
    license_key: str = field(repr=False)
    product: str
    edition: str
    size: str
    addons: tuple[str, ...]
    expires_on: date
    """The last covered day, today or later."""
    renews_on: date | None
    """The renewal date asked for (R4); ``None``: the usual one."""
    opening_credit_minor: int
    """Minor units of ``currency``; 0 where the file says nothing."""
    previous_customer: bool
    card_token: str | None = field(repr=False)
    window_closed: bool
    """Cancel-by has passed: the coming renewal can no longer be stopped, which the import reports (R26)."""
