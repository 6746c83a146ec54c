"""How Stripe's SDK reaches Stripe: over our own HTTP client, in bounded time, without trying again."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import stripe

ALONE = {"Connection": "close"}


class Transport(stripe.HTTPClient):
    """The SDK's HTTP, on an httpx client that is the caller's: it opens and closes it.

    The SDK's own httpx client bounds each step instead of the whole call, an answer that drips would never end,
    and it cannot share a connection pool.

    Each question has a connection of its own. On one that is kept, a reply that comes twice would be read as the answer
    to the next question; not every answer of Stripe's says what it is about.
    """

    name = "httpx"

    def __init__(self, client: httpx.AsyncClient, timeout_seconds: float) -> None:
        super().__init__()
        self._client = client
        self._timeout_seconds = timeout_seconds

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[bytes, int, httpx.Headers]:
        """Body, status and headers of the answer. Raises stripe.APIConnectionError, as the SDK expects."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.request(
                    method, url, headers={**(headers or {}), **ALONE}, content=post_data, timeout=None
                )
        except TimeoutError:
            raise _unreachable(f"no answer within {self._timeout_seconds:g} s") from None
        except httpx.HTTPError as error:
            raise _unreachable(f"cannot be reached ({type(error).__name__})") from error
        return response.content, response.status_code, response.headers


def _unreachable(text: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(text)  # type: ignore[no-untyped-call]  # the SDK's errors have no types


def stripe_client(
    key: str, http: httpx.AsyncClient, timeout_seconds: float, api_base: str | None = None
) -> stripe.StripeClient:
    """Stripe's SDK for one secret key; `timeout_seconds` bounds each call. None: Stripe's own address.

    Raises ValueError for a key that cannot be sent: httpx would print it in its own error.
    """
    if not (key and key.isascii() and key.isprintable()):
        raise ValueError("the Stripe key is empty or holds characters that a header cannot")
    stripe.enable_telemetry = (
        False  # else the SDK tells Stripe about this machine, by an id it keeps in our home
    )
    return stripe.StripeClient(
        key,
        base_addresses={"api": api_base.rstrip("/")} if api_base else {},
        http_client=Transport(http, timeout_seconds),
        max_network_retries=0,  # Temporal tries again, after it has looked (R25)
    )
