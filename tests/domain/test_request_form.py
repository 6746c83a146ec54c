"""R27: what a request form may say, and the license that an accepted one brings."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue import Catalogue
from domain.intake_row import Row
from domain.request_form import LONGEST_TEXT, Form, Kind, check_form
from domain.request_license import LicenseExpired, license_row

KEY = "ABCDE-FGHJK-LMNPQ-9Z8Y"
TODAY = date(2027, 3, 1)
LICENSE = {
    "customer_name": "Jo Pine",
    "country": "GB",
    "currency": "GBP",
    "product": "SmarterMail",
    "edition": "Professional",
    "size": "250",
    "expires_on": "2027-08-31",
}


def problems(catalogue: Catalogue, kind: Kind = "other", **texts: str) -> dict[str | None, str]:
    found = check_form(kind, {"customer_email": "jo@example.com", "text": "Please."} | texts, catalogue)
    assert isinstance(found, list)
    return {problem.column: f"{problem.reason}. {problem.mend}" for problem in found}


def good(catalogue: Catalogue, kind: Kind = "other", **texts: str) -> Form:
    found = check_form(kind, {"customer_email": "jo@example.com", "text": "Please."} | texts, catalogue)
    assert isinstance(found, Form)
    return found


def test_a_form_says_what_it_says_and_no_more(catalogue: Catalogue) -> None:
    form = good(
        catalogue,
        "add_key",
        customer_email=" Jo@Example.com ",
        license_key=KEY,
        product="SmarterMail",
        size="",
    )

    assert (form.kind, form.email, form.license_key) == ("add_key", "jo@example.com", KEY)
    assert form.stated == {"product": "SmarterMail"}
    assert KEY not in repr(form)
    assert "jo@" not in repr(form)


@pytest.mark.parametrize("key", ["", "short", "with blanks in it", "ümläüte-ümläüte"])
def test_a_key_to_be_added_is_there_and_looks_like_one(catalogue: Catalogue, key: str) -> None:
    assert "license_key" in problems(catalogue, "add_key", license_key=key)


def test_all_that_is_wrong_is_told_at_once(catalogue: Catalogue) -> None:
    found = problems(
        catalogue, "upgrade", customer_email="jo", country="UK", expires_on="31/08/2027", text="x" * 4001
    )

    assert found.keys() == {"customer_email", "country", "expires_on", "text"}
    assert "Did you mean GB?" in found["country"]
    assert "4,000" in found["text"]


def test_a_product_that_is_not_sold_is_told_with_what_was_meant(catalogue: Catalogue) -> None:
    found = problems(catalogue, product="SmaterMail", edition="Professional", size="250")

    assert "Did you mean 'SmarterMail'?" in found["product"]


def test_half_a_description_is_left_to_staff(catalogue: Catalogue) -> None:
    assert good(catalogue, product="the mail server", size="250").stated == {
        "product": "the mail server",
        "size": "250",
    }


def test_a_request_for_something_else_says_what(catalogue: Catalogue) -> None:
    assert "text" in problems(catalogue, "other", text=" ")


def test_the_longest_text_is_taken_with_its_paragraphs_and_without_controls(catalogue: Catalogue) -> None:
    assert len(good(catalogue, text="y" * LONGEST_TEXT).text) == LONGEST_TEXT
    assert good(catalogue, text="one\n\ntwo\x00\x1b[31m").text == "one\n\ntwo[31m"


def test_R28_a_key_in_the_text_is_masked_and_in_another_field_refused(catalogue: Catalogue) -> None:
    form = good(catalogue, "add_key", license_key=KEY, text=f"My key is {KEY.lower()}, {KEY}.")

    assert form.text == "My key is …9Z8Y, …9Z8Y."
    assert (
        "it holds the license key"
        in problems(catalogue, "add_key", license_key=KEY, customer_name=KEY)["customer_name"]
    )


@given(
    st.sampled_from(["add_key", "upgrade", "downgrade", "other"]),
    st.dictionaries(
        st.sampled_from(["customer_email", "license_key", "text", "addons", "country", *LICENSE]),
        st.text(max_size=50),
    ),
)
def test_whatever_is_written_is_a_form_or_is_told_what_is_wrong(
    catalogue: Catalogue, kind: Kind, texts: dict[str, str]
) -> None:
    found = check_form(kind, texts, catalogue)

    assert isinstance(found, Form) or all(problem.reason and problem.mend for problem in found)


def row(catalogue: Catalogue, today: date = TODAY, **given: Any) -> Any:
    return license_row(LICENSE, given, "jo@example.com", KEY, catalogue, today, 15)


def test_what_staff_say_replaces_what_the_customer_filled_in(catalogue: Catalogue) -> None:
    found = row(catalogue, size="500", country="")

    assert isinstance(found, Row)
    assert (found.size, found.country, found.customer_email, found.license_key) == (
        "500",
        "GB",
        "jo@example.com",
        KEY,
    )
    assert not found.window_closed


def test_a_license_that_cannot_be_stored_is_told_like_an_imports_row(catalogue: Catalogue) -> None:
    assert {problem.column for problem in row(catalogue, size="300", currency="XYZ")} == {"size", "currency"}


def test_R26_an_expired_license_is_renewed_first(catalogue: Catalogue) -> None:
    assert isinstance(row(catalogue, today=date(2027, 8, 31)), Row)
    with pytest.raises(LicenseExpired, match=r"expired on 2027-08-31, .*: renew it at the vendor first"):
        row(catalogue, today=date(2027, 9, 1))
    assert isinstance(row(catalogue, today=date(2027, 9, 1), expires_on="2028-08-31"), Row)


def test_R26_a_license_past_its_cancel_by_date_is_taken_and_reported(catalogue: Catalogue) -> None:
    assert not row(catalogue, today=date(2027, 8, 16)).window_closed
    assert row(catalogue, today=date(2027, 8, 17)).window_closed
