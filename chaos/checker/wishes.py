"""What customers asked for, and what must come of it by the rules (R2, R3, R7–R10): which terms are to be renewed.

A request came at some instant between two looks at its workflow's clock. Where a boundary lies between the two, either
side of it is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, product

from chaos.checker import dates
from chaos.checker.case import Case
from chaos.checker.violation import Violation

LATE = timedelta(days=31)
SLACK = timedelta(seconds=5)
"""So much may our look at the clock differ from the server's own."""


@dataclass(frozen=True)
class Wish:
    """One cancel or resume, and between which instants it came."""

    cancel: bool
    request_id: str
    earliest: datetime
    latest: datetime


def wishes(case: Case) -> list[Wish]:
    """What was asked while the workflow ran, each request once (R10), in turn."""
    found: list[Wish] = []
    known: set[str] = set()
    for act in case.acts:
        kind = act["kind"].removesuffix("_signal")
        if kind not in ("cancel", "resume", "button") or act["answer"]["outcome"] in (
            "ended",
            "refused",
            "failed",
        ):
            continue
        request_id = act["details"].get("request_id", "") if kind != "button" else ""
        if request_id and request_id in known:
            continue
        known.add(request_id)
        if kind == "resume" and lapsed(case, datetime.fromisoformat(act["begun"])):
            continue  # the term is over: it is refused, whether it was asked or signalled (R9)
        begun, ended = (datetime.fromisoformat(act[word]) for word in ("begun", "ended"))
        found.append(Wish(kind != "resume", request_id, begun, ended))
    return found


def lapsed(case: Case, at: datetime) -> bool:
    """Whether the instant lies in the month after a term that ended unpaid; it may be renewed late by then (R22)."""
    ends = (dates.ends_at(date.fromisoformat(line["key"].split("/")[2])) for line in case.lines("lapse"))
    return any(end <= at < end + LATE for end in ends)


def renewed_terms(case: Case) -> set[int]:
    """How many terms may have been renewed by now, were there always money: one answer, or several at a boundary."""
    asked = wishes(case)
    edges = [
        edge for expires_on in _terms(case) for edge in (dates.cut_off(expires_on), dates.ends_at(expires_on))
    ]
    choices = [
        (wish.earliest, wish.latest)
        if any(wish.earliest < edge <= wish.latest for edge in edges)
        else (wish.earliest,)
        for wish in asked
    ]
    return {
        count
        for instants in product(*choices)
        for count in _renewed(case, list(zip(instants, (wish.cancel for wish in asked), strict=True)))
    }


def _terms(case: Case) -> Iterator[date]:
    for expires_on in case.expiries():
        yield expires_on
        if case.reached is None and expires_on.year > 2100:
            return
        if case.due_on(expires_on) > (
            case.reached or case.due_on(date.fromisoformat(case.row["expires_on"]))
        ):
            return


def _renewed(case: Case, asked: list[tuple[datetime, bool]]) -> set[int]:
    """Go through the terms with the requests that came in each."""
    off = ends_after_next = False
    done = 0
    before: datetime | None = None
    for expires_on in case.expiries():
        cut_off, ends_at, due = dates.cut_off(expires_on), dates.ends_at(expires_on), case.due_on(expires_on)
        for at, cancel in asked:
            if at >= ends_at or (before is not None and at < before):
                continue
            if not cancel:
                off = ends_after_next = False
            elif not off and at < cut_off:
                off, ends_after_next = True, False
            elif not off:
                ends_after_next = True
        if off:
            return {done}
        if case.reached is not None and due > case.reached:
            return {done}
        done += 1
        off, ends_after_next = ends_after_next, False
        before = ends_at
        if case.reached is None and done > 3:
            return {done}
    return {done}


def check(case: Case) -> Iterator[Violation]:
    """Every request that got through was decided once, as of when it came (R3, R10)."""
    for wish in wishes(case):
        if not wish.request_id:
            continue
        kind = "cancel" if wish.cancel else "resume"
        made = [line for line in case.lines(kind) if line["details"]["request_id"] == wish.request_id]
        if len(made) != 1:
            yield Violation("cancel", case.id, f"{kind} {wish.request_id} was decided {len(made)} times")
            continue
        decision = made[0]["details"]
        received = datetime.fromisoformat(decision["received_at"])
        cut_off = dates.cut_off(_about(case, received))
        early = wish.earliest - received
        # When exactly it came is asked of the server only where a cut-off has passed since.
        cut_offs = (dates.cut_off(expires_on) for expires_on in islice(case.expiries(), 4))
        late = any(wish.latest + SLACK < passed <= received for passed in cut_offs)
        if early > SLACK or late:
            yield Violation(
                "cancel",
                case.id,
                f"{kind} {wish.request_id} counts as received at {received}, but came {wish.earliest} … {wish.latest}",
            )
        in_time = wish.latest < cut_off
        certain = (in_time or wish.earliest >= cut_off) and not lapsed(case, received)
        if wish.cancel and certain and decision["outcome"] == ("deferred" if in_time else "accepted"):
            yield Violation(
                "cancel",
                case.id,
                f"{kind} {wish.request_id} at {received} was {decision['outcome']}, cut-off {cut_off}",
            )


def _about(case: Case, at: datetime) -> date:
    """The expiry of the term in whose days the request came."""
    return next(expires_on for expires_on in case.expiries() if at < dates.ends_at(expires_on))
