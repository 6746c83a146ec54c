"""Identifiers of our rows: a readable prefix and a time-ordered random part.

Made here only, never in `domain/` or `workflows/`: they need the clock and dice.
"""

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no i, l, o or u to misread."""

LENGTH = 26
_RANDOM_BITS = 80


def new_id(prefix: str) -> str:
    """`<prefix>_` and 26 characters: 48 bits of milliseconds since 1970, then 80 random bits.

    Later ids sort after earlier ones (to the millisecond), so new rows fall at the end of an index.
    """
    number = time.time_ns() // 1_000_000 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    digits = (ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
    return f"{prefix}_{''.join(digits)}"
