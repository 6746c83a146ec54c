"""The last day to cancel, as a file for the reader's own calendar, with a reminder some days before."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from fastapi import APIRouter
from icalendar import Alarm, Calendar, Event
from starlette.exceptions import HTTPException
from starlette.responses import Response

from db.life import life_of
from domain.local_time import in_words
from domain.messages import Life, State
from portal.customer.owned import Theirs
from portal.means import Given

REMINDED_BEFORE = timedelta(days=3)

router = APIRouter()


@router.get("/subscriptions/{subscription_id}/cancel-by.ics")
async def cancel_by(subscription_id: str, means: Given, held: Theirs) -> Response:
    """A day in the calendar; 404 when there is no renewal to be cancelled."""
    life = life_of(held, means.policy)
    if life.state != State.ACTIVE:
        raise HTTPException(404)
    link = f"{means.portal_url}/subscriptions/{subscription_id}"
    return Response(
        calendar_file(life, link, means.business, means.now()),
        media_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="cancel-by-{life.plan.cancel_by}.ics"'},
    )


def calendar_file(life: Life, link: str, business: str, made_at: datetime) -> bytes:
    """RFC 5545: one day-long event whose id stays the same, so that a newer file replaces it."""
    day: date = life.plan.cancel_by
    event = Event()
    event.add("uid", f"cancel-by/{life.subscription_id}/{life.term.expires_on}@evergreen")
    event.add("dtstamp", made_at)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", f"Last day to cancel {life.product}")
    event.add(
        "description",
        f"It renews on {in_words(life.plan.renews_on)} unless it is cancelled by the end of this day. {link}",
    )
    event.add("url", link)
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"Last day to cancel {life.product} is {in_words(day)}")
    alarm.add("trigger", -REMINDED_BEFORE)
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", f"-//{business}//Evergreen//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
