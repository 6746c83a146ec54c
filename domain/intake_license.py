"""The cells that describe a license and whose it is → a good ``Row``, or all that is wrong with them (R26).

Of one row alone: what rows of a file must be to each other is in ``intake_check`` and ``purchase_check``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from typing import Final

from domain import intake_values as values
from domain.cancellation import cancel_by
from domain.catalogue import Catalogue
from domain.collection import RenewalDateAfterExpiry, RenewalDateTooEarly, renewal_date
from domain.intake_cells import Cells
from domain.intake_offer import Fault, not_offered
from domain.intake_row import Row

FURTHEST_YEARS: Final = 50
"""An expiry further away is a slip of the hand; refusing it keeps all later dates inside the calendar."""

_NO_ADDONS: Final[tuple[str, ...]] = ()


@dataclass(slots=True)
class LicenseCheck:
    """Reads the license of a row; ``today`` is the business's local day, ``notice_days`` that of R2."""

    catalogue: Catalogue
    today: date
    notice_days: int
    _faults: Callable[..., tuple[Fault, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Thousands of rows name the same few things; the bound is for files in which each names another.
        self._faults = lru_cache(4096)(partial(not_offered, self.catalogue))

    def read(self, cells: Cells) -> Row | None:
        """Give the row, or note in ``cells`` what is wrong with it; a column that is not there is empty."""
        customer_email = cells.read("customer_email", values.email, "")
        customer_name = cells.read("customer_name", values.text, "")
        country = cells.read("country", values.country, "")
        currency = cells.read("currency", values.currency, "")
        license_key = cells.read("license_key", values.license_key, "")
        product = cells.read("product", values.text, "")
        edition = cells.read("edition", values.text, "")
        size = cells.read("size", values.text, "")
        addons = cells.read("addons", values.addons, _NO_ADDONS)
        expires_on = cells.read("expires_on", values.day, date.max)
        renews_on = cells.read_if_there("renews_on", values.day, None)
        credit_minor = partial(values.credit_minor, currency=currency)
        opening_credit_minor = cells.read_if_there("opening_credit", credit_minor, 0) if currency else 0
        previous_customer = cells.read_if_there("previous_customer", values.yes_or_no, False)
        card_token = cells.read_if_there("card_token", values.card_token, None)

        faults = self._faults(product, edition, size, addons, currency)
        for column, reason, mend in [fault for fault in faults if cells.sound(fault[0])]:
            cells.refuse(column, reason, mend)
        if cells.sound("expires_on"):
            self._refuse_dates(cells, expires_on, renews_on)
        if cells.problems:
            return None

        return Row(
            line=cells.line,
            customer_email=customer_email,
            customer_name=customer_name,
            country=country,
            currency=currency,
            license_key=license_key,
            product=product,
            edition=edition,
            size=size,
            addons=addons,
            expires_on=expires_on,
            renews_on=renews_on,
            opening_credit_minor=opening_credit_minor,
            previous_customer=previous_customer,
            card_token=card_token,
            window_closed=self.today > cancel_by(expires_on, self.notice_days),
        )

    def _refuse_dates(self, cells: Cells, expires_on: date, renews_on: date | None) -> None:
        if expires_on < self.today:
            reason = f"the license expired on {expires_on}, before today, {self.today}"
            cells.refuse("expires_on", reason, "Take the row out and fill in a request for the license.")
        elif expires_on.year > self.today.year + FURTHEST_YEARS:
            reason = f"{expires_on} is more than {FURTHEST_YEARS} years away"
            cells.refuse("expires_on", reason, "Write the last day of the term that is paid for.")
        elif renews_on is not None:
            try:
                renewal_date(expires_on, renews_on, self.notice_days)
            except RenewalDateTooEarly as early:
                reason = f"{renews_on} is not after {early.cancel_by}, the last day to cancel"
                cells.refuse("renews_on", reason, f"Write a later day up to {expires_on}, or nothing.")
            except RenewalDateAfterExpiry:
                reason = f"{renews_on} is after the expiry, {expires_on}"
                cells.refuse("renews_on", reason, f"Write {expires_on} or an earlier day, or nothing.")
