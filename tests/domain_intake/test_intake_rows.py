"""R26: every cell of a CSV row is read strictly, and all that is wrong with it is told."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from domain.catalogue import Catalogue
from domain.intake import check_csv
from domain.intake_problem import Problem
from domain.intake_row import COLUMNS, MAY_BE_EMPTY, Row

Good = Callable[..., dict[str, str]]
Written = Callable[..., bytes]
Check = Callable[..., list[Row | Problem]]


def test_a_full_row_is_read(check_one: Check) -> None:
    (row,) = check_one(
        customer_email=" Jo.Smith+smtp@Pine.example ",
        customer_name=' Hart, Lowe & "Partners" ',
        country="IE",
        currency="EUR",
        license_key=" ABCDE-12345-FGHIJ-67890 ",
        addons="Message Sniffer; MAPI & EWS;",
        expires_on="2027-08-31",
        renews_on="2027-08-20",
        opening_credit="200.5",
        previous_customer="yes",
        card_token="pm_card_visa",
    )

    assert row == Row(
        line=2,
        customer_email="jo.smith+smtp@pine.example",
        customer_name='Hart, Lowe & "Partners"',
        country="IE",
        currency="EUR",
        license_key="ABCDE-12345-FGHIJ-67890",
        product="SmarterMail",
        edition="Enterprise",
        size="250",
        addons=("Message Sniffer", "MAPI & EWS"),
        expires_on=date(2027, 8, 31),
        renews_on=date(2027, 8, 20),
        opening_credit_minor=20050,
        previous_customer=True,
        card_token="pm_card_visa",
        window_closed=False,
    )


def test_what_may_be_empty_has_a_meaning_when_it_is(check_one: Check) -> None:
    (row,) = check_one(**dict.fromkeys(MAY_BE_EMPTY, " "))

    assert isinstance(row, Row)
    assert (row.addons, row.renews_on, row.opening_credit_minor) == ((), None, 0)
    assert (row.previous_customer, row.card_token) == (False, None)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column not in MAY_BE_EMPTY])
def test_what_must_not_be_empty_is_asked_for(check_one: Check, column: str) -> None:
    (problem,) = check_one(**{column: " "})

    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.reason) == (2, column, "it is empty")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("customer_email", "jo.pine.example", "no @"),
        ("customer_email", "jo@pine@example.com", "more than one @"),
        ("customer_email", "jo smith@pine.example", "a blank inside"),
        ("customer_email", ".jo@pine.example", "before the @"),
        ("customer_email", "jo..s@pine.example", "before the @"),
        ("customer_email", "j" * 65 + "@pine.example", "before the @"),
        ("customer_email", "jö@pine.example", "before the @"),
        ("customer_email", "jo@pine", "after the @"),
        ("customer_email", "jo@pine..example", "after the @"),
        ("customer_email", "jo@-pine.example", "after the @"),
        ("customer_email", "jo@127.0.0.1", "after the @"),
        ("customer_email", "jo@" + "pine." * 60 + "example", "310 characters"),
        ("customer_name", "P" * 201, "201 characters"),
        ("customer_name", "Pine\x07", "control character U+0007"),
        ("customer_name", "Pine\u202eHosting", "control character U+202E"),
        ("country", "UK", "'UK' is not a country code"),
        ("country", "gb", "'gb' is not a country code"),
        ("country", "GBR", "'GBR' is not a country code"),
        ("country", "XX", "'XX' is not a country code"),
        ("currency", "gbp", "'gbp' is not a currency"),
        ("currency", "£", "'£' is not a currency"),
        ("license_key", "ABCDE-123", "not look like a license key"),
        ("license_key", "A" * 81, "not look like a license key"),
        ("license_key", "ABCDE 12345 FGHIJ", "not look like a license key"),
        ("license_key", "ABCDÉ-12345-FGHIJ", "not look like a license key"),
        ("expires_on", "2027-02-30", "there is no day 2027-02-30"),
        ("expires_on", "0000-01-01", "there is no day 0000-01-01"),
        ("expires_on", "31/08/2027", "'31/08/2027' is not written as a date"),
        ("expires_on", "1700006400", "not written as a date"),
        ("expires_on", "20270831", "not written as a date"),
        ("expires_on", "2027-8-31", "not written as a date"),
        ("expires_on", "2027-W35-2", "not written as a date"),
        ("expires_on", "2027-08-31T00:00:00", "not written as a date"),
        ("expires_on", " 2027-08-31", "not written as a date"),
        ("expires_on", "٢٠٢٧-٠٨-٣١", "not written as a date"),
        ("expires_on", "9999-12-31", "more than 50 years away"),
        ("renews_on", "2027-08-32", "there is no day 2027-08-32"),
        ("opening_credit", "1e2", "'1e2' is not an amount of GBP"),
        ("opening_credit", "1_000", "'1_000' is not an amount"),
        ("opening_credit", "1,000.00", "'1,000.00' is not an amount"),
        ("opening_credit", " 200.00", "' 200.00' is not an amount"),
        ("opening_credit", "200.00 ", "'200.00 ' is not an amount"),
        ("opening_credit", "2 00", "'2 00' is not an amount"),
        ("opening_credit", "-5.00", "'-5.00' is not an amount"),
        ("opening_credit", "+5.00", "'+5.00' is not an amount"),
        ("opening_credit", "200.005", "'200.005' is not an amount"),
        ("opening_credit", "£200", "'£200' is not an amount"),
        ("opening_credit", "٢٠٠", "'٢٠٠' is not an amount"),
        ("opening_credit", "NaN", "'NaN' is not an amount"),
        ("opening_credit", "9" * 5000, "is not an amount"),
        ("previous_customer", "Y", "'Y' is neither yes nor no"),
        ("previous_customer", "true", "'true' is neither yes nor no"),
        ("card_token", "4242 4242 4242 4242", "a card's number"),
        ("card_token", "4242424242424242", "a card's number"),
        ("card_token", "pm card", "not a card's token"),
        ("card_token", "t" * 256, "not a card's token"),
    ],
)
def test_a_cell_that_cannot_be_what_its_column_holds_is_refused(
    check_one: Check, column: str, cell: str, reason: str
) -> None:
    (problem,) = check_one(**{column: cell})

    assert isinstance(problem, Problem)
    assert (problem.line, problem.column) == (2, column)
    assert reason in problem.reason
    assert re.fullmatch(r"[A-Z].*[.?]", problem.mend)


def test_money_follows_the_currency(check_one: Check) -> None:
    """R11: no yen has decimals."""
    (row,) = check_one(currency="JPY", opening_credit="38000")
    (problem,) = check_one(currency="JPY", opening_credit="380.00")

    assert isinstance(row, Row)
    assert row.opening_credit_minor == 38000
    assert isinstance(problem, Problem)
    assert problem.reason == "'380.00' is not an amount of JPY"


def test_the_country_that_was_meant_is_suggested(check_one: Check) -> None:
    for written, meant in [("UK", "GB"), ("de", "DE")]:
        (problem,) = check_one(country=written)
        assert isinstance(problem, Problem)
        assert f"Did you mean {meant}?" in problem.mend


def test_a_row_with_several_faults_is_told_all_of_them(check_one: Check) -> None:
    problems = check_one(
        customer_email="jo",
        country="UK",
        size="300",
        expires_on="31.8.27",
        opening_credit="much",
        card_token="?",
    )

    columns = ["customer_email", "country", "expires_on", "opening_credit", "card_token", "size"]
    assert [problem.column for problem in problems if isinstance(problem, Problem)] == columns


def test_an_unknown_currency_is_told_once_and_no_amount_is_judged_by_it(check_one: Check) -> None:
    assert [str(problem) for problem in check_one(currency="EUX", opening_credit="5.00")] == [
        "line 2, currency: 'EUX' is not a currency we know. "
        "Did you mean EUR? Write three capitals of ISO 4217, like GBP."
    ]


# ---- commas and quotes ---------------------------------------------------------------------------------------------


def test_too_few_and_too_many_cells_are_counted(good: Good, written: Written, check: Check) -> None:
    header, row, short, long = written(good(), good(), good()).splitlines()
    file = b"\n".join(
        [header, row, short.removesuffix(b",,"), long + b",,,", row.replace(b"ABCDE", b"VWXYZ")]
    )

    first, few, many, last = check(file)

    assert isinstance(first, Row)
    assert str(few) == "line 3: the row has 12 cells, the header 14. Keep the commas of empty cells."
    assert (
        str(many) == "line 4: the row has 17 cells, the header 14. Put a cell with a comma in double quotes."
    )
    assert isinstance(last, Row)


@pytest.mark.parametrize("name", ['"Pine Hosting Ltd', '"Pine" Hosting', '"Pine ""Hosting'])
def test_a_forgotten_quote_spoils_its_own_row_only(
    good: Good, written: Written, check: Check, name: str
) -> None:
    file = written(good(customer_name="NAME"), good()).replace(b"NAME", name.encode())

    problem, row = check(file)

    assert isinstance(problem, Problem)
    assert (problem.line, problem.reason) == (2, "the double quotes do not match")
    assert isinstance(row, Row)


def test_a_carriage_return_inside_a_row_is_told(good: Good, written: Written, check: Check) -> None:
    (problem,) = check(written(good(customer_name="NAME")).replace(b"NAME", b"Pine\rHosting"))

    assert isinstance(problem, Problem)
    assert "carriage return" in problem.reason


# ---- the catalogue -------------------------------------------------------------------------------------------------


def test_what_is_not_sold_is_told_with_what_is(check_one: Check) -> None:
    """R12."""
    cases = [
        (
            {"product": "SmarterMial"},
            "product",
            "'SmarterMial' is not a product of the catalogue",
            "'SmarterMail'",
        ),
        (
            {"product": "smartermail"},
            "product",
            "'smartermail' is not a product of the catalogue",
            "'SmarterMail'",
        ),
        ({"edition": "Pro"}, "edition", "'Pro' is not an edition of SmarterMail", "Professional, Enterprise"),
        (
            {"size": "300"},
            "size",
            "'300' is not a size of SmarterMail Enterprise",
            "Possible: 250, 500, 1000",
        ),
        (
            {"addons": "EAS"},
            "addons",
            "'EAS' is not an add-on of SmarterMail Enterprise",
            "Exchange ActiveSync",
        ),
        (
            {"edition": "Professional", "addons": "Exchange ActiveSync"},
            "addons",
            "Exchange ActiveSync is not for SmarterMail Professional",
            "Possible: Message Sniffer, MAPI & EWS",
        ),
        ({"addons": "MAPI & EWS;MAPI & EWS"}, "addons", "an add-on is named twice", "once"),
        ({"addons": ";".join("abcdefghijklmnopqrstu")}, "addons", "it names 21 add-ons", "at most 20"),
    ]
    for changes, column, reason, mend in cases:
        (problem,) = check_one(**changes)
        assert isinstance(problem, Problem)
        assert (problem.column, problem.reason) == (column, reason)
        assert mend in problem.mend


def test_a_wrong_size_does_not_hide_a_wrong_addon(check_one: Check) -> None:
    problems = check_one(size="300", addons="Message Sniffer;EAS;Spam")

    assert [problem.column for problem in problems if isinstance(problem, Problem)] == [
        "size",
        "addons",
        "addons",
    ]


def test_a_currency_must_have_a_price_for_the_license_and_for_each_addon(
    catalogue: Catalogue, good: Good, written: Written
) -> None:
    """R12: CHF is money, but nothing here is sold for it; the add-on of the second has no price in USD."""
    sniffer = [key for key in catalogue.addon_prices if key[1] == "Message Sniffer" and key[3] == "USD"]
    without = replace(
        catalogue, addon_prices={k: v for k, v in catalogue.addon_prices.items() if k not in sniffer}
    )
    file = written(
        good(currency="CHF"), good(currency="USD", addons="Message Sniffer"), good(addons="Message Sniffer")
    )

    francs, dollars, pounds = check_csv([file], without, date(2026, 11, 23))

    assert isinstance(francs, Problem)
    assert (francs.column, francs.reason) == (
        "currency",
        "'CHF' is not a currency in which SmarterMail is priced",
    )
    assert "EUR, GBP, JPY, USD" in francs.mend
    assert isinstance(dollars, Problem)
    assert (dollars.column, dollars.reason) == ("addons", "Message Sniffer has no price in USD")
    assert "EUR, GBP, JPY." in dollars.mend
    assert isinstance(pounds, Row)


# ---- dates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires_on", "closed"),
    [("2026-11-23", True), ("2026-12-07", True), ("2026-12-08", False), ("2027-11-30", False)],
)
def test_r26_a_row_whose_cancel_by_has_passed_is_taken_and_marked(
    check_one: Check, expires_on: str, closed: bool
) -> None:
    """R2: on 2026-11-23 the license that expires on 8 December can still be cancelled, for that one day."""
    (row,) = check_one(expires_on=expires_on)

    assert isinstance(row, Row)
    assert row.window_closed is closed


def test_the_notice_is_a_setting(good: Good, written: Written, check: Check) -> None:
    (row,) = check(written(good(expires_on="2026-12-07")), notice_days=14)

    assert isinstance(row, Row)
    assert row.window_closed is False


def test_r26_an_expired_license_needs_a_request(check_one: Check) -> None:
    (problem,) = check_one(expires_on="2026-11-22", renews_on="2026-11-20")

    assert isinstance(problem, Problem)
    assert (problem.column, problem.reason) == (
        "expires_on",
        "the license expired on 2026-11-22, before today, 2026-11-23",
    )
    assert "request" in problem.mend


@pytest.mark.parametrize("renews_on", ["2027-08-17", "2027-08-31"])
def test_r4_a_renewal_date_may_lie_between_cancel_by_and_expiry(check_one: Check, renews_on: str) -> None:
    (row,) = check_one(renews_on=renews_on)

    assert isinstance(row, Row)
    assert row.renews_on == date.fromisoformat(renews_on)


@pytest.mark.parametrize(
    ("renews_on", "reason"),
    [
        ("2027-08-16", "2027-08-16 is not after 2027-08-16, the last day to cancel"),
        ("2027-09-01", "2027-09-01 is after the expiry, 2027-08-31"),
    ],
)
def test_r4_a_renewal_date_outside_of_it_is_refused(check_one: Check, renews_on: str, reason: str) -> None:
    (problem,) = check_one(renews_on=renews_on)

    assert isinstance(problem, Problem)
    assert (problem.column, problem.reason) == ("renews_on", reason)


# ---- keys and secrets ----------------------------------------------------------------------------------------------


def test_a_key_that_was_there_before_is_told_with_the_first_line(
    good: Good, written: Written, check: Check
) -> None:
    """Even if the first row is bad itself, and in another case."""
    key = "ABCDE-12345-FGHIJ-6789Z"
    file = written(
        good(license_key=key, country="UK"), good(), good(license_key=key), good(license_key=key.lower())
    )

    bad, other, second, third = check(file)

    assert isinstance(bad, Problem)
    assert bad.column == "country"
    assert isinstance(other, Row)
    assert str(second) == (
        "line 4, license_key: the key ending in 789Z is in the file twice, first on line 2. "
        "Leave one of the two rows."
    )
    assert isinstance(third, Problem)
    assert (third.line, "first on line 2" in third.reason) == (5, True)


def test_r28_the_repr_of_a_row_tells_neither_who_nor_which_key(check_one: Check) -> None:
    (row,) = check_one(license_key="ABCDE-12345-FGHIJ-67890", card_token="pm_card_visa")

    shown = repr(row)

    assert "SmarterMail" in shown
    for secret in ("ABCDE", "67890", "pm_card", "jo@", "pine.example", "Pine Hosting"):
        assert secret not in shown


@pytest.mark.parametrize("column", COLUMNS)
def test_r28_a_key_or_an_address_in_the_wrong_column_is_not_repeated(check_one: Check, column: str) -> None:
    for secret in (
        "ABCDE-12345-FGHIJ-67890",
        "jo.smith@pine.example",
        "a@b.io",
        "key ABCDE-12345-FGHIJ-67890",
    ):
        for found in check_one(**{column: secret}):
            assert secret not in str(found)
            assert "ABCDE-12345-FGHIJ-67890" not in str(found)
