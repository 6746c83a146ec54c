"""How long there is to keep a promise, or since when it is broken, in words. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

SOON = timedelta(hours=4)


def left(promise_at: datetime, now: datetime) -> str:
    """Like `2 days 3 h left`, `45 min left`, `late by 1 h 5 min`."""
    if now >= promise_at:
        return f"late by {_span(now - promise_at)}"
    return f"{_span(promise_at - now)} left"


def tone(promise_at: datetime, now: datetime) -> str:
    """How it looks: `bad` when it is broken, `warning` when it soon will be."""
    if now >= promise_at:
        return "bad"
    return "warning" if promise_at - now <= SOON else "good"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} day{'s' if days > 1 else ''} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
