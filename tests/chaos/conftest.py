"""One world for the whole session, with portal and payment provider, and a worker in it."""

from __future__ import annotations

from tests.fixtures import own_worker, standing_worker, world_with_money  # noqa: F401  (found here)
