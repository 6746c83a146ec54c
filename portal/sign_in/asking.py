"""Asking for a link to sign in. Nobody learns whether an address is known: the answer is the same, and it is given
before anybody has looked."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from fastapi import APIRouter, BackgroundTasks, Request
from starlette.responses import Response

from db import notices, sign_in_links
from db.sign_in_links import Issued, Person
from notices.sealed import sealed
from portal.means import Given, Means
from portal.pages.rendering import page, seen_next
from portal.security import limits
from portal.security.forms import Form
from portal.security.visits import Visiting, is_own_path

LONGEST_ADDRESS = 254

router = APIRouter()
log = structlog.get_logger("portal.sign_in")


@dataclass(frozen=True)
class AskPage:
    """The model of `sign_in/ask.html`."""

    onward: str
    email: str = ""
    mistake: str = ""
    staff_door: bool = False
    """Staff may also sign in with the identity provider."""


@dataclass(frozen=True)
class AskedPage:
    """The model of `sign_in/asked.html`."""

    email: str


@router.get("/sign-in")
async def ask(request: Request, visit: Visiting, means: Given, onward: str = "") -> Response:
    """The form; whoever is signed in already goes on."""
    wanted = onward if is_own_path(onward) else ""
    if visit.signed_in is not None:
        return seen_next(wanted or "/")
    return page(request, "sign_in/ask.html", AskPage(wanted, staff_door=means.identity_provider is not None))


@router.post("/sign-in")
async def asked(
    request: Request, form: Form, visit: Visiting, means: Given, afterwards: BackgroundTasks
) -> Response:
    """Say that a letter is on its way if the address is known; only then look, and send it."""
    email = form.text("email", LONGEST_ADDRESS + 1).lower()
    onward = form.text("onward")
    onward = onward if is_own_path(onward) else ""
    if not _looks_like_an_address(email):
        mistake = "Write the e-mail address under which we know you, like jo@example.com."
        return page(
            request,
            "sign_in/ask.html",
            AskPage(onward, email, mistake, means.identity_provider is not None),
            status=422,
        )
    await limits.hold(means, limits.ASK_CLIENT, limits.client_of(request))
    await limits.hold(means, limits.ASK_ADDRESS, email)
    afterwards.add_task(send_link, means, email, onward)
    answer = page(request, "sign_in/asked.html", AskedPage(email))
    answer.background = afterwards
    return answer


async def send_link(means: Means, email: str, onward: str = "") -> None:
    """Mail a link to whoever has this address, if anybody; the answer is out already, so a failure is only logged."""
    now = means.now()
    try:
        async with means.sessions.begin() as session:
            person = await sign_in_links.person_of(session, email, means.staff)
            if person is None:
                return
            issued = await sign_in_links.issue(session, person, now, onward)
            await notices.tell(
                session,
                kind="sign_in",
                customer_id=person.customer_id,
                audience="customer" if person.customer_id else "staff",
                to_email=person.staff_email,
                subject=issued.id,
                facts=letter_facts(means, person, issued),
                at=now,
            )
    except Exception as failed:
        log.error("a link to sign in was not sent", failure=type(failed).__name__)


def letter_facts(means: Means, person: Person, issued: Issued) -> dict[str, object]:
    """What the letter says; the link itself lies sealed in the outbox, for it opens an account."""
    return {
        **sealed(means.key_ring, issued.id, {"sign_in_url": f"{means.portal_url}{issued.path}"}),
        "lapses_at": issued.lapses_at.isoformat(),
        "role": person.role,
    }


def _looks_like_an_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    whole = bool(local and at and domain) and len(text) <= LONGEST_ADDRESS
    return whole and text.isprintable() and not any(mark.isspace() for mark in text)
