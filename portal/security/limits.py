"""How often is too often; counted in the database, so that it holds however many portals run."""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request

from db import rates
from db.rates import Rate
from portal.means import Means

ASK_ADDRESS = Rate("sign_in_link/address", 5, timedelta(minutes=15))
ASK_CLIENT = Rate("sign_in_link/client", 30, timedelta(minutes=15))
TRY_LINK = Rate("use_link/client", 60, timedelta(minutes=15))
REQUEST = Rate("request_form/client", 10, timedelta(hours=1))
CHANGE = Rate("change/person", 60, timedelta(minutes=1))
REVEAL = Rate("reveal/person", 30, timedelta(hours=1))


async def hold(means: Means, rate: Rate, who: str) -> None:
    """Count one more; raises 429, which says when to try again."""
    async with means.sessions.begin() as session:
        wait = await rates.count(session, rate, who, means.now())
    if wait is not None:
        seconds = math.ceil(wait.total_seconds())
        raise HTTPException(429, headers={"Retry-After": str(seconds)})


def client_of(request: Request) -> str:
    """Whoever is at the other end; of IPv6 the network, as one household has as many addresses as it likes."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network(f"{host}/64", strict=False))
