"""How much the codec's door takes at a time, and how often it is knocked at in vain."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

LARGEST_BODY_BYTES = 8 * 2**20
"""A page of a history, in base64: the server itself hands out at most four megabytes at a time."""

MOST_PAYLOADS = 5_000
MOST_REFUSALS = 30
"""So many refused requests an address may make in a window; a page of the UI makes dozens at once."""

WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000


class TooLarge(Exception):
    """The body is larger than is taken."""


@dataclass
class Tries:
    """Counts refused requests by address, for one process and in bounded memory."""

    clock: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def left(self, address: str) -> bool:
        """Whether the address may try once more."""
        began, refused = self._seen.get(address, (0.0, 0))
        return refused < MOST_REFUSALS or self.clock() - began >= WINDOW_SECONDS

    def note(self, address: str) -> None:
        """One request of the address was refused."""
        now = self.clock()
        began, refused = self._seen.pop(address, (now, 0))
        self._seen[address] = (began, refused + 1) if now - began < WINDOW_SECONDS else (now, 1)
        if len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)


async def body_of(request: Request) -> bytes:
    """The body, read no further than it may be long. Raises TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY_BYTES:
            raise TooLarge
    return bytes(body)
