"""A renewal bought before the move to this system (R19), as a row of a file or a command states it.

Not a message: it holds the whole key, so it goes from the file to the database and nowhere else (R28).
"""

from dataclasses import dataclass, field
from typing import Final

from domain.intake_columns import Columns
from domain.intake_row import LICENSES, Row

PURCHASES: Final = Columns(
    ("reference", "amount", *(name for name in LICENSES.names if name != "opening_credit")),
    tuple(name for name in LICENSES.may_be_empty if name != "opening_credit"),
)
"""The columns of a file of purchases: an import's, but what was paid has a reference instead of a name."""

DESCRIPTION: Final = tuple(
    name
    for name in PURCHASES.names
    if name not in ("reference", "amount", "currency", "license_key", "previous_customer")
)
"""What describes a license and its customer, and may be left out where the key is here already."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """A good purchase. Its repr shows neither the key nor who the customer is (R28)."""

    line: int
    """Where it stands in the file; the first line is 1."""
    reference: str
    """Its number where it was paid, unique for ever: the same again grants nothing."""
    amount_minor: int
    """Exactly what was paid, in minor units of ``currency``; more than 0."""
    currency: str
    license_key: str = field(repr=False)
    customer_email: str | None = field(repr=False)
    """In lower case; ``None``: whoever has the key."""
    previous_customer: bool
    """Earns the loyalty rate (R13)."""
    license: Row | None
    """What to add if the key is new; ``None``: it must be here already."""

    @property
    def window_closed(self) -> bool:
        """Whether the coming renewal of a license that is added can no longer be stopped, which is reported (R26)."""
        return self.license is not None and self.license.window_closed
