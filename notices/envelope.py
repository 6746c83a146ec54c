"""A letter as a mail: two parts, headers, and the one address it goes to. Pure: nothing is sent here."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from notices.letters import Letter


class NotAnAddress(ValueError):
    """The text is not exactly one e-mail address that a mail server can be given; it is not quoted here."""


def mail(
    letter: Letter,
    sender: Address,
    to: Address,
    notice_id: str,
    at: datetime,
    reply_to: Address | None = None,
) -> EmailMessage:
    """The mail; a repeat has the same words and the same Message-ID. `at` is aware."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = to
    if reply_to is not None:
        made["Reply-To"] = reply_to
    made["Subject"] = letter.subject
    made["Date"] = at
    made["Message-ID"] = message_id(notice_id, sender.domain)
    made["Auto-Submitted"] = "auto-generated"  # no out-of-office answers, please
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return made


def message_id(notice_id: str, domain: str) -> str:
    """The Message-ID of a notice: the same however often it is sent, so that a repeat can be recognized."""
    return f"<{notice_id}@{domain}>"


def address(text: str) -> Address:
    """The one address in the text, with its name if it has one: `Evergreen <renewals@example.com>`.

    Its domain is written in ASCII. Raises NotAnAddress.
    """
    try:
        (found,) = SMTP.header_factory("To", text).addresses
        domain = found.domain.encode("idna").decode()
    except (ValueError, IndexError):  # none or several, a line break, a domain that cannot be
        raise NotAnAddress("not one e-mail address") from None
    written = f"<{found.addr_spec}>" if found.display_name else found.addr_spec
    as_it_stands = text.isprintable() and text.endswith(written)  # the parser mends more than is good
    if not (as_it_stands and found.username and found.username.isascii() and domain):
        raise NotAnAddress("not one e-mail address")
    return Address(found.display_name, found.username, domain)
