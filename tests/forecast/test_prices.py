"""The price list of a forecast: every update by the API, another loyalty rate, and nothing else that is different."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import SHIPPED_CATALOGUE
from domain import catalogue
from forecast.prices import PriceListNotUnderstood, rewritten

SHIPPED = SHIPPED_CATALOGUE.read_text(encoding="utf-8")


def test_updates_by_hand_are_done_by_the_api_and_prices_stay():
    by_hand = SHIPPED.replace('channel    = "api"', 'channel    = "by_hand"')
    assert catalogue.parse(by_hand).channel("SmarterMail") == "by_hand"

    made = catalogue.parse(rewritten(by_hand, None))

    assert made == catalogue.parse(SHIPPED)


@pytest.mark.parametrize("text", [SHIPPED, SHIPPED.replace("loyalty_rate_bp = 1000", "")])
def test_another_loyalty_rate_is_all_that_changes(text):
    made = catalogue.parse(rewritten(text, 500))

    assert made == replace(catalogue.parse(SHIPPED), loyalty_rate_bp=500)


def test_a_price_list_that_cannot_be_changed_safely_is_refused():
    inline = SHIPPED.replace('channel    = "api"', '"channel" = "by_hand"')

    with pytest.raises(PriceListNotUnderstood, match="SmarterMail"):
        rewritten(inline, None)
