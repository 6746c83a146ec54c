"""Money: the provider's record, the invoices and the ledger say the same, to the penny (R17, R18, R20, R21, R25)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from chaos.checker.case import Cases
from chaos.checker.evidence import Evidence
from chaos.checker.violation import Violation


def check(cases: Cases) -> Iterator[Violation]:
    """Charges, then the ledger."""
    yield from _charges(cases)
    yield from _orders(cases)
    yield from _ledger(cases)


def _taken(cases: Cases) -> dict[str, int]:
    """Our key → what the provider took under it and did not give back."""
    net: defaultdict[str, int] = defaultdict(int)
    keys = {}
    for charge in cases.evidence["payments"]["charges"]:
        keys[charge["id"]] = charge["key"]
        if charge["status"] == "succeeded":
            net[charge["key"]] += charge["amount"]
    for refund in cases.evidence["payments"]["refunds"]:
        if refund["status"] == "succeeded":
            net[keys[refund["charge"]]] -= refund["amount"]
    return net


def _charges(cases: Cases) -> Iterator[Violation]:
    """Each key at most once, and only keys of ours; what we hold for taken was taken."""
    succeeded = [c for c in cases.evidence["payments"]["charges"] if c["status"] == "succeeded"]
    ours = {payment["key"]: payment for payment in cases.tables["payments"]}
    for key, times in Counter(charge["key"] for charge in succeeded).items():
        if times > 1:
            yield Violation("charge", str(key), f"taken {times} times")
    for charge in succeeded:
        payment = ours.get(charge["key"])
        said = (charge["amount"], charge["currency"], "succeeded")
        if payment is None or (payment["amount_minor"], payment["currency"], payment["status"]) != said:
            yield Violation("charge", charge["id"], f"the provider took {said}, we have {payment}")
    taken = {charge["key"] for charge in succeeded}
    for payment in cases.tables["payments"]:
        if payment["kind"] == "charge" and payment["status"] == "succeeded" and payment["key"] not in taken:
            yield Violation(
                "charge", payment["id"], f"we hold {payment['key']} for taken, the provider took nothing"
            )


def _orders(cases: Cases) -> Iterator[Violation]:
    """Card and credit together are the invoice of an order that is paid, and nothing of one that is not."""
    taken = _taken(cases)
    charges = cases.by("payments", "invoice_id")
    credits = _credits(cases)
    invoices = {
        invoice["order_id"]: invoice for invoice in cases.tables["invoices"] if invoice["kind"] == "invoice"
    }
    credited: Counter[str] = Counter()
    for paper in cases.tables["invoices"]:
        if paper["kind"] == "credit_note":
            credited[paper["corrects_id"]] += paper["total_minor"]
    for order in cases.tables["orders"]:
        invoice = invoices.get(order["id"])
        if invoice is None:
            yield Violation("charge", order["id"], "the order has no invoice")
            continue
        by_card = sum(taken[p["key"]] for p in charges[invoice["id"]] if p["kind"] == "charge")
        by_credit = credits[order["id"]]
        owed = invoice["total_minor"] + credited[invoice["id"]]
        if order["state"] in ("paid", "fulfilled") and by_card + by_credit != owed:
            yield Violation("charge", order["id"], f"owed {owed}, card paid {by_card} and credit {by_credit}")
        if order["state"] in ("void", "refunded") and (by_card or by_credit):
            yield Violation(
                "charge", order["id"], f"{order['state']}, yet card paid {by_card} and credit {by_credit}"
            )
        if order["state"] == "open" and by_card:
            yield Violation("charge", order["id"], f"card paid {by_card} and the order is still open")


def _credits(cases: Cases) -> Counter[str]:
    """Order → what credit grants have paid for it and did not get back."""
    subjects = {movement["id"]: movement["subject"] for movement in cases.tables["movements"]}
    used: Counter[str] = Counter()
    for entry in cases.tables["entries"]:
        if entry["account_id"].startswith("grant/"):
            used[subjects[entry["movement_id"]]] -= entry["amount_minor"]
    return used


def _ledger(cases: Cases) -> Iterator[Violation]:
    entries = cases.by("entries", "movement_id")
    for movement in cases.tables["movements"]:
        found = entries[movement["id"]]
        if len(found) != movement["entry_count"]:
            yield Violation("ledger", movement["id"], f"{len(found)} entries, not {movement['entry_count']}")
        for currency, total in _sums(found, "currency").items():
            if total:
                yield Violation("ledger", movement["id"], f"its entries sum to {total} {currency}")
    if len({movement["key"] for movement in cases.tables["movements"]}) != len(cases.tables["movements"]):
        yield Violation("ledger", "movements", "a key was used twice")
    balances = _sums(cases.tables["entries"], "account_id")
    for account in cases.tables["accounts"]:
        total = balances[account["id"]]
        if account["balance_minor"] is not None and account["balance_minor"] != total:
            yield Violation(
                "ledger", account["id"], f"balance {account['balance_minor']}, its entries sum to {total}"
            )
        if account["kind"] == "grant" and total < 0:
            yield Violation("grant", account["id"], f"{total} left")
        if account["kind"] == "invoice" and total > 0:
            yield Violation("ledger", account["id"], f"overpaid by {total}")
    yield from _card_account(cases, balances)


def _card_account(cases: Cases, balances: Counter[str]) -> Iterator[Violation]:
    """What the books say that cards paid is what the provider says."""
    currencies = {charge["key"]: charge["currency"] for charge in cases.evidence["payments"]["charges"]}
    at_provider: Counter[str] = Counter()
    for key, amount in _taken(cases).items():
        at_provider[currencies[key]] += amount
    for account in cases.tables["accounts"]:
        booked = -balances[account["id"]]
        if account["kind"] == "card" and booked != at_provider[account["currency"]]:
            found = (
                f"booked {booked} {account['currency']}, the provider has {at_provider[account['currency']]}"
            )
            yield Violation("ledger", account["id"], found)


def _sums(rows: list[Evidence], column: str) -> Counter[str]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row[column]] += row["amount_minor"]
    return totals
