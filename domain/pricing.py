"""What a renewal or an add-on costs, line by line: price, prorata, loyalty discount, tax (R13, R14, R16).

Not a quote or an invoice: those have ids and credits. A bill here is only the lines, in integers of minor
units (R11).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.catalogue import Catalogue, LicenseItem
from domain.local_time import in_words
from domain.money import share
from domain.term import Term

ALL_BP = 10_000


class LineKind(StrEnum):
    """What a line is for."""

    RENEWAL = "renewal"
    ADDON = "addon"
    DISCOUNT = "discount"
    TAX = "tax"
    UPGRADE = "upgrade"


@dataclass(eq=False)
class OutsideTerm(ValueError):
    """An add-on can only be bought on a day that the license is covered."""

    on: date
    term: Term

    def __str__(self) -> str:
        days = f"{self.term.starts_on} to {self.term.expires_on}"
        return f"{self.on} is not in the term {days}: choose a day within it"


@dataclass(eq=False)
class AddonAlreadyHeld(ValueError):
    """The license already has the add-on."""

    addon: str

    def __str__(self) -> str:
        return f"the license already has {self.addon!r}: leave it out"


@dataclass(eq=False)
class NoAddons(ValueError):
    """No add-on was chosen, so there is nothing to bill."""

    def __str__(self) -> str:
        return "no add-on was chosen: choose at least one"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill; a discount's amount is negative.

    ``addon`` names the add-on of an add-on line. ``days`` of ``term_days`` are charged on an add-on line
    (R14). ``rate_bp`` is the rate of a discount or tax line in basis points.
    """

    kind: LineKind
    description: str
    amount_minor: int
    addon: str | None = None
    days: int | None = None
    term_days: int | None = None
    rate_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """Lines in one currency, with tax, before credits (R18: credits are a payment)."""

    lines: tuple[Line, ...]
    currency: str

    @property
    def net_minor(self) -> int:
        """Sum all lines but tax: after the discount."""
        return self.total_minor - self.tax_minor

    @property
    def tax_minor(self) -> int:
        """Sum the tax lines."""
        return sum(line.amount_minor for line in self.lines if line.kind is LineKind.TAX)

    @property
    def total_minor(self) -> int:
        """Sum all lines: what the customer owes."""
        return sum(line.amount_minor for line in self.lines)


def prorata(price_minor: int, term: Term, on: date) -> int:
    """Charge the days left of the term, ``on`` included, of a whole term's price, half-up (R14).

    £120.00 for 2026-09-01…2027-08-31, bought on 2027-03-01: 184 of 365 days, £60.49. Raises ``OutsideTerm``.
    """
    if on not in term:
        raise OutsideTerm(on, term)
    return share(price_minor, term.days_left(on), term.days)


def renewal_bill(
    catalogue: Catalogue, item: LicenseItem, currency: str, country: str, loyal: bool, on: date
) -> Bill:
    """Bill one renewal with its add-ons at the prices of the local day ``on`` (R12, R13, R16).

    Raises the catalogue's ``NotOffered`` family.
    """
    product, edition, size = item.product, item.edition, item.size
    catalogue.check(product, edition, size, item.addons)
    price_minor = catalogue.renewal_price_minor(product, edition, size, currency, on)
    lines = [Line(LineKind.RENEWAL, f"{catalogue.title(product, edition, size)}: renewal", price_minor)]
    for addon in item.addons:
        price_minor = catalogue.addon_price_minor(addon, product, edition, size, currency, on)
        lines.append(Line(LineKind.ADDON, f"{addon}: renewal", price_minor, addon=addon))
    return _bill(catalogue, lines, currency, country, loyal)


def addon_bill(
    catalogue: Catalogue,
    item: LicenseItem,
    addons: Iterable[str],
    term: Term,
    on: date,
    currency: str,
    country: str,
    loyal: bool,
    next_term: Term | None = None,
) -> Bill:
    """Bill new add-ons for the rest of the term, at the prices of the local day ``on`` (R14).

    ``item`` is the license as it is. ``next_term`` is given when the coming renewal is already settled: each
    add-on is then charged for all of that term too, at today's price. Raises ``OutsideTerm``,
    ``AddonAlreadyHeld``, ``NoAddons`` and the catalogue's ``NotOffered`` family.
    """
    chosen = tuple(addons)
    if not chosen:
        raise NoAddons
    catalogue.check(item.product, item.edition, item.size, chosen)
    lines: list[Line] = []
    for addon in chosen:
        if addon in item.addons:
            raise AddonAlreadyHeld(addon)
        price_minor = catalogue.addon_price_minor(addon, item.product, item.edition, item.size, currency, on)
        lines.append(_addon_line(addon, price_minor, term, on))
        if next_term is not None:
            lines.append(_addon_line(addon, price_minor, next_term, next_term.starts_on))
    return _bill(catalogue, lines, currency, country, loyal)


def addons_part_minor(lines: Iterable[Line], addons: Collection[str]) -> int:
    """What of a bill's total is for these add-ons: their lines with their share of discount and tax, half-up (R11).

    £120.00 of £320.00, less 10 %, plus 20 % tax: £129.60 of £345.60.
    """
    priced_minor = part_minor = discount_minor = tax_minor = 0
    for line in lines:
        if line.kind is LineKind.DISCOUNT:
            discount_minor += line.amount_minor
        elif line.kind is LineKind.TAX:
            tax_minor += line.amount_minor
        else:
            priced_minor += line.amount_minor
            part_minor += line.amount_minor if line.addon in addons else 0
    if not part_minor:
        return 0
    part_minor += share(discount_minor, part_minor, priced_minor)
    return part_minor + share(tax_minor, part_minor, priced_minor + discount_minor)


def percent(rate_bp: int) -> str:
    """Write basis points for a reader: ``10%``, ``17.5%``."""
    whole, rest = divmod(rate_bp, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"


def _addon_line(addon: str, price_minor: int, term: Term, on: date) -> Line:
    days = term.days_left(on)
    part = "" if days == term.days else f" ({days} of {term.days} days)"
    return Line(
        LineKind.ADDON,
        f"{addon}: {in_words(on)} to {in_words(term.expires_on)}{part}",
        prorata(price_minor, term, on),
        addon=addon,
        days=days,
        term_days=term.days,
    )


def _bill(catalogue: Catalogue, lines: list[Line], currency: str, country: str, loyal: bool) -> Bill:
    discount_bp = catalogue.loyalty_rate_bp if loyal else 0
    if discount_bp:
        priced_minor = sum(line.amount_minor for line in lines)
        lines.append(_rate_line(LineKind.DISCOUNT, "Loyalty discount", -priced_minor, discount_bp))
    tax_bp = catalogue.tax_rate_bp(country)
    if tax_bp:
        net_minor = sum(line.amount_minor for line in lines)
        lines.append(_rate_line(LineKind.TAX, "Tax", net_minor, tax_bp))
    return Bill(tuple(lines), currency)


def _rate_line(kind: LineKind, name: str, of_minor: int, rate_bp: int) -> Line:
    amount_minor = share(of_minor, rate_bp, ALL_BP)
    return Line(kind, f"{name}, {percent(rate_bp)}", amount_minor, rate_bp=rate_bp)
