"""Of the example book a few customers, with all of their licenses: every kind of row is among them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

Rows = list[dict[str, str]]


def sample(rows: Sequence[dict[str, str]]) -> Rows:
    """The rows of a few customers: next is always who brings the most that is new for the fewest licenses."""
    customers: defaultdict[str, Rows] = defaultdict(list)
    for row in rows:
        customers[row["customer_email"]].append(row)
    left = {email: _kinds(theirs) for email, theirs in customers.items()}
    taken: Rows = []
    known: set[tuple[str, str]] = set()
    while any(kinds - known for kinds in left.values()):
        email = max(left, key=lambda one: len(left[one] - known) / len(customers[one]))
        known |= left.pop(email)
        taken += customers[email]
    return taken


def _kinds(theirs: Rows) -> set[tuple[str, str]]:
    return {kind for row in theirs for kind in _kinds_of(row)} | {("licenses", str(len(theirs)))}


def _kinds_of(row: dict[str, str]) -> Iterator[tuple[str, str]]:
    credit = row["opening_credit"]
    yield from ((column, row[column]) for column in ("country", "currency", "previous_customer"))
    yield "product", f"{row['product']} {row['edition']}"
    yield from (("add-on", name) for name in row["addons"].split(";"))
    yield "renewal date", "its own" if row["renews_on"] else "by the rule"
    yield "credit", "none" if not credit else "nothing" if not float(credit) else "some"
    yield "card", f"{row['card_token']}, {'with' if credit else 'without'} credit"
