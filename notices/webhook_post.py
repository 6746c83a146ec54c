"""One event to one address, signed by the Standard Webhooks convention; says what came of it, tries once.

NotDelivered
└── Gone              410: the receiver wants no more
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx
from standardwebhooks import Webhook

from domain.announcements import NotAnEndpoint, check_endpoint

ANSWER_SECONDS: Final = 15.0
GONE: Final = 410


class NotDelivered(Exception):
    """The receiver did not take it; the text names no address."""


class Gone(NotDelivered):
    """The receiver says that it wants nothing more."""


@dataclass(frozen=True)
class WebhookPost:
    """The way out."""

    http: httpx.AsyncClient
    answer_seconds: float = ANSWER_SECONDS
    """For all of one delivery."""

    async def send(self, url: str, secret: str, event_id: str, body: bytes, now: datetime) -> None:
        """Send it; return when the receiver has answered 2xx, whose body nobody reads. Raises NotDelivered."""
        headers = {
            "content-type": "application/json",
            "user-agent": "evergreen-webhooks/1",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(event_id, now, body.decode()),
        }
        try:
            check_endpoint(url)
            async with asyncio.timeout(self.answer_seconds):
                request = self.http.build_request("POST", url, content=body, headers=headers)
                answer = await self.http.send(request, stream=True, follow_redirects=False)
                await answer.aclose()
        except NotAnEndpoint as wrong:
            raise NotDelivered(str(wrong)) from None
        except TimeoutError:
            raise NotDelivered(f"no answer within {self.answer_seconds:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL) as failed:
            raise NotDelivered(type(failed).__name__) from None
        if answer.status_code == GONE:
            raise Gone("410: the receiver wants nothing more")
        if not answer.is_success:
            moved = ", which is not followed" if answer.is_redirect else ""
            raise NotDelivered(f"answered {answer.status_code}{moved}")


def payload(kind: str, data: dict[str, Any], at: datetime) -> bytes:
    """The body: what happened, when, and what it says."""
    return json.dumps(
        {"type": kind, "timestamp": at.isoformat(), "data": data}, separators=(",", ":"), ensure_ascii=False
    ).encode()
