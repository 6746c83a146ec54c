"""What we sell and for how much: products, editions, sizes, add-ons, dated prices and rates (R12, R13, R16).

Not the file and not a bill: ``parse`` is given the text of ``catalogue.toml``, and ``pricing`` makes lines of
the prices.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pydantic import ValidationError

from domain.catalogue_file import COUNTRY_CODE, CatalogueTable, DatedPrices
from domain.not_offered import (
    AddonNotForEdition,
    AddonTwice,
    CurrencyNotPriced,
    NoPriceYet,
    NotACountry,
    UnknownAddon,
    UnknownEdition,
    UnknownProduct,
    UnknownSize,
)

Channel = Literal["api", "by_hand"]
PriceKey = tuple[str, str, str, str]


@dataclass(eq=False)
class CatalogueError(ValueError):
    """The catalogue's text is not a catalogue; one problem a line, each with its place."""

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "the catalogue cannot be read:\n" + "\n".join(f"- {problem}" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class LicenseItem:
    """What a license is: names as in the catalogue, the size as text, like ``250`` or ``Unlimited``."""

    product: str
    edition: str
    size: str
    addons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition: the vendor's code without the size, its sizes and its add-ons, in the file's order."""

    code: str
    sizes: tuple[str, ...]
    addons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """One product: what its sizes count, how its updates reach the vendor, its editions and add-ons."""

    counted_in: str
    channel: Channel
    editions: Mapping[str, Edition]
    addons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The checked catalogue: plain dictionaries, for an import asks hundreds of thousands of times."""

    months: int
    """The length of a term (R1)."""
    loyalty_rate_bp: int
    """Basis points off renewal and add-on lines (R13)."""
    products: Mapping[str, Product]
    tax_rates_bp: Mapping[str, int]
    renewal_prices: Mapping[PriceKey, DatedPrices]
    """By product, edition, size, currency."""
    addon_prices: Mapping[PriceKey, DatedPrices]
    """By product, add-on, size, currency."""

    def check(self, product: str, edition: str, size: str, addons: Iterable[str] = ()) -> None:
        """Refuse what is not sold (R12).

        Raises ``UnknownProduct``, ``UnknownEdition``, ``UnknownSize``, ``UnknownAddon``,
        ``AddonNotForEdition`` or ``AddonTwice``: all of them ``NotOffered``.
        """
        found = self._edition(product, edition)
        if size not in found.sizes:
            raise UnknownSize(size, f"{product} {edition}", found.sizes)
        seen: set[str] = set()
        for addon in addons:
            if addon not in self.products[product].addons:
                raise UnknownAddon(addon, product, found.addons)
            if addon not in found.addons:
                raise AddonNotForEdition(addon, product, edition, found.addons)
            if addon in seen:
                raise AddonTwice(addon)
            seen.add(addon)

    def renewal_price_minor(self, product: str, edition: str, size: str, currency: str, on: date) -> int:
        """Price a renewal, net, in minor units, at the prices of the local day ``on`` (R12).

        Raises what ``check`` raises, ``CurrencyNotPriced``, ``NoPriceYet``.
        """
        self.check(product, edition, size)
        what = f"{product} {edition} {size}"
        return _price_minor(self.renewal_prices, (product, edition, size), what, currency, on)

    def addon_price_minor(
        self, addon: str, product: str, edition: str, size: str, currency: str, on: date
    ) -> int:
        """Price an add-on for a whole term, net, in minor units; it follows the license's size (R12).

        Raises what ``check`` raises, ``CurrencyNotPriced``, ``NoPriceYet``.
        """
        self.check(product, edition, size, (addon,))
        what = f"{addon} for {product} {edition} {size}"
        return _price_minor(self.addon_prices, (product, addon, size), what, currency, on)

    def available_addons(self, product: str, edition: str, size: str, has: Iterable[str] = ()) -> list[str]:
        """List the add-ons the license could still get, in the file's order; raises what ``check`` raises."""
        self.check(product, edition, size)
        held = set(has)
        return [addon for addon in self.products[product].editions[edition].addons if addon not in held]

    def tax_rate_bp(self, country: str) -> int:
        """Tell a customer country's tax rate in basis points, 0 unless set (R16); raises ``NotACountry``."""
        if not COUNTRY_CODE.fullmatch(country):
            raise NotACountry(country)
        return self.tax_rates_bp.get(country, 0)

    def product_code(self, product: str, edition: str, size: str) -> str:
        """Give the vendor's code, like ``SmarterMailPro-250``; raises what ``check`` raises."""
        self.check(product, edition, size)
        return f"{self.products[product].editions[edition].code}-{size}"

    def title(self, product: str, edition: str, size: str) -> str:
        """Name it for a reader: ``SmarterMail Professional, 250 mailboxes``; raises what ``check`` raises."""
        self.check(product, edition, size)
        return f"{product} {edition}, {size.lower()} {self.products[product].counted_in}"

    def channel(self, product: str) -> Channel:
        """Tell how the product's license updates reach the vendor (R23); raises ``UnknownProduct``."""
        return self._product(product).channel

    def _product(self, product: str) -> Product:
        found = self.products.get(product)
        if found is None:
            raise UnknownProduct(product, "the catalogue", tuple(self.products))
        return found

    def _edition(self, product: str, edition: str) -> Edition:
        editions = self._product(product).editions
        found = editions.get(edition)
        if found is None:
            raise UnknownEdition(edition, product, tuple(editions))
        return found


def parse(text: str) -> Catalogue:
    """Make the catalogue of the text of ``catalogue.toml``; raises ``CatalogueError`` with all problems."""
    try:
        table = CatalogueTable.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError((f"not TOML: {error}",)) from None
    except ValidationError as error:
        raise CatalogueError(tuple(_problem(list(e["loc"]), e["msg"]) for e in error.errors())) from None

    products: dict[str, Product] = {}
    renewal_prices: dict[PriceKey, DatedPrices] = {}
    addon_prices: dict[PriceKey, DatedPrices] = {}
    for name, product in table.products.items():
        for edition_name, edition in product.editions.items():
            for (size, currency), dated in edition.dated_prices().items():
                renewal_prices[name, edition_name, size, currency] = dated
        for addon_name, addon in product.addons.items():
            for (size, currency), dated in addon.dated_prices().items():
                addon_prices[name, addon_name, size, currency] = dated
        products[name] = Product(
            counted_in=product.counted_in,
            channel=product.channel,
            editions={
                edition_name: Edition(
                    code=edition.code,
                    sizes=tuple(edition.sizes),
                    addons=tuple(a for a, addon in product.addons.items() if edition_name in addon.editions),
                )
                for edition_name, edition in product.editions.items()
            },
            addons=tuple(product.addons),
        )
    return Catalogue(
        months=table.months,
        loyalty_rate_bp=table.loyalty_rate_bp,
        products=products,
        tax_rates_bp=dict(table.tax_rates_bp),
        renewal_prices=renewal_prices,
        addon_prices=addon_prices,
    )


def _price_minor(
    prices: Mapping[PriceKey, DatedPrices],
    key: tuple[str, str, str],
    what: str,
    currency: str,
    on: date,
) -> int:
    dated = prices.get((*key, currency))
    if dated is None:
        raise CurrencyNotPriced(what, currency, tuple(sorted(c for *k, c in prices if tuple(k) == key)))
    for valid_from, amount_minor in dated:
        if valid_from <= on:
            return amount_minor
    raise NoPriceYet(what, currency, on, first_on=dated[-1][0])


def _problem(place: list[str | int], message: str) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    path = path.removesuffix(".[key]").lstrip(".")
    return f"{path or 'the file'}: {message.removeprefix('Value error, ')}"
