"""The shape of ``catalogue.toml`` (R12): what may stand where, checked with the place of every mistake.

Not the catalogue that is asked for prices: ``catalogue.parse`` makes that one from this. Strict, because lax
reading takes ``1e2`` for a number and a misspelled key for none.
"""

import re
from collections.abc import Iterable
from datetime import date
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from domain.money import parse_minor

Name = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=80)]
DatedPrices = tuple[tuple[date, int], ...]  # (valid from, minor units), latest first
RateBp = Annotated[int, Field(ge=0, le=10_000)]
# 'UK' is reserved in ISO 3166 and often written for GB: as just another country it would go untaxed.
COUNTRY_CODE = re.compile(r"(?!UK)[A-Z]{2}")


def _country(text: str) -> str:
    if not COUNTRY_CODE.fullmatch(text):
        raise ValueError("not a country code: write two capitals, like GB (not UK) or US")
    return text


Country = Annotated[str, AfterValidator(_country)]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PriceTable(_Table):
    """Prices from a day on: beside ``valid_from`` a list per currency, one price for each size in turn."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[str]]

    valid_from: date

    @property
    def per_currency(self) -> dict[str, list[int]]:
        """Give minor units per currency, in the order of the sizes."""
        texts = self.__pydantic_extra__
        return {currency: [parse_minor(text, currency) for text in texts[currency]] for currency in texts}

    @model_validator(mode="after")
    def _currencies_and_amounts_are_good(self) -> Self:
        if not self.per_currency:
            raise ValueError('no prices: write at least one currency, like GBP = ["200.00"]')
        return self


class _Priced(_Table):
    sizes: Annotated[list[Name], Field(min_length=1)]
    prices: Annotated[list[PriceTable], Field(min_length=1)]

    def dated_prices(self) -> dict[tuple[str, str], DatedPrices]:
        """Give the prices by size and currency."""
        found: dict[tuple[str, str], DatedPrices] = {}
        for table in sorted(self.prices, key=lambda table: table.valid_from):
            for currency, amounts_minor in table.per_currency.items():
                for size, amount_minor in zip(self.sizes, amounts_minor, strict=True):
                    later = (table.valid_from, amount_minor)
                    found[size, currency] = (later, *found.get((size, currency), ()))
        return found

    @model_validator(mode="after")
    def _each_size_has_one_price(self) -> Self:
        _refuse_twice("size", self.sizes)
        _refuse_twice("valid_from", (str(table.valid_from) for table in self.prices))
        for table in self.prices:
            for currency, amounts_minor in table.per_currency.items():
                if len(amounts_minor) != len(self.sizes):
                    counts = f"{len(amounts_minor)} prices for {len(self.sizes)} sizes"
                    place = f"in {currency}, valid from {table.valid_from}"
                    raise ValueError(f"{counts} {place}: write one for each size, in the same order")
        return self


class EditionTable(_Priced):
    """One edition of a product: the vendor's code without the size, the sizes, and the price of a renewal."""

    code: Name


class AddonTable(_Priced):
    """One add-on: the editions that may have it, and its price for each size of the license."""

    editions: Annotated[list[Name], Field(min_length=1)]


class ProductTable(_Table):
    """One product; ``counted_in`` says what a size counts, ``channel`` how updates reach the vendor."""

    counted_in: Name
    channel: Literal["api", "by_hand"] = "api"
    editions: Annotated[dict[Name, EditionTable], Field(min_length=1)]
    addons: dict[Name, AddonTable] = {}

    @model_validator(mode="after")
    def _addons_fit_the_editions(self) -> Self:
        for name, addon in self.addons.items():
            for edition in addon.editions:
                if edition not in self.editions:
                    raise ValueError(f"add-on {name!r} is for edition {edition!r}, which is not in editions")
                unpriced = ", ".join(s for s in self.editions[edition].sizes if s not in addon.sizes)
                if unpriced:
                    raise ValueError(f"add-on {name!r} has no price for {edition} {unpriced}: add the size")
        return self


class CatalogueTable(_Table):
    """The whole file."""

    months: Annotated[int, Field(ge=1, le=120)] = 12
    loyalty_rate_bp: RateBp = 0
    tax_rates_bp: dict[Country, RateBp] = {}
    products: Annotated[dict[Name, ProductTable], Field(min_length=1)]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> Self:
        editions = chain.from_iterable(product.editions.values() for product in self.products.values())
        _refuse_twice("code", (edition.code for edition in editions))
        return self


def _refuse_twice(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value!r} stands here twice: write it once")
        seen.add(value)
