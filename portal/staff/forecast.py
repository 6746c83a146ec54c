"""The forecast that was made last, as its own page: one file without scripts, and only its own style is let in."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from hashlib import sha256

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from forecast import shelf
from forecast.shelf import Kept
from portal.means import Given, Means
from portal.security.visits import Support

STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
NONE_KEPT = "No forecast is kept here. `evergreen forecast` makes one, where EVERGREEN_FORECAST_FOLDER says."

router = APIRouter(prefix="/staff/forecast")


async def latest(means: Means) -> Kept | None:
    """The forecast that was made last; None when none is kept."""
    return await asyncio.to_thread(shelf.latest, means.forecast_folder)


@router.get("")
async def page_of_it(staff: Support, means: Given) -> Response:
    """It as it was written."""
    kept = await latest(means)
    if kept is None:
        raise HTTPException(404, NONE_KEPT)
    text = await asyncio.to_thread(kept.page.read_text, encoding="utf-8")
    return HTMLResponse(text, headers={"Content-Security-Policy": policy_for(text)})


def policy_for(text: str) -> str:
    """Nothing but the page itself: each style sheet in it is let in by its digest, no script at all."""
    digests = [b64encode(sha256(style.encode()).digest()).decode() for style in STYLE.findall(text)]
    styles = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
