"""What the catalogue does not offer, each with what it has instead (R12)."""

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import ClassVar


class NotOffered(LookupError):
    """The catalogue does not offer what was asked for; the family of all that follow."""


@dataclass(eq=False)
class _UnknownName(NotOffered):
    asked: str
    where: str
    possible: tuple[str, ...]
    what: ClassVar[str]

    def __str__(self) -> str:
        by_lowercase = {name.lower(): name for name in self.possible}
        close = get_close_matches(self.asked[:80].lower(), by_lowercase, n=1)
        hint = f" Did you mean {by_lowercase[close[0]]!r}?" if close else ""
        shown = ", ".join(self.possible) or "none"
        return f"{self.where} has no {self.what} {self.asked[:80]!r}.{hint} Possible: {shown}."


class UnknownProduct(_UnknownName):
    """No such product."""

    what = "product"


class UnknownEdition(_UnknownName):
    """The product has no such edition."""

    what = "edition"


class UnknownSize(_UnknownName):
    """The edition is not sold in this size."""

    what = "size"


class UnknownAddon(_UnknownName):
    """The product has no such add-on, in any edition."""

    what = "add-on"


@dataclass(eq=False)
class AddonNotForEdition(NotOffered):
    """The add-on exists, but not for this edition."""

    addon: str
    product: str
    edition: str
    possible: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.possible) or "none"
        return f"{self.addon!r} is not for {self.product} {self.edition}. Possible add-ons: {shown}."


@dataclass(eq=False)
class AddonTwice(NotOffered):
    """A license has an add-on once or not at all."""

    addon: str

    def __str__(self) -> str:
        return f"{self.addon!r} stands there twice: write each add-on once."


@dataclass(eq=False)
class CurrencyNotPriced(NotOffered):
    """There is no price in this currency."""

    what: str
    currency: str
    possible: tuple[str, ...]

    def __str__(self) -> str:
        possible = ", ".join(self.possible)
        return f"{self.what} has no price in {self.currency[:20]!r}. Possible currencies: {possible}."


@dataclass(eq=False)
class NoPriceYet(NotOffered):
    """The first price begins later than the day asked for."""

    what: str
    currency: str
    on: date
    first_on: date

    def __str__(self) -> str:
        price = f"{self.what} has no price in {self.currency}"
        return f"{price} on {self.on}: the first is valid from {self.first_on}."


@dataclass(eq=False)
class NotACountry(NotOffered):
    """The text is not a country code, so its tax rate would be a guess."""

    country: str

    def __str__(self) -> str:
        return f"{self.country[:80]!r} is not a country code: write two capitals, like GB (not UK) or US."
