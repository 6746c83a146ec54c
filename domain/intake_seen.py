"""On which line of a file something stood first, so that a second one is told (R26)."""

from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(slots=True)
class Seen:
    """Remembers a digest of each text and its line, never the text: it may be a license key (R28)."""

    _line_by_digest: dict[int, int] = field(init=False, repr=False, default_factory=dict)

    def first_line(self, text: str, line: int) -> int:
        """Give the line on which the text was told before, or note that it is on this one."""
        # Eight bytes: for a million texts the odds of a mistake are one in thirty million.
        digest = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
        return self._line_by_digest.setdefault(digest, line)
