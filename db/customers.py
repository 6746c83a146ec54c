"""Customers: finding one."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.customer import Customer


class UnknownCustomer(LookupError):
    """No customer has this id or e-mail address."""


async def find(session: AsyncSession, text: str) -> Customer:
    """The customer of this id or e-mail address. Raises UnknownCustomer."""
    query = select(Customer).where(or_(Customer.id == text, Customer.email == text.strip().lower()))
    found = (await session.scalars(query)).one_or_none()
    if found is None:
        raise UnknownCustomer("there is no such customer: give an id (cus_…) or the e-mail address we know")
    return found
