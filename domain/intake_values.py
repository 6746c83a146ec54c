"""The text of one cell → its value (R26), strictly from the raw text: nothing is guessed.

Each function takes a cell and raises ``BadCell``. Blanks around a text are trimmed; dates and money must be
written exactly. No message quotes a key, a token or an address (R28).
"""

import re
from datetime import date
from typing import Final

from domain.countries import COUNTRIES, OFTEN_MEANT
from domain.intake_cells import BLANKS, BadCell
from domain.intake_problem import closest, shown
from domain.money import MINOR_DIGITS, NotMoney, exponent, parse_minor, plain

LONGEST_NAME: Final = 200
LONGEST_EMAIL: Final = 254
MOST_ADDONS: Final = 20

# Controls, line separators, marks that turn the writing round, halves of a pair: no name is made of these.
_NOT_WRITING: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_LOCAL_PART: Final = re.compile(r"(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.A)
_DOMAIN: Final = re.compile(
    r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.A | re.I
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEY: Final = re.compile(r"[!-~]{10,80}")
_TOKEN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{2,254}")
_CARD_NUMBER: Final = re.compile(r"[0-9][0-9 -]{10,22}[0-9]")


def text(cell: str, longest: int = LONGEST_NAME) -> str:
    """Read a text that must not be empty: trimmed, at most ``longest`` characters, no controls."""
    trimmed = cell.strip(BLANKS)
    if not trimmed:
        raise BadCell("it is empty", "Fill it in.")
    if len(trimmed) > longest:
        raise BadCell(f"it has {len(trimmed):,} characters", f"Shorten it to {longest}.")
    if not trimmed.isprintable() and (odd := _NOT_WRITING.search(trimmed)):
        raise BadCell(f"it has the control character U+{ord(odd[0]):04X}", "Type it again without.")
    return trimmed


def email(cell: str) -> str:
    """Read an e-mail address, in lower case, because customers are matched by it."""
    address = text(cell, LONGEST_EMAIL)
    local, at, domain = address.rpartition("@")
    if not at:
        raise BadCell("it has no @, so it is not an e-mail address", "Write it like jo@example.com.")
    if "@" in local:
        raise BadCell("it has more than one @", "Write one address, like jo@example.com.")
    if len(address.split()) > 1:
        raise BadCell("it has a blank inside", "Write it like jo@example.com.")
    if not _LOCAL_PART.fullmatch(local):
        raise BadCell("what stands before the @ is not a name", "Write it like jo.smith@example.com.")
    if not _DOMAIN.fullmatch(domain):
        raise BadCell("what stands after the @ is not a domain", "Write it like jo@example.com, in ASCII.")
    return address.lower()


def country(cell: str) -> str:
    """Read an ISO 3166 code of two capitals."""
    code = text(cell)
    if code not in COUNTRIES:
        meant = OFTEN_MEANT.get(code.upper(), code.upper())
        hint = f"Did you mean {meant}? " if meant in COUNTRIES else ""
        mend = f"{hint}Write two capitals of ISO 3166, like GB or US."
        raise BadCell(f"{shown(code)} is not a country code", mend)
    return code


def currency(cell: str) -> str:
    """Read an ISO 4217 code of three capitals whose minor units are known (R11)."""
    code = text(cell)
    if code not in MINOR_DIGITS:
        meant = closest(code, MINOR_DIGITS)
        hint = f"Did you mean {meant}? " if meant else ""
        mend = f"{hint}Write three capitals of ISO 4217, like GBP."
        raise BadCell(f"{shown(code)} is not a currency we know", mend)
    return code


def license_key(cell: str) -> str:
    """Read a license key: 10 to 80 printable ASCII characters without blanks."""
    key = cell.strip(BLANKS)
    if not key:
        raise BadCell("it is empty", "Write the key as the vendor gave it.")
    if not _KEY.fullmatch(key):
        mend = "Write it as the vendor gave it: 10 to 80 ASCII letters, digits and signs, no blanks."
        raise BadCell("it does not look like a license key", mend)
    return key


def addons(cell: str) -> tuple[str, ...]:
    """Read add-on names separated by semicolons; an empty cell is none."""
    names = [name for name in cell.split(";") if name.strip(BLANKS)]
    if len(names) > MOST_ADDONS:
        raise BadCell(f"it names {len(names):,} add-ons", f"Write at most {MOST_ADDONS}.")
    return tuple(text(name) for name in names)


def day(cell: str) -> date:
    """Read a date written YYYY-MM-DD that exists."""
    if not cell.strip(BLANKS):
        raise BadCell("it is empty", "Write a date like 2027-08-31.")
    if not _DAY.fullmatch(cell):
        raise BadCell(f"{shown(cell)} is not written as a date", "Write year-month-day, like 2027-08-31.")
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise BadCell(f"there is no day {cell}", "Write a day that exists.") from None


def credit_minor(cell: str, currency: str) -> int:
    """Read an amount of the currency such as ``200.00`` in minor units (R11)."""
    try:
        return parse_minor(cell, currency)
    except NotMoney:
        example = plain(200 * 10 ** exponent(currency), currency)
        mend = f"Write it like {example}: no sign, no blanks, no letters, nothing between thousands."
        raise BadCell(f"{shown(cell)} is not an amount of {currency}", mend) from None


def paid_minor(cell: str, currency: str) -> int:
    """Read an amount that was paid, in minor units: as ``credit_minor``, but more than nothing (R19).

    An empty ``currency`` is one whose fault is known: the amount is not judged by it.
    """
    if not cell.strip(BLANKS):
        raise BadCell("it is empty", "Write exactly what was paid.")
    if not currency:
        return 0
    amount_minor = credit_minor(cell, currency)
    if not amount_minor:
        raise BadCell(f"{shown(cell)} is nothing", "Write exactly what was paid.")
    return amount_minor


def yes_or_no(cell: str) -> bool:
    """Read ``yes`` or ``no``."""
    answer = cell.strip(BLANKS)
    if answer not in ("yes", "no"):
        raise BadCell(f"{shown(cell)} is neither yes nor no", "Write yes or no, or leave it empty for no.")
    return answer == "yes"


def card_token(cell: str) -> str:
    """Read the payment provider's token of a saved card; a card's number is refused."""
    token = cell.strip(BLANKS)
    if _CARD_NUMBER.fullmatch(token):
        mend = "Delete it; write the payment provider's token, like pm_card_visa, or nothing."
        raise BadCell("it looks like a card's number, which must not be in a file", mend)
    if not _TOKEN.fullmatch(token):
        mend = "Write the payment provider's token, like pm_card_visa, or nothing."
        raise BadCell("it is not a card's token", mend)
    return token
