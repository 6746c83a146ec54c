"""Making a page: a model with plain values, a template, and the frame around them.

    return page(request, "customer/subscription.html", model)
    return page(request, "confirm.html", Confirm(...), status=409)

In a template `page` is the model and `frame` what is around it. A value that is not there is an error, not a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from db import portal_sessions
from portal.means import Means
from portal.pages import assets, navigation
from portal.pages.navigation import Place
from portal.pages.words import FILTERS
from portal.security import cookies
from portal.security.visits import Visit

TEMPLATES: Final = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True)
class Frame:
    """What is around a page's own matter."""

    business: str
    zone: str
    visitor: str
    """Whoever is signed in; empty: nobody."""
    visitor_email: str
    role: str
    """Of staff; empty: a customer or nobody."""
    places: tuple[Place, ...]
    here: str
    form_token: str
    flashes: tuple[dict[str, Any], ...]


def page(
    request: Request, template: str, model: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """The page as an answer. The model's class says what the template may use."""
    means: Means = request.app.state.means
    visit: Visit | None = getattr(request.state, "visit", None)
    text = _environment.get_template(template).render(page=model, frame=_frame(request, means, visit))
    response = HTMLResponse(text, status, headers)
    if visit is not None and visit.is_new:
        cookies.keep(response, cookies.VISITOR, visit.secret, means)
    return response


def seen_next(path: str) -> Response:
    """After a form: go on to a page, so that loading it again sends nothing again."""
    return RedirectResponse(path, status_code=303)


async def flash(means: Means, visit: Visit, text: str, tone: str = "good", detail: str = "") -> None:
    """Have the visitor's next page say this at its top; `tone` is good, warning or bad."""
    message = {"text": text, "tone": tone, "detail": detail}
    async with means.sessions.begin() as session:
        await portal_sessions.flash(session, visit.secret, message)


def _frame(request: Request, means: Means, visit: Visit | None) -> Frame:
    someone = visit.signed_in if visit else None
    among = navigation.places(visit)
    return Frame(
        business=means.business,
        zone=means.zone,
        visitor=someone.name if someone else "",
        visitor_email=someone.email if someone else "",
        role=(someone.person.role or "") if someone else "",
        places=among,
        here=navigation.current(request.url.path, among),
        form_token=visit.form_token if visit else "",
        flashes=tuple(visit.flashes) if visit else (),
    )


_environment: Final = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= FILTERS
_environment.globals["asset"] = assets.address
