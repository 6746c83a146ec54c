"""Accepting a request (R27), whoever of staff does it and where: each of its kinds in its own way."""

from __future__ import annotations

from db import request_decisions, requests
from db.requests import Listed
from reception.acceptance import Accepted, Choice, Desk, missing
from reception.accepted_changes import change
from reception.accepted_keys import add_key


async def accept(desk: Desk, request_id: str, choice: Choice) -> Accepted:
    """Decide it, once, and carry it out; whoever was interrupted accepts it again, which goes on with it.

    Raises UnknownRequest, RequestRefused, NotAccepted, Incomplete, NoWorker, RPCError.
    """
    async with desk.sessions() as session:
        listed = await requests.one(session, request_id)
    if request_decisions.is_concluded(listed.request):
        raise request_decisions.already(listed.request)
    if listed.request.kind == "add_key":
        return await add_key(desk, listed, choice)
    if listed.request.kind == "other":
        return await _answered(desk, listed, choice)
    return await change(desk, listed, choice)


async def _answered(desk: Desk, listed: Listed, choice: Choice) -> Accepted:
    found = listed.request
    if not choice.answer:
        raise missing("answer", "the customer waits for one", "Write it.")
    async with desk.sessions.begin() as session:
        await request_decisions.decide(session, found.id, "accepted", desk.by, desk.at, choice.answer)
        await request_decisions.conclude(session, found.id, {}, desk.at)
    return Accepted(found.id, found.kind, found.subscription_id)
