"""Chaos: a year of traffic on the real stack while it is broken in every way, and what must hold all the same."""
