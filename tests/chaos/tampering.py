"""Ways to tamper with what a run left behind, each with the rule that must then not hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Evidence = dict[str, Any]


def another_renewal(evidence: Evidence) -> None:
    """The vendor renewed a license twice, under two references."""
    orders = evidence["vendor"]["orders"]
    renewal = _first(orders, kind="renewal")
    orders.append(renewal | {"reference": f"{renewal['reference']}x", "idempotency_key": "x"})


def a_renewal_is_missing(evidence: Evidence) -> None:
    """A license that was due and paid was never renewed, and nobody knows why."""
    renewed = {o["license_key"] for o in evidence["vendor"]["orders"] if o["kind"] == "renewal"}
    sure = [
        line
        for line in _lines(evidence, "license")
        if line["payer"] in ("credit", "card", "partly") and line["key"] in renewed
    ]
    key = sure[0]["key"]
    orders = evidence["vendor"]["orders"]
    evidence["vendor"]["orders"] = [o for o in orders if o["license_key"] != key]


def a_cancel_in_time_is_forgotten(evidence: Evidence) -> None:
    """Somebody who was renewed had asked in time not to be."""
    order = _first(evidence["vendor"]["orders"], kind="renewal")
    at = datetime.fromisoformat(order["from_expires_on"]).astimezone() - timedelta(days=40)
    evidence["traffic"].append(
        {
            "what": "done",
            "key": order["license_key"],
            "act": 99,
            "kind": "cancel",
            "details": {"request_id": "forgotten"},
            "begun": at.isoformat(),
            "ended": at.isoformat(),
            "answer": {"outcome": "accepted"},
        }
    )


def a_charge_is_doubled(evidence: Evidence) -> None:
    """The provider took the money twice under one key."""
    charges = evidence["payments"]["charges"]
    charges.append(_first(charges, status="succeeded") | {"id": "pi_again"})


def a_charge_under_another_key(evidence: Evidence) -> None:
    """The provider took money under a key that we do not have."""
    charges = evidence["payments"]["charges"]
    charges.append(_first(charges, status="succeeded") | {"id": "pi_other", "key": "other"})


def a_penny_is_missing(evidence: Evidence) -> None:
    """A movement does not sum to zero."""
    evidence["tables"]["entries"][0]["amount_minor"] += 1


def a_grant_is_overdrawn(evidence: Evidence) -> None:
    """More was used of a grant than was in it, and the books balance all the same."""
    grant = next(row for row in evidence["tables"]["accounts"] if row["kind"] == "grant")
    spent = grant["balance_minor"] + 1
    grant["balance_minor"] = -1
    movement = {"id": "mov_x", "key": "x", "kind": "use", "subject": "x", "entry_count": 2}
    evidence["tables"]["movements"].append(movement)
    entry = {"movement_id": "mov_x", "currency": grant["currency"]}
    evidence["tables"]["entries"] += [
        entry | {"account_id": grant["id"], "amount_minor": -spent},
        entry | {"account_id": f"revenue/{grant['currency']}", "amount_minor": spent},
    ]


def a_notice_is_written_twice(evidence: Evidence) -> None:
    """The same notice, as another row."""
    notices = evidence["tables"]["notices"]
    notices.append(notices[0] | {"id": "ntc_again"})


def a_letter_never_went_out(evidence: Evidence) -> None:
    """The mail server has not seen it."""
    evidence["mails"].pop()


def a_receipt_was_never_written(evidence: Evidence) -> None:
    """No row, no letter."""
    receipt = _first(evidence["tables"]["notices"], kind="receipt")
    evidence["tables"]["notices"].remove(receipt)
    evidence["mails"] = [mail for mail in evidence["mails"] if mail["notice"] != receipt["id"]]


def a_paid_order_is_left_lying(evidence: Evidence) -> None:
    """Paid, and nothing more."""
    order = _first(evidence["tables"]["orders"], state="fulfilled")
    order |= {"state": "paid", "fulfilled_at": None}


def a_promise_is_broken_in_silence(evidence: Evidence) -> None:
    """Done a week late, and nobody was told."""
    update = _first(evidence["tables"]["license_updates"], state="done")
    late = datetime.fromisoformat(update["promise_at"]) + timedelta(days=7)
    update["done_at"] = late.isoformat()


def a_promise_for_the_wrong_time(evidence: Evidence) -> None:
    """An hour early."""
    update = _first(evidence["tables"]["license_updates"], state="done")
    early = datetime.fromisoformat(update["promise_at"]) - timedelta(hours=1)
    update["promise_at"] = early.isoformat()


def a_row_of_the_import_is_lost(evidence: Evidence) -> None:
    """A license of the file that has no subscription."""
    evidence["traffic"].append(_lines(evidence, "license")[0] | {"key": "CHAOS-LOST"})


def a_mistyped_signal_vanishes(evidence: Evidence) -> None:
    """Nobody was told that it was not understood."""
    audit = evidence["tables"]["audit"]
    evidence["tables"]["audit"] = [line for line in audit if line["action"] != "refused_signal"]


WAYS: dict[Callable[[Evidence], None], str] = {
    another_renewal: "due",
    a_renewal_is_missing: "due",
    a_cancel_in_time_is_forgotten: "cancel",
    a_charge_is_doubled: "charge",
    a_charge_under_another_key: "charge",
    a_penny_is_missing: "ledger",
    a_grant_is_overdrawn: "grant",
    a_notice_is_written_twice: "notice",
    a_letter_never_went_out: "notice",
    a_receipt_was_never_written: "notice",
    a_paid_order_is_left_lying: "order",
    a_promise_is_broken_in_silence: "promise",
    a_promise_for_the_wrong_time: "promise",
    a_row_of_the_import_is_lost: "intake",
    a_mistyped_signal_vanishes: "signal",
}


def _first(rows: list[Evidence], **fields: str) -> Evidence:
    return next(row for row in rows if all(row[name] == value for name, value in fields.items()))


def _lines(evidence: Evidence, what: str) -> list[Evidence]:
    return [line for line in evidence["traffic"] if line["what"] == what]
