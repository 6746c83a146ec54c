"""Notices: each at most once, each that is required, and each at its reader's (R6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from chaos.checker import dates, wishes
from chaos.checker.case import Case, Cases
from chaos.checker.evidence import Evidence
from chaos.checker.violation import Violation

REMINDED = (60, 30, 16)
STAFF = "support@evergreen.example"
MARGIN = timedelta(hours=1)


def check(cases: Cases) -> Iterator[Violation]:
    """The outbox, the mail server's record, and what each story requires."""
    yield from _once(cases)
    yield from _sent(cases)
    told = cases.by("notices", "subscription_id")
    began = datetime.fromisoformat(cases.lines("plan")[0]["began_at"])
    later = {line["key"] for line in cases.lines("license") if line["name"] != "first"}
    for case in cases.all:
        for kind, term, subject in _required(case, None if case.key in later else began):
            if not any(_is(notice, kind, term, subject) for notice in told[case.id]):
                yield Violation(
                    "notice", case.id, f"{kind} of the term to {term} was never written {subject}"
                )


def repeated_mails(cases: Cases) -> int:
    """Mails that came again under the same id: a sender died between the server's yes and its own note of it."""
    counts = Counter(mail["notice"] for mail in cases.evidence["mails"])
    return sum(times - 1 for times in counts.values())


def _once(cases: Cases) -> Iterator[Violation]:
    columns = ("subscription_id", "term_expires_on", "kind", "subject", "audience")
    counts = Counter(tuple(notice[column] for column in columns) for notice in cases.tables["notices"])
    for which, times in counts.items():
        if times > 1:
            yield Violation("notice", str(which[0]), f"{which[2]} of {which[1]} was written {times} times")


def _sent(cases: Cases) -> Iterator[Violation]:
    addresses = {customer["id"]: customer["email"] for customer in cases.tables["customers"]}
    arrived: dict[str, list[str]] = {}
    for mail in cases.evidence["mails"]:
        arrived.setdefault(mail["notice"], []).extend(mail["to"])
    ours = set()
    for notice in cases.tables["notices"]:
        ours.add(notice["id"])
        to = STAFF if notice["audience"] == "staff" else addresses[notice["customer_id"]]
        if notice["id"] not in arrived:
            yield Violation("notice", notice["id"], f"{notice['kind']} never came to the mail server")
        elif set(arrived[notice["id"]]) != {to}:
            yield Violation(
                "notice", notice["id"], f"{notice['kind']} went to {arrived[notice['id']]}, not to {to}"
            )
        elif notice["sent_at"] is None:
            yield Violation("notice", notice["id"], f"{notice['kind']} has come and is held for unsent")
    for stranger in arrived.keys() - ours:
        yield Violation("notice", stranger, "a mail that tells of no notice")


def _is(notice: Evidence, kind: str, term: date | None, subject: str) -> bool:
    return (
        notice["kind"] == kind
        and (term is None or notice["term_expires_on"] == str(term))
        and (not subject or notice["subject"] == subject)
    )


def _required(case: Case, began: datetime | None) -> Iterator[tuple[str, date | None, str]]:
    """Kind, term and subject of each notice that the story must have led to."""
    for order in case.orders:
        if order["kind"] == "renewal":
            old = date.fromisoformat(order["key"].split("/")[1])
            yield "renewal_fixed", old, ""
            if order["state"] == "fulfilled":
                yield "license_updated", old, ""
        if order["state"] == "fulfilled":
            yield "receipt", None, order["id"]
            if order["kind"] == "addon":
                yield "license_updated", None, order["id"]
    for line in (*case.lines("cancel"), *case.lines("resume")):
        decision = line["details"]
        if decision["outcome"] != "no_change":
            yield f"{line['action']}_{decision['outcome']}", None, decision["request_id"]
    for line in case.lines("lapse"):
        yield "lapsed", date.fromisoformat(line["key"].split("/")[2]), ""
    if case.subscription["state"] == "expired":
        yield "expired", date.fromisoformat(case.subscription["expires_on"]), ""
    yield from _reminders(case, began)


def _reminders(case: Case, began: datetime | None) -> Iterator[tuple[str, date | None, str]]:
    """For a story in which nobody ever asked for anything: the others may have been off at the time."""
    if wishes.wishes(case) or began is None or case.reached is None:
        return
    for expires_on in case.expiries():
        for days in REMINDED:
            at = dates.local(expires_on - timedelta(days=days), time(9))
            if at > case.reached - MARGIN:
                return
            starts_at = began if str(expires_on) == case.row["expires_on"] else at
            if at > starts_at + MARGIN or starts_at is at:
                yield f"reminder_{days}", expires_on, ""
        if str(expires_on) >= case.subscription["expires_on"]:
            return
