"""R19: a purchase made before the move is checked as strictly as a license that is imported (R26)."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain import purchase_check
from domain.catalogue import Catalogue
from domain.intake_cells import Cells
from domain.intake_problem import Problem, UnreadableFile
from domain.purchase import DESCRIPTION, PURCHASES, Purchase
from domain.purchase_check import check_file, check_known

TODAY = date(2026, 11, 23)
KEY = "ABCDE-FGHJK-LMNPQ-00001"
EXAMPLES = Path(purchase_check.__file__).parent.parent / "examples"


def good(**changes: str) -> dict[str, str]:
    cells = dict.fromkeys(PURCHASES.names, "") | {
        "reference": "INV-1",
        "amount": "200.00",
        "customer_email": "jo@pine.example",
        "customer_name": "Pine Hosting Ltd",
        "country": "JE",
        "currency": "GBP",
        "license_key": KEY,
        "product": "SmarterMail",
        "edition": "Professional",
        "size": "250",
        "expires_on": "2027-08-31",
    }
    assert changes.keys() <= cells.keys()
    return cells | changes


def written(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, PURCHASES.names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def check(catalogue: Catalogue, *rows: dict[str, str]) -> list[Purchase | Problem]:
    return list(check_file("csv", [written(*rows)], catalogue, TODAY))


def known(**changes: str) -> Purchase | list[Problem]:
    """Check what a command gave for a key that is here already, undescribed."""
    return check_known(Cells(1, good(**dict.fromkeys(DESCRIPTION, "")) | changes))


def problems(found: Any) -> Iterator[tuple[int, str | None]]:
    for problem in found:
        assert isinstance(problem, Problem)
        yield problem.line, problem.column


def test_a_full_row_is_read(catalogue: Catalogue) -> None:
    row = good(
        reference=" INV-1042/a ",
        addons="MAPI & EWS",
        renews_on="2027-08-20",
        previous_customer="yes",
        card_token="pm_card_visa",
    )

    (found,) = check(catalogue, row)

    assert isinstance(found, Purchase)
    assert (found.line, found.reference, found.amount_minor, found.currency) == (
        2,
        "INV-1042/a",
        20_000,
        "GBP",
    )
    assert (found.customer_email, found.license_key) == ("jo@pine.example", KEY)
    assert found.previous_customer
    assert not found.window_closed
    assert found.license is not None
    assert (found.license.size, found.license.addons) == ("250", ("MAPI & EWS",))
    assert (found.license.expires_on, found.license.renews_on) == (date(2027, 8, 31), date(2027, 8, 20))
    assert found.license.opening_credit_minor == 0, "what was paid must not be granted a second time"
    assert found.license.card_token == "pm_card_visa"


def test_json_lines_are_read_as_csv_is(catalogue: Catalogue) -> None:
    row = good(addons="MAPI & EWS", previous_customer="yes")
    line = json.dumps(row | {"addons": ["MAPI & EWS"], "previous_customer": True}).encode()

    (from_csv,) = check(catalogue, row)
    (from_json,) = check_file("jsonl", [b"\n" + line], catalogue, TODAY)

    assert from_json == from_csv


def test_the_columns_are_an_imports_without_opening_credit() -> None:
    assert set(PURCHASES.names) == {
        *("reference", "amount", "customer_email", "customer_name", "country", "currency", "license_key"),
        *(
            "product",
            "edition",
            "size",
            "addons",
            "expires_on",
            "renews_on",
            "previous_customer",
            "card_token",
        ),
    }
    assert PURCHASES.may_be_empty == ("addons", "renews_on", "previous_customer", "card_token")


def test_a_file_of_licenses_is_no_file_of_purchases(catalogue: Catalogue) -> None:
    licenses = (EXAMPLES / "licenses.csv").read_bytes()

    with pytest.raises(UnreadableFile, match="reference, amount missing"):
        list(check_file("csv", [licenses], catalogue, TODAY))


@pytest.mark.parametrize("column", [name for name in PURCHASES.names if name not in PURCHASES.may_be_empty])
def test_in_a_file_the_license_is_described_for_the_key_may_be_new(catalogue: Catalogue, column: str) -> None:
    (problem,) = check(catalogue, good(**{column: " "}))

    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.reason) == (2, column, "it is empty")


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("0", "'0' is nothing"),
        ("0.00", "'0.00' is nothing"),
        ("-200.00", "'-200.00' is not an amount of GBP"),
        ("200.005", "'200.005' is not an amount of GBP"),
        ("1,200.00", "'1,200.00' is not an amount of GBP"),
        (" 200.00", "' 200.00' is not an amount of GBP"),
        ("2e2", "'2e2' is not an amount of GBP"),
        ("£200", "'£200' is not an amount of GBP"),
    ],
)
def test_the_amount_is_money_and_more_than_nothing(catalogue: Catalogue, amount: str, reason: str) -> None:
    """R11, R19: credit is granted for exactly what was paid."""
    for found in (check(catalogue, good(amount=amount)), known(amount=amount)):
        assert isinstance(found, list)
        (problem,) = found
        assert isinstance(problem, Problem)
        assert (problem.column, problem.reason) == ("amount", reason)


def test_the_amount_follows_the_currency(catalogue: Catalogue) -> None:
    (yen,) = check(catalogue, good(currency="JPY", amount="38000"))
    (decimals,) = check(catalogue, good(currency="JPY", amount="380.00"))
    (unknown,) = check(catalogue, good(currency="EUX"))
    (neither, empty) = check(catalogue, good(currency="EUX", amount=" "))

    assert isinstance(yen, Purchase)
    assert yen.amount_minor == 38_000
    assert list(problems([decimals, unknown])) == [(2, "amount"), (2, "currency")]
    assert list(problems([neither, empty])) == [(2, "currency"), (2, "amount")]


@pytest.mark.parametrize("reference", ["INV\x07", "R" * 101, f"for {KEY}", KEY.lower()])
def test_a_reference_is_a_short_text_without_the_key_in_it(catalogue: Catalogue, reference: str) -> None:
    """R28: a reference is shown to everyone."""
    (problem,) = check(catalogue, good(reference=reference))

    assert list(problems([problem])) == [(2, "reference")]
    assert KEY not in str(problem).upper()


def test_the_same_reference_twice_is_a_problem_of_the_second_row(catalogue: Catalogue) -> None:
    """Even if the first row is bad itself, and whatever the second says."""
    other = "ABCDE-FGHJK-LMNPQ-00002"
    bad, again, different = check(
        catalogue, good(country="UK"), good(), good(license_key=other, amount="5.00")
    )

    assert list(problems([bad, again, different])) == [(2, "country"), (3, "reference"), (4, "reference")]
    assert "first on line 2" in str(again)


def test_references_are_told_apart_by_case(catalogue: Catalogue) -> None:
    found = check(catalogue, good(reference="inv-1"), good(reference="INV-1"))

    assert all(isinstance(one, Purchase) for one in found)


def test_two_purchases_for_one_key_are_fine(catalogue: Catalogue) -> None:
    """R19: both are granted."""
    first, second = check(catalogue, good(), good(reference="INV-2", amount="40.00", license_key=KEY.lower()))

    assert isinstance(first, Purchase)
    assert isinstance(second, Purchase)
    assert second.amount_minor == 4_000


@pytest.mark.parametrize(
    "change",
    [
        {"customer_email": "ann@pine.example"},
        {"currency": "EUR"},
        {"size": "500"},
        {"addons": "MAPI & EWS"},
        {"expires_on": "2028-08-31"},
        {"renews_on": "2027-08-20"},
    ],
)
def test_but_they_must_not_contradict_each_other(catalogue: Catalogue, change: dict[str, str]) -> None:
    """Else the order of the rows would decide what the license is."""
    first, _other, second = check(
        catalogue,
        good(),
        good(reference="INV-2", license_key="ABCDE-FGHJK-LMNPQ-00002"),
        good(reference="INV-3") | change,
    )

    assert isinstance(first, Purchase)
    assert list(problems([second])) == [(4, "license_key")]
    assert "line 2 says otherwise of the license whose key ends in 0001" in str(second)
    assert KEY not in str(second)


def test_the_order_of_addons_and_the_name_of_the_customer_contradict_nothing(catalogue: Catalogue) -> None:
    found = check(
        catalogue,
        good(addons="Message Sniffer;MAPI & EWS"),
        good(reference="INV-2", addons="MAPI & EWS;Message Sniffer", customer_name="Pine Hosting Limited"),
    )

    assert all(isinstance(one, Purchase) for one in found)


def test_all_that_is_wrong_with_a_row_is_told(catalogue: Catalogue) -> None:
    found = check(catalogue, good(amount="0", country="UK", size="300", expires_on="2026-11-22"))

    assert set(problems(found)) == {(2, column) for column in ("amount", "country", "size", "expires_on")}


def test_a_license_past_its_cancel_by_is_taken_and_marked(catalogue: Catalogue) -> None:
    """R26."""
    (found,) = check(catalogue, good(expires_on="2026-12-01"))

    assert isinstance(found, Purchase)
    assert found.window_closed


def test_of_a_key_that_is_here_nothing_need_be_described() -> None:
    found = known(amount="200.00")

    assert isinstance(found, Purchase)
    assert (found.license_key, found.amount_minor, found.customer_email) == (KEY, 20_000, None)
    assert found.license is None
    assert not found.window_closed


def test_but_what_is_described_is_read_as_strictly() -> None:
    found = known(
        customer_email="jo",
        country="UK",
        expires_on="31.8.27",
        renews_on="soon",
        card_token="4242424242424242",
    )

    assert isinstance(found, list)
    assert set(problems(found)) == {
        (1, column) for column in ("customer_email", "country", "expires_on", "renews_on", "card_token")
    }


def test_a_license_that_has_expired_may_have_been_paid_for(catalogue: Catalogue) -> None:
    """R19: if the key is here the credit is kept; a new key needs a request (R26)."""
    assert isinstance(known(expires_on="2026-11-22"), Purchase)
    (problem,) = check(catalogue, good(expires_on="2026-11-22"))
    assert isinstance(problem, Problem)
    assert "request" in problem.mend


def test_r28_the_repr_of_a_purchase_tells_neither_who_nor_which_key(catalogue: Catalogue) -> None:
    (found,) = check(catalogue, good(card_token="pm_card_visa"))

    for secret in ("ABCDE", "00001", "pm_card", "jo@", "pine.example", "Pine Hosting"):
        assert secret not in repr(found)


@pytest.mark.parametrize("column", PURCHASES.names[1:])
def test_r28_a_key_in_the_wrong_column_is_not_repeated(catalogue: Catalogue, column: str) -> None:
    """Except as a reference, which may be any text but the row's own key."""
    secret = "ABCDE-12345-FGHIJ-67890"
    rows = (good(), good(**{column: secret}), good(**{column: f"key {secret}"}))

    for found in check(catalogue, *rows):
        assert secret not in str(found)


def test_the_example_is_good_and_shows_what_there_is(catalogue: Catalogue) -> None:
    found = list(check_file("csv", [(EXAMPLES / "purchases.csv").read_bytes()], catalogue, TODAY))

    bought = [one for one in found if isinstance(one, Purchase)]
    assert len(bought) == len(found) == 6
    assert {one.currency for one in bought} == {"GBP", "EUR", "JPY"}
    assert len({one.license_key for one in bought}) == 5, "two purchases are for one key"
    imported = (EXAMPLES / "licenses.csv").read_text()
    assert sum(one.license_key in imported for one in bought) == 1, "one key is in the other example, too"
