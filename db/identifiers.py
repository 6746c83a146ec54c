"""Identifiers of our rows: a readable prefix and a time-ordered random part.

Made here only, never in `domain/` or `workflows/`: they need the clock and dice.
"""

import secrets
import time
from datetime import UTC, datetime, timedelta

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no i, l, o or u to misread."""

LENGTH = 26
_RANDOM_BITS = 80
_BEGINNING, _MILLISECOND = datetime.fromtimestamp(0, UTC), timedelta(milliseconds=1)


def new_id(prefix: str) -> str:
    """`<prefix>_` and 26 characters: 48 bits of milliseconds since 1970, then 80 random bits.

    Later ids sort after earlier ones (to the millisecond), so new rows fall at the end of an index.
    """
    return _written(prefix, time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS))


def first_id(prefix: str, instant: datetime) -> str:
    """The least id that may be made at the instant, rounded down to the millisecond: where an index is entered."""
    return _written(prefix, (instant - _BEGINNING) // _MILLISECOND, 0)


def made_at(id: str) -> datetime:
    """When the id was made, by the clock of whoever made it; rounded down to the millisecond."""
    number = 0
    for digit in id[-LENGTH:]:
        number = number << 5 | ALPHABET.index(digit)
    return _BEGINNING + (number >> _RANDOM_BITS) * _MILLISECOND


def _written(prefix: str, milliseconds: int, dice: int) -> str:
    number = milliseconds << _RANDOM_BITS | dice
    digits = (ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
    return f"{prefix}_{''.join(digits)}"
