"""How much one of the staff may give at once: support up to a limit, ops any amount."""

from __future__ import annotations

from domain.money import exponent, format_minor
from portal.means import Means
from portal.security.visits import StaffVisit


def refusal(means: Means, staff: StaffVisit, amount_minor: int, currency: str) -> str:
    """Why they may not give so much, and who may; empty when they may. Raises UnknownCurrency."""
    limit_minor = means.support_limit * 10 ** exponent(currency)
    if staff.is_ops or amount_minor <= limit_minor:
        return ""
    ops = " or ".join(sorted(email for email, role in means.staff.items() if role == "ops")) or "nobody yet"
    return (
        f"Support may give up to {format_minor(limit_minor, currency)} at once. Ask somebody of ops: {ops}."
    )
