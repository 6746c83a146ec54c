"""Whether the portal is ready: pages need PostgreSQL; without Temporal they still read, which is a warning only."""

from __future__ import annotations

from dataclasses import dataclass, field

from health import Check

NEEDED_TO_READ = {"postgresql"}


@dataclass
class Readiness:
    """Parts what is wrong into what makes the portal useless and what only hinders it."""

    look: Check
    _warnings: dict[str, str] = field(default_factory=dict)

    async def check(self) -> dict[str, str]:
        """What must be mended before pages can be shown."""
        wrong = await self.look()
        self._warnings = {part: why for part, why in wrong.items() if part not in NEEDED_TO_READ}
        return {part: why for part, why in wrong.items() if part in NEEDED_TO_READ}

    def warnings(self) -> dict[str, str]:
        """What did not answer at the last look, although pages read without it."""
        return self._warnings
