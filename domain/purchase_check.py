"""The cells of a row → a good ``Purchase``, or all that is wrong with it (R19, R26); whole files of them.

Whether a reference, a key or a customer is here already only the database knows: ``db.purchases``.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

from domain import intake_values as values
from domain.catalogue import Catalogue
from domain.intake import FileFormat, checked
from domain.intake_cells import Cells
from domain.intake_license import LicenseCheck
from domain.intake_problem import Problem
from domain.intake_row import Row
from domain.intake_seen import Seen
from domain.purchase import PURCHASES, Purchase

LONGEST_REFERENCE: Final = 100

_DESCRIPTION: Final[dict[str, Callable[[str], object]]] = {
    "customer_email": values.email,
    "customer_name": values.text,
    "country": values.country,
    "product": values.text,
    "edition": values.text,
    "size": values.text,
    "addons": values.addons,
    "expires_on": values.day,
    "renews_on": values.day,
    "card_token": values.card_token,
}


def check_file(
    written_as: FileFormat, chunks: Iterable[bytes], catalogue: Catalogue, today: date, notice_days: int = 15
) -> Iterator[Purchase | Problem]:
    """Check a file of purchases (R19), chunk by chunk, as strictly as an import of licenses (R26).

    Every row describes its license, for the key may be new. Raises ``UnreadableFile``, possibly after rows
    were given: take none before the end is reached.
    """
    check = PurchaseCheck(LicenseCheck(catalogue, today, notice_days))
    return checked(written_as, chunks, PURCHASES, check.check)


def check_known(cells: Cells) -> Purchase | list[Problem]:
    """Give the purchase of a key that is here already: its license may be left undescribed (R19)."""
    return _purchase(cells, None)


@dataclass(slots=True)
class PurchaseCheck:
    """Checks the purchases of one file, in turn."""

    licenses: LicenseCheck
    _references: Seen = field(init=False, repr=False, default_factory=Seen)
    _keys: Seen = field(init=False, repr=False, default_factory=Seen)
    _descriptions: Seen = field(init=False, repr=False, default_factory=Seen)

    def check(self, cells: Cells) -> Purchase | list[Problem]:
        """Give the purchase, or its problems, at least one."""
        license = self.licenses.read(cells)
        found = _purchase(cells, license)
        if cells.sound("reference"):
            self._refuse_seen(cells)
        if license is not None:
            self._refuse_otherwise(cells, license)
        return cells.problems or found

    def _refuse_seen(self, cells: Cells) -> None:
        first = self._references.first_line(_reference(cells), cells.line)
        if first != cells.line:
            reason = f"the reference is in the file twice, first on line {first}"
            cells.refuse("reference", reason, "Leave one of the two rows, or give each its own.")

    def _refuse_otherwise(self, cells: Cells, license: Row) -> None:
        """Two purchases may be for one license (R19), but only one thing can be true of it."""
        key = license.license_key.upper()
        stated = (
            license.customer_email,
            license.currency,
            license.product,
            license.edition,
            license.size,
            sorted(license.addons),
            license.expires_on,
            license.renews_on,
        )
        first = self._keys.first_line(key, cells.line)
        if first != self._descriptions.first_line(f"{key} {stated}", cells.line):
            reason = f"line {first} says otherwise of the license whose key ends in {key[-4:]}"
            mend = "Make customer, currency, product, edition, size, add-ons and dates the same."
            cells.refuse("license_key", reason, mend)


def _purchase(cells: Cells, license: Row | None) -> Purchase | list[Problem]:
    reference = _reference(cells)
    currency = cells.read("currency", values.currency, "")
    amount_minor = cells.read("amount", partial(values.paid_minor, currency=currency), 0)
    license_key = cells.read("license_key", values.license_key, "")
    customer_email = cells.read_if_there("customer_email", values.email, None)
    previous_customer = cells.read_if_there("previous_customer", values.yes_or_no, False)
    for column, reader in _DESCRIPTION.items():
        cells.read_if_there(column, reader, None)
    if license_key and license_key.upper() in reference.upper():
        mend = "Write the number under which the purchase was paid: references are shown to everyone."
        cells.refuse("reference", "it holds the license key", mend)
    if cells.problems:
        return cells.problems

    return Purchase(
        line=cells.line,
        reference=reference,
        amount_minor=amount_minor,
        currency=currency,
        license_key=license_key,
        customer_email=customer_email,
        previous_customer=previous_customer,
        license=license,
    )


def _reference(cells: Cells) -> str:
    return cells.read("reference", partial(values.text, longest=LONGEST_REFERENCE), "")
