"""Which declines wait for a new card (R22)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from payments.declines import kind

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "code",
    [
        "lost_card",
        "stolen_card",
        "expired_card",
        "pickup_card",
        "fraudulent",
        "invalid_account",
        "card_not_supported",
    ],
)
def test_a_card_that_will_never_pay_again_waits_for_a_new_one(code: str):
    assert kind(code) == "hard"


@pytest.mark.parametrize(
    "code", ["insufficient_funds", "processing_error", "try_again_later", "generic_decline", "do_not_honor"]
)
def test_what_may_pass_is_tried_again(code: str):
    assert kind(code) == "soft"


def test_a_code_that_nobody_knows_is_tried_again():
    assert kind("a_new_one_of_next_year") == "soft"


def test_the_bank_s_own_advice_counts_whatever_the_code():
    assert kind("generic_decline", "do_not_try_again") == "hard"
    assert kind("generic_decline", "try_again_later") == "soft"


def test_no_card_number_is_written_anywhere():
    """Tokens only: a card number in our files would be the first step to one in our hands."""
    files = [
        *ROOT.glob("payments/*.py"),
        *ROOT.glob("sandbox/payments*.py"),
        *ROOT.glob("tests/payments/*.py"),
    ]

    assert len(files) > 20
    assert not [path.name for path in files if re.search(r"\b(?:\d[ -]?){13,19}\b", path.read_text())]
