"""What a forecast comes to: sums by month and by customer, the load of staff, risks, and what differs between two.

Pure: everything is reckoned from happenings. Months are `2027-08`; amounts are minor units of one currency.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime

from domain.catalogue import Catalogue
from domain.happening import ASIDE, PAID, Happening, Kind
from domain.not_offered import NotOffered

Account = tuple[str, str]
"""Customer id and currency."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A subscription as it stands when the forecast is made."""

    subscription_id: str
    license: str
    """Product, edition and size in words."""
    last_four: str
    customer_id: str
    customer: str
    currency: str
    state: str
    auto_renew: bool
    by_hand: bool
    """Whether staff do its license updates (R23)."""
    expires_on: date
    cancel_by: date
    cancel_until: datetime
    renews_on: date
    promised_on: date | None = None
    """The day of a promise that is open now (R5)."""
    promise_broken: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """What comes together in a month, or of a customer."""

    renewals: int = 0
    net_minor: int = 0
    tax_minor: int = 0
    credits_minor: int = 0
    cash_minor: int = 0
    vendor_minor: int = 0
    updates: int = 0
    lapses: int = 0
    ends: int = 0

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


Row = tuple[str, str]
"""A month or customer id, and a currency."""

Cost = Callable[[Happening], int]


def no_cost(_happening: Happening) -> int:
    """Nothing is known of what the vendor charges."""
    return 0


def vendor_cost(price_list: Catalogue) -> Cost:
    """What the vendor charges us for a renewal, by a price list of the catalogue's form: no loyalty, no tax.

    The cost raises NotOffered where the list has no price.
    """

    def cost(one: Happening) -> int:
        if one.kind is not Kind.RENEWAL or one.item is None:
            return 0
        item = one.item
        price_minor = price_list.renewal_price_minor(
            item.product, item.edition, item.size, one.currency, one.on
        )
        return price_minor + sum(
            price_list.addon_price_minor(addon, item.product, item.edition, item.size, one.currency, one.on)
            for addon in item.addons
        )

    return cost


def unpriced(happenings: Iterable[Happening], cost: Cost) -> list[str]:
    """What the vendor's price list has no price for."""
    found: dict[str, None] = {}
    for one in happenings:
        try:
            cost(one)
        except NotOffered as missing:
            found[str(missing)] = None
    return list(found)


def by_month(happenings: Iterable[Happening], cost: Cost = no_cost) -> dict[Row, Sums]:
    """Sums of each month and currency, in order."""
    return _summed(happenings, lambda one: f"{one.on:%Y-%m}", cost)


def by_customer(happenings: Iterable[Happening], cost: Cost = no_cost) -> dict[Row, Sums]:
    """Sums of each customer and currency, in order."""
    return _summed(happenings, lambda one: one.customer_id, cost)


def load(happenings: Iterable[Happening]) -> dict[date, list[Happening]]:
    """The license updates due on each working day: what staff, or the vendor's API, have to do by its end (R5)."""
    due: defaultdict[date, list[Happening]] = defaultdict(list)
    for one in happenings:
        if one.kind in PAID and one.promise_on is not None:
            due[one.promise_on].append(one)
    return dict(sorted(due.items()))


def by_week(happenings: Iterable[Happening]) -> dict[date, int]:
    """Renewals by the Monday of their week."""
    counted = Counter(
        date.fromordinal(one.on.toordinal() - one.on.weekday())
        for one in happenings
        if one.kind is Kind.RENEWAL
    )
    return dict(sorted(counted.items()))


@dataclass(frozen=True, slots=True)
class Risk:
    """A promise that may not be kept."""

    promise_on: date
    subscription_id: str
    why: str


def risks(happenings: Iterable[Happening], subjects: Mapping[str, Subject], a_day: int) -> list[Risk]:
    """Promises that may not be kept, soonest first, and why.

    Owed already and not done; paid so late that the update may come after the expiry; or more updates by hand on one
    day than staff can do (`a_day`).
    """
    found = [
        Risk(one.promised_on, one.subscription_id, "broken already" if one.promise_broken else "owed already")
        for one in subjects.values()
        if one.promised_on is not None
    ]
    for day, due in load(happenings).items():
        by_hand = [one for one in due if subjects[one.subscription_id].by_hand]
        why = f"{len(by_hand)} updates by hand are due on {day}, staff can do {a_day}"
        found += [Risk(day, one.subscription_id, why) for one in by_hand[a_day:]]
        for one in due:
            if one.kind is Kind.RENEWAL and one.expired_on is not None and day > one.expired_on:
                late = f"paid so late that the license may show expired from {one.expired_on}"
                found.append(Risk(day, one.subscription_id, late))
    return sorted(found, key=lambda risk: (risk.promise_on, risk.subscription_id))


def cancellable(subjects: Iterable[Subject], began_at: datetime, until: date) -> list[Subject]:
    """Those whose coming renewal can still be cancelled, the soonest cut-off first (R2)."""
    still = [
        one for one in subjects if one.auto_renew and one.cancel_until > began_at and one.cancel_by <= until
    ]
    return sorted(still, key=lambda one: (one.cancel_by, one.subscription_id))


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of a month or customer that is not the same in two forecasts."""

    row: Row
    figure: str
    before: int
    after: int


def differences(before: Mapping[Row, Sums], after: Mapping[Row, Sums]) -> list[Difference]:
    """Every figure that differs, by row."""
    found = []
    for row in sorted(before.keys() | after.keys()):
        old, new = before.get(row, Sums()), after.get(row, Sums())
        figures = [(one.name, getattr(old, one.name), getattr(new, one.name)) for one in fields(Sums)]
        found += [Difference(row, *figure) for figure in figures if figure[1] != figure[2]]
    return found


def _summed(happenings: Iterable[Happening], key: Callable[[Happening], str], cost: Cost) -> dict[Row, Sums]:
    sums: defaultdict[Row, Sums] = defaultdict(Sums)
    for one in happenings:
        if one.kind in ASIDE:
            continue
        paid = one.kind in PAID
        sums[key(one), one.currency] = sums[key(one), one.currency].plus(
            Sums(
                renewals=int(one.kind is Kind.RENEWAL),
                net_minor=one.net_minor,
                tax_minor=one.tax_minor,
                credits_minor=one.credits_minor,
                cash_minor=one.card_minor,
                vendor_minor=cost(one) if paid else 0,
                updates=int(paid),
                lapses=int(one.kind is Kind.LAPSE),
                ends=int(one.kind is Kind.END),
            )
        )
    return dict(sorted(sums.items()))
