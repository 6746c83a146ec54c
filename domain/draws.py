"""Chance that comes out the same every time: a draw for a name, from a seed."""

from hashlib import sha256

WHOLE_BP = 10_000


def drawn(seed: str, name: str, rate_bp: int) -> bool:
    """Whether the name is among those drawn at this rate, in basis points of all.

    Whoever is drawn at a rate is drawn at every higher one, so two forecasts differ by their rates alone.
    """
    number = int.from_bytes(sha256(f"{seed}/{name}".encode()).digest()[:8])
    return number % WHOLE_BP < rate_bp
