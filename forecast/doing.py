"""What is done on the way of a forecast: events that are known, and customers who are assumed to leave."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from domain.foresight import Subject
from domain.messages import State
from forecast.actor import Actor
from forecast.events import Event, What
from forecast.turns import Act

CAN_CANCEL = (State.ACTIVE, State.COLLECTING, State.UPDATING)


def departures(leaving: Iterable[Subject], began_at: datetime) -> list[Event]:
    """The cancellations of customers who leave: each license on its cancel-by date, at once where that is past (R8)."""
    return [
        Event(max(one.cancel_by, began_at.date()), one.subscription_id, What.CANCEL)
        for one in leaving
        if one.auto_renew and one.state in CAN_CANCEL
    ]


def acts(
    events: Iterable[Event], subjects: Mapping[str, Subject], actor: Actor, zone: str, until: datetime
) -> Mapping[str, Sequence[Act]]:
    """Customer id → what is done to their subscriptions before the horizon; what is about others is left out."""
    found: defaultdict[str, list[Act]] = defaultdict(list)
    for event in events:
        subject, at = subjects.get(event.subscription_id), event.at(zone)
        if subject is not None and at < until:
            found[subject.customer_id].append(Act(at, partial(actor.do, event, at)))
    return found
