"""How amounts, days, instants, keys and codes of ours read in a letter: the filters of the templates. Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from datetime import date, datetime
from typing import Final

from domain.local_time import in_words, require_aware, zone_info
from domain.money import format_minor

COLUMNS: Final = 76
LONGEST_NAME: Final = 80

REASONS: Final = {
    # why money is missing (R22)
    "NoCard": "Your credits do not cover the whole amount, and no card is saved on your account.",
    "NotEnoughCredit": "The credits on your account do not cover the whole amount.",
    "CardDeclined": "Your card was declined.",
    "CardDeclined:expired_card": "Your card has expired.",
    "CardDeclined:insufficient_funds": "Your card was declined: there is not enough money on it.",
    "CardDeclined:amount_too_small": "The amount is too small for a card; credit can pay it.",
    "CardDeclined:confirmation_withdrawn": "Your bank wanted you to confirm the payment, and it was not confirmed.",
    "ConfirmationNeeded": "Your bank wants you to confirm the payment.",
    "NotPaidInTime": "The renewal was not paid by the end of the term.",
    # why the vendor will not update the license (R23)
    "UnknownKey": "The vendor does not know the license key.",
    "RevokedKey": "The vendor has withdrawn the license key.",
    "OrderNotPossible": "The vendor does not sell this for the license.",
}
"""Codes of ours in a customer's words. Of `CardDeclined:<code>` the part before the colon will do: what else a card's
bank says of it (stolen, fraud) is not for a letter. A code that is not here is left out."""


WISHES: Final = {
    "add_key": "to look after a license key",
    "upgrade": "for a larger size or a higher edition",
    "downgrade": "for a smaller size or a lower edition",
    "other": "for something else",
}
"""What a request form asks for (R27), in words."""


def money(amount_minor: int, currency: str) -> str:
    """Minor units for a reader: `£1,200.00` (R11)."""
    return format_minor(amount_minor, currency)


def day(iso: str) -> str:
    """An ISO date for a reader: `31 August 2027`."""
    return in_words(date.fromisoformat(str(iso)))  # str: of a missing fact, it tells which


def moment(iso: str, zone: str) -> str:
    """An ISO instant for a reader, in the business's zone: `16 August 2027, 23:59`. Raises NaiveInstant."""
    local = require_aware(datetime.fromisoformat(str(iso))).astimezone(zone_info(zone))
    return f"{in_words(local.date())}, {local:%H:%M}"


def masked(last_four: str) -> str:
    """A license key as letters show it, never more of it than four characters (R28)."""
    return f"••••{last_four[-4:]}"


def reason(code: str) -> str:
    """A code of ours in a customer's words; nothing for one that has no words."""
    code = str(code)
    return REASONS.get(code) or REASONS.get(code.partition(":")[0], "")


def wish(request_kind: str) -> str:
    """What a request asks for, in words; a kind without words as it is."""
    return WISHES.get(str(request_kind), str(request_kind))


def asker(by: str) -> str:
    """Who asked, for the customer; an identity of one of our machines is nobody they know."""
    by = str(by)
    if by.partition(":")[0] == "customer":
        return "you"
    return by if by.startswith(("support:", "staff:")) else "our staff"


def web(url: str) -> str:
    """The address, if it is one of the web. Raises ValueError for any other: it will be clicked on."""
    if not url.startswith(("https://", "http://")) or any(mark.isspace() for mark in url):
        raise ValueError("a link in a letter must be an address of the web")
    return url


def flowing(text: str) -> str:
    """A paragraph of plain text in lines that every mail program shows whole; addresses are never broken."""
    return textwrap.fill(" ".join(text.split()), COLUMNS, break_long_words=False, break_on_hyphens=False)


def one_line(text: str) -> str:
    """The text without line breaks and invisible characters, fit for a subject and a salutation."""
    visible = (" " if mark.isspace() else mark for mark in text)
    kept = (mark for mark in visible if unicodedata.category(mark)[0] != "C")
    return " ".join("".join(kept).split())


def name(text: str) -> str:
    """A person's name as we write it, on one line and not endless."""
    line = one_line(text)
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
