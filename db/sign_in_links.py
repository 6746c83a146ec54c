"""Links that open the portal once: made for a person, used by whoever has the link. Wall time throughout.

The token is in the link only; what is kept is its digest. A link is used by one POST: looking at it changes nothing,
as programs that scan mails follow every link.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db import audit
from db.identifiers import new_id
from db.models.customer import Customer
from db.models.sign_in import SignInLink

GOOD_FOR = timedelta(minutes=15)
PATH = "/sign-in/link/"
"""The page of the portal that a link leads to; the token follows."""

DOUBLE_CLICK = timedelta(seconds=5)
_KEPT = timedelta(days=30)

Role = Literal["support", "ops"]


@dataclass(frozen=True)
class Person:
    """Who is meant: a customer by id, or one of the staff by address and role."""

    customer_id: str | None = None
    staff_email: str | None = None
    role: Role | None = None

    @property
    def kind(self) -> Literal["customer", "staff"]:
        """Which of the two."""
        return "staff" if self.customer_id is None else "customer"

    @property
    def by(self) -> str:
        """How what they do is signed (R29)."""
        return (
            f"{self.role}:{self.staff_email}" if self.customer_id is None else f"customer:{self.customer_id}"
        )


@dataclass(frozen=True)
class Issued:
    """A new link; the token is shown once, here."""

    id: str
    token: str
    lapses_at: datetime

    @property
    def path(self) -> str:
        """The link, without the portal's address."""
        return f"{PATH}{self.token}"


async def person_of(session: AsyncSession, email: str, staff: dict[str, Role]) -> Person | None:
    """Whose address this is; `staff` are the allowed addresses with their role. None: nobody's."""
    wanted = email.strip().lower()
    if (role := staff.get(wanted)) is not None:
        return Person(staff_email=wanted, role=role)
    found = (await session.scalars(select(Customer.id).where(Customer.email == wanted))).one_or_none()
    return None if found is None else Person(customer_id=found)


async def issue(session: AsyncSession, person: Person, now: datetime, onward: str = "") -> Issued:
    """Make a link for the person, good for a quarter of an hour; `onward` is the page that was wanted."""
    token = secrets.token_urlsafe(32)
    link = SignInLink(
        id=new_id("lnk"),
        token_digest=digest(token),
        person=person.kind,
        customer_id=person.customer_id,
        staff_email=person.staff_email,
        role=person.role,
        onward=onward,
        at=now,
        lapses_at=now + GOOD_FOR,
    )
    await session.execute(delete(SignInLink).where(SignInLink.lapses_at < now - _KEPT))
    session.add(link)
    return Issued(link.id, token, link.lapses_at)


async def usable(session: AsyncSession, token: str, now: datetime) -> SignInLink | None:
    """The link of this token, if it still opens anything; nothing changes."""
    query = select(SignInLink).where(
        SignInLink.token_digest == digest(token), SignInLink.used_at.is_(None), SignInLink.lapses_at > now
    )
    return (await session.scalars(query)).one_or_none()


async def use(session: AsyncSession, token: str, by: str, now: datetime) -> SignInLink | None:
    """Take the link: of several who try at once one gets it, the others and all later ones get None.

    `by` is the browser's own secret: the second half of its double click is answered as the first.
    """
    browser = digest(by)
    same_click = and_(SignInLink.used_by_digest == browser, SignInLink.used_at > now - DOUBLE_CLICK)
    take = (
        update(SignInLink)
        .where(
            SignInLink.token_digest == digest(token),
            or_(SignInLink.used_at.is_(None), same_click),
            SignInLink.lapses_at > now,
        )
        .values(used_at=now, used_by_digest=browser)
        .returning(SignInLink)
    )
    link = (await session.scalars(take)).one_or_none()
    if link is not None:
        person = whom(link)
        subject = person.customer_id or str(person.staff_email)
        await audit.record(session, actor=person.by, action="sign_in", subject=subject, at=now)
    return link


def whom(link: SignInLink) -> Person:
    """For whom the link was made."""
    role: Role | None = "ops" if link.role == "ops" else "support" if link.role else None
    return Person(link.customer_id, link.staff_email, role)


async def some_customer(session: AsyncSession) -> str | None:
    """The address of a customer who has something to see, for a demonstration; None without customers."""
    return await session.scalar(select(func.min(Customer.email)))


def digest(token: str) -> bytes:
    """What is kept of a token: it is random enough that a plain hash hides it."""
    return sha256(token.encode()).digest()
