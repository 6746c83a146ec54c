"""The price list of a forecast: the real one, with another loyalty rate, every update done by the sandbox vendor."""

from __future__ import annotations

import re

from domain import catalogue
from domain.catalogue import CatalogueError

BY_HAND = re.compile(r"""^(\s*channel\s*=\s*)(["'])by_hand\2""", re.MULTILINE)
LOYALTY = re.compile(r"^loyalty_rate_bp\s*=\s*\d+", re.MULTILINE)


class PriceListNotUnderstood(Exception):
    """The price list is good, but written so that it cannot be changed for a forecast; the text says where."""


def rewritten(text: str, loyalty_rate_bp: int | None) -> str:
    """The catalogue's text with every channel `api` and, where given, this loyalty rate.

    Comments and order stay. Raises CatalogueError, PriceListNotUnderstood.
    """
    catalogue.parse(text)
    text = BY_HAND.sub(r'\1"api"', text)
    if loyalty_rate_bp is not None:
        text, found = LOYALTY.subn(f"loyalty_rate_bp = {loyalty_rate_bp}", text)
        if not found:
            text = f"loyalty_rate_bp = {loyalty_rate_bp}\n{text}"
    try:
        made = catalogue.parse(text)
    except CatalogueError as wrong:
        raise PriceListNotUnderstood(f"the price list cannot be changed for a forecast: {wrong}") from wrong
    by_hand = [name for name, product in made.products.items() if product.channel != "api"]
    if by_hand:
        raise PriceListNotUnderstood(
            f'write channel = "by_hand" on a line of its own in the price list, for {", ".join(by_hand)}'
        )
    if loyalty_rate_bp is not None and made.loyalty_rate_bp != loyalty_rate_bp:
        raise PriceListNotUnderstood("write loyalty_rate_bp on a line of its own in the price list")
    return text
