"""Up to when a cancellation stops the coming renewal (R2).

Only the dates; what a request is answered with is in ``decisions``.
"""

from datetime import date, datetime, timedelta

from domain.local_time import end_of


def cancel_by(expires_on: date, notice_days: int = 15) -> date:
    """Tell the last local day to stop the coming renewal (R2): 2027-08-31 gives 2027-08-16."""
    return expires_on - timedelta(days=notice_days)


def cancel_until(expires_on: date, zone: str = "Europe/London", notice_days: int = 15) -> datetime:
    """Tell the first instant, aware UTC, that is too late for it (R2): a local midnight, always."""
    return end_of(cancel_by(expires_on, notice_days), zone)
