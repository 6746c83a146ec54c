"""One world for the whole session, with portal and payment provider, and a worker in it."""

from __future__ import annotations

from tests.fixtures import empty_world, own_worker, standing_worker  # noqa: F401  (found here)
