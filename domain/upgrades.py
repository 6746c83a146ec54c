"""Another size or edition: what an upgrade costs now, and what may become smaller at renewal (R27)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from domain.catalogue import Catalogue, LicenseItem
from domain.money import share
from domain.ordering import Charged, NotForSale
from domain.pricing import Bill, Line, LineKind, percent


@dataclass(eq=False)
class NotAnUpgrade(ValueError):
    """What was asked for does not cost more than what the license is."""

    title: str

    def __str__(self) -> str:
        return f"{self.title} is no upgrade: a smaller size or edition takes effect at the renewal"


@dataclass(eq=False)
class NotASmallerOne(ValueError):
    """What was asked for at renewal costs more than what the license is."""

    title: str

    def __str__(self) -> str:
        return f"{self.title} is not smaller: ask for an upgrade instead"


@dataclass(eq=False)
class AddonNotHeld(ValueError):
    """The license does not have the add-on that is to be dropped."""

    addon: str

    def __str__(self) -> str:
        return f"the license does not have {self.addon!r}"


def upgrade_bill(
    catalogue: Catalogue,
    item: LicenseItem,
    wanted: LicenseItem,
    terms: Charged,
    on: date,
    currency: str,
    country: str,
    price_minor: int | None = None,
) -> Bill:
    """Bill an upgrade: a stated net price, or the difference of the yearly prices for the days left (R27).

    Add-ons follow the license's size, so their difference counts too. Half-up, once (R11).
    Raises ``NotAnUpgrade`` and the catalogue's ``NotOffered`` family.
    """
    catalogue.check(wanted.product, wanted.edition, wanted.size, wanted.addons)
    difference_minor = _yearly_minor(catalogue, wanted, currency, on) - _yearly_minor(
        catalogue, item, currency, on
    )
    title = catalogue.title(wanted.product, wanted.edition, wanted.size)
    if price_minor is None and difference_minor <= 0:
        raise NotAnUpgrade(title)
    days, term_days = terms.term.days_left(on), terms.term.days
    net_minor = price_minor if price_minor is not None else share(difference_minor, days, term_days)
    if price_minor is None and terms.next_term is not None:
        net_minor += difference_minor
    line = Line(LineKind.UPGRADE, f"Upgrade to {title}", net_minor)
    lines = [line if price_minor is not None else replace(line, days=days, term_days=term_days)]
    rate_bp = catalogue.tax_rate_bp(country)
    if rate_bp:
        tax_minor = share(net_minor, rate_bp, 10_000)
        lines.append(Line(LineKind.TAX, f"Tax, {percent(rate_bp)}", tax_minor, rate_bp=rate_bp))
    return Bill(tuple(lines), currency)


def check_change_at_renewal(
    catalogue: Catalogue,
    item: LicenseItem,
    state: str,
    drop_addons: Iterable[str],
    edition: str | None,
    size: str | None,
    currency: str,
    on: date,
) -> None:
    """Check what the next renewal is to leave out or make smaller; only until its renewal date.

    Raises ``NotForSale``, ``AddonNotHeld``, ``NotASmallerOne`` and the catalogue's ``NotOffered`` family.
    """
    if state not in ("active", "cancelled"):
        raise NotForSale("the renewal date has passed: what it changes cannot be changed any more")
    dropped = tuple(drop_addons)
    for addon in dropped:
        if addon not in item.addons:
            raise AddonNotHeld(addon)
    kept = tuple(addon for addon in item.addons if addon not in dropped)
    renewed = replace(item, edition=edition or item.edition, size=size or item.size, addons=kept)
    catalogue.check(renewed.product, renewed.edition, renewed.size, renewed.addons)
    before_minor = _yearly_minor(catalogue, replace(item, addons=kept), currency, on)
    if _yearly_minor(catalogue, renewed, currency, on) > before_minor:
        raise NotASmallerOne(catalogue.title(renewed.product, renewed.edition, renewed.size))


def _yearly_minor(catalogue: Catalogue, item: LicenseItem, currency: str, on: date) -> int:
    """What the license and its add-ons cost for a whole term, before discount and tax."""
    product, edition, size = item.product, item.edition, item.size
    addons_minor = (
        catalogue.addon_price_minor(addon, product, edition, size, currency, on) for addon in item.addons
    )
    return catalogue.renewal_price_minor(product, edition, size, currency, on) + sum(addons_minor)
