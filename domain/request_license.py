"""The license that an accepted request brings (R27): what was filled in and what staff add, checked as on import.

A license that has expired is refused here too, but with other words: an import sends it to the request form, and
whoever decides the request renews it at the vendor first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain import intake_values as values
from domain.catalogue import Catalogue
from domain.intake_cells import BadCell, Cells
from domain.intake_license import LicenseCheck
from domain.intake_problem import Problem
from domain.intake_row import Row


@dataclass(eq=False)
class LicenseExpired(ValueError):
    """A license that has expired cannot be kept from expiring."""

    expires_on: date
    today: date

    def __str__(self) -> str:
        return (
            f"the license expired on {self.expires_on}, before today, {self.today}: renew it at the vendor first, "
            "then accept the request with its new expiry"
        )


def license_row(
    stated: Mapping[str, str],
    given: Mapping[str, str],
    email: str,
    license_key: str,
    catalogue: Catalogue,
    today: date,
    notice_days: int,
) -> Row | list[Problem]:
    """Give the row to store, or its problems; ``given`` by staff replaces what was ``stated``, column by column.

    Raises ``LicenseExpired``.
    """
    texts = {**stated, **{column: text for column, text in given.items() if text}}
    _refuse_expired(texts.get("expires_on", ""), today)
    cells = Cells(1, {**texts, "customer_email": email, "license_key": license_key})
    return LicenseCheck(catalogue, today, notice_days).read(cells) or cells.problems


def _refuse_expired(text: str, today: date) -> None:
    try:
        expires_on = values.day(text)
    except BadCell:
        return  # told with the other problems
    if expires_on < today:
        raise LicenseExpired(expires_on, today)
