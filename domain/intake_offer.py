"""Whether what a row asks for is sold, and in its currency (R12, R26): all that is wrong, not only the first.

In words of its own: the catalogue's quote what was asked for, which in a slipped row can be a key (R28).
"""

from collections.abc import Iterator
from datetime import date

from domain.catalogue import Catalogue
from domain.intake_problem import not_among
from domain.not_offered import (
    AddonNotForEdition,
    CurrencyNotPriced,
    UnknownAddon,
    UnknownEdition,
    UnknownProduct,
    UnknownSize,
)

Fault = tuple[str, str, str]
"""Column, reason, mend."""

# A price that begins next year is a price: the check looks at the last of days.
_SOME_DAY = date.max


def not_offered(
    catalogue: Catalogue, product: str, edition: str, size: str, addons: tuple[str, ...], currency: str
) -> tuple[Fault, ...]:
    """Name what is not offered; an empty ``currency`` is one whose fault is known: no prices are asked."""
    return tuple(_faults(catalogue, product, edition, size, addons, currency))


def _faults(
    catalogue: Catalogue, product: str, edition: str, size: str, addons: tuple[str, ...], currency: str
) -> Iterator[Fault]:
    try:
        catalogue.check(product, edition, size)
        if currency:
            catalogue.renewal_price_minor(product, edition, size, currency, _SOME_DAY)
    except UnknownProduct as unknown:
        yield "product", *not_among(product, "a product of the catalogue", unknown.possible)
        return
    except UnknownEdition as unknown:
        yield "edition", *not_among(edition, f"an edition of {product}", unknown.possible)
        return
    except UnknownSize as unknown:
        yield "size", *not_among(size, f"a size of {product} {edition}", unknown.possible)
        # Any size will do to go on with the add-ons, but its prices say nothing.
        size, currency = unknown.possible[0], ""
    except CurrencyNotPriced as unpriced:
        yield "currency", *not_among(currency, f"a currency in which {product} is priced", unpriced.possible)
        currency = ""

    for addon in dict.fromkeys(addons):
        try:
            catalogue.check(product, edition, size, (addon,))
            if currency:
                catalogue.addon_price_minor(addon, product, edition, size, currency, _SOME_DAY)
        except UnknownAddon as unknown:
            yield "addons", *not_among(addon, f"an add-on of {product} {edition}", unknown.possible)
        except AddonNotForEdition as other:
            mend = f"Take it out. Possible: {', '.join(other.possible) or 'none'}."
            yield "addons", f"{addon} is not for {product} {edition}", mend
        except CurrencyNotPriced as unpriced:
            mend = f"Take it out, or write another currency. Possible: {', '.join(unpriced.possible)}."
            yield "addons", f"{addon} has no price in {currency}", mend
    if len(set(addons)) < len(addons):
        yield "addons", "an add-on is named twice", "Write each once."
