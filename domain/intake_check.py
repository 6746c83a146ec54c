"""The cells of a row → a good ``Row``, or all that is wrong with it (R26).

Not the file: lines, quotes and JSON are dealt with before. Not one cell alone: that is ``intake_values``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Final

from domain import intake_values as values
from domain.cancellation import cancel_by
from domain.catalogue import Catalogue
from domain.collection import RenewalDateAfterExpiry, RenewalDateTooEarly, renewal_date
from domain.intake_cells import Cells
from domain.intake_offer import Fault, not_offered
from domain.intake_problem import Problem
from domain.intake_row import Row

FURTHEST_YEARS: Final = 50
"""An expiry further away is a slip of the hand; refusing it keeps all later dates inside the calendar."""

_NO_ADDONS: Final[tuple[str, ...]] = ()


@dataclass(slots=True)
class RowCheck:
    """Checks the rows of one file, in turn; remembers only a digest of each key and the line it was on."""

    catalogue: Catalogue
    today: date
    notice_days: int
    _faults: Callable[..., tuple[Fault, ...]] = field(init=False, repr=False)
    _line_by_digest: dict[int, int] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Thousands of rows name the same few things; the bound is for files in which each names another.
        self._faults = lru_cache(4096)(partial(not_offered, self.catalogue))

    def check(self, cells: Cells) -> Row | list[Problem]:
        """Give the row, or its problems, at least one (R26)."""
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

        if license_key:
            self._refuse_seen(cells, license_key)
        faults = self._faults(product, edition, size, addons, currency)
        for column, reason, mend in [fault for fault in faults if cells.sound(fault[0])]:
            cells.refuse(column, reason, mend)
        if cells.sound("expires_on"):
            self._refuse_dates(cells, expires_on, renews_on)
        if cells.problems:
            return cells.problems

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

    def _refuse_seen(self, cells: Cells, license_key: str) -> None:
        # Eight bytes: for a million keys the odds of a mistake are one in thirty million.
        digest = int.from_bytes(blake2b(license_key.upper().encode(), digest_size=8).digest())
        first = self._line_by_digest.setdefault(digest, cells.line)
        if first != cells.line:
            reason = f"the key ending in {license_key[-4:]} is in the file twice, first on line {first}"
            cells.refuse("license_key", reason, "Leave one of the two rows.")

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
