"""What a seed makes: a book of licenses, who pays how, and what people do in the year. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
LENGTH = timedelta(days=400)
"""Longer than a year: every license falls due once, the earliest twice."""

ENCORE = 8
"""Licenses of one encore: more than the kinds of trouble that a reply can have."""

COUNTRIES = {"GB": "GBP", "JE": "GBP", "IE": "EUR", "DE": "EUR", "US": "USD", "JP": "JPY"}
PLENTY = {"GBP": "20000.00", "EUR": "20000.00", "USD": "20000.00", "JPY": "3000000"}
A_LITTLE = {"GBP": "50.00", "EUR": "50.00", "USD": "50.00", "JPY": "7000"}
PRODUCTS = (
    ("SmarterMail", "Professional", ("250", "500", "1000"), ("Message Sniffer",)),
    ("SmarterMail", "Enterprise", ("250", "500"), ("Message Sniffer", "Exchange ActiveSync", "MAPI & EWS")),
    ("SmarterTrack", "Professional", ("2", "5", "10"), ()),
    ("SmarterStats", "Professional", ("50", "250"), ()),
)
PAYERS = {"credit": 5, "card": 5, "partly": 4, "soft": 2, "hard": 2, "nothing": 2}
"""How a customer pays, and how many do."""

CARDS = {
    "card": "pm_card_visa",
    "partly": "pm_card_mastercard",
    "soft": "pm_card_chargeCustomerFail",
    "hard": "pm_card_chargeDeclinedStolenCard",
}
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Act:
    """Something that is done to one subscription when its own clock shows `at`."""

    kind: str
    at: str
    """ISO, UTC."""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def instant(self) -> datetime:
        """When."""
        return datetime.fromisoformat(self.at)


@dataclass(frozen=True)
class License:
    """One row of an import file, how its customer pays, and what is done to it."""

    email: str
    country: str
    currency: str
    key: str
    product: str
    edition: str
    size: str
    addons: tuple[str, ...]
    expires_on: str
    renews_on: str
    payer: str
    previous_customer: bool
    acts: tuple[Act, ...]

    @property
    def opening_credit(self) -> str:
        """As an import file writes it."""
        return {"credit": PLENTY, "partly": A_LITTLE}.get(self.payer, {}).get(self.currency, "")

    @property
    def card_token(self) -> str:
        """The card that the import brings along; empty for none."""
        return CARDS.get(self.payer, "")

    def as_document(self) -> dict[str, Any]:
        """What the traffic log tells of it."""
        return asdict(self) | {"opening_credit": self.opening_credit, "card_token": self.card_token}


@dataclass(frozen=True)
class Plan:
    """Everything that a run will do, but the faults."""

    seed: int
    began_at: datetime
    first: tuple[License, ...]
    """Imported before anything else happens."""
    second: tuple[License, ...]
    """Imported half-way, from a file that has rows of the first in it too."""

    @property
    def until(self) -> datetime:
        """To where each clock is moved in the end."""
        return self.began_at + LENGTH


def plan(seed: int, subscriptions: int, began_at: datetime) -> Plan:
    """The plan of a seed; dates are counted from `began_at`, so a run that goes on must be given the first one's."""
    dice = random.Random(seed)
    licenses = list(_licenses(dice, subscriptions, began_at))
    later = max(1, subscriptions // 10)
    return Plan(seed, began_at, tuple(licenses[:-later]), tuple(licenses[-later:]))


def encore(made: Plan, number: int) -> tuple[License, ...]:
    """More licenses, which a card pays for and to which nothing is done: each is charged and updated once."""
    dice = random.Random(f"{made.seed}, {number}")
    endings = {one.key[-4:] for one in (*made.first, *made.second)}
    return tuple(
        replace(
            _license(
                dice,
                f"customer-{90_000 + number * ENCORE + one:05d}@chaos.example",
                "GB",
                "card",
                made.began_at.date() + dice.randint(70, 385) * DAY,
                1,
                made.began_at,
                endings,
            ),
            acts=(),
        )
        for one in range(ENCORE)
    )


def _licenses(dice: random.Random, subscriptions: int, began_at: datetime) -> Iterator[License]:
    endings: set[str] = set()
    made = 0
    while made < subscriptions:
        owner = f"customer-{made:05d}@chaos.example"
        country = dice.choice(list(COUNTRIES))
        payer = dice.choices(list(PAYERS), list(PAYERS.values()))[0]
        expires_on = began_at.date() + dice.randint(70, 385) * DAY
        held = min(dice.choice((1, 1, 1, 2, 3)), subscriptions - made)
        together = dice.random() < 0.5  # several licenses due at the same instant use the same credits
        for _ in range(held):
            yield _license(dice, owner, country, payer, expires_on, held, began_at, endings)
            made += 1
            if not together:
                expires_on = began_at.date() + dice.randint(18, 385) * DAY


def _license(
    dice: random.Random,
    email: str,
    country: str,
    payer: str,
    expires_on: date,
    held: int,
    began_at: datetime,
    endings: set[str],
) -> License:
    product, edition, sizes, addons = dice.choice(PRODUCTS)
    ending = _letters(dice, 4)
    while ending in endings:  # the last four tell the checker which license a row is about
        ending = _letters(dice, 4)
    endings.add(ending)
    renews_on = expires_on - dice.randint(0, 13) * DAY if dice.random() < 0.2 else None
    bought = tuple(addon for addon in addons if dice.random() < 0.3)
    acts = [*_wishes(dice, expires_on), *_support(dice, expires_on)]
    if held == 1:
        acts += _money(dice, payer, expires_on)
    left = [addon for addon in addons if addon not in bought]
    if left and dice.random() < 0.4:
        instant = _noon(expires_on - dice.randint(1, 80) * DAY)
        kind = dice.choice(("addons", "addons_signal"))
        acts.append(_act(kind, instant, addons=[dice.choice(left)], request_id=_request(dice)))
    soonest = began_at + timedelta(hours=1)
    return License(
        email=email,
        country=country,
        currency=COUNTRIES[country],
        key=f"CHAOS-{_letters(dice, 5)}-{_letters(dice, 5)}-{ending}",
        product=product,
        edition=edition,
        size=dice.choice(sizes),
        addons=bought,
        expires_on=str(expires_on),
        renews_on=str(renews_on or ""),
        payer=payer,
        previous_customer=dice.random() < 0.3,
        acts=tuple(sorted((act for act in acts if act.instant > soonest), key=lambda act: act.instant)),
    )


def _wishes(dice: random.Random, expires_on: date) -> Iterator[Act]:
    """Cancellations at random instants around the cut-off, resumptions after them, repeats."""
    if dice.random() < 0.45:
        return
    cut_off = _midnight(expires_on - 14 * DAY)
    for _ in range(dice.choice((1, 1, 2, 3))):
        about = dice.choice(("long before", "seconds", "minutes", "late", "after"))
        away = {
            "long before": timedelta(days=dice.uniform(-30, -1)),
            "seconds": timedelta(seconds=dice.uniform(-20, 20)),
            "minutes": timedelta(minutes=dice.uniform(-90, 90)),
            "late": timedelta(days=dice.uniform(1, 13)),
            "after": timedelta(days=dice.uniform(14, 60)),
        }[about]
        at, request_id = cut_off + away, _request(dice)
        kind = dice.choice(("cancel", "cancel", "cancel_signal", "button"))
        yield _act(kind, at, request_id=request_id)
        if kind != "button" and dice.random() < 0.3:  # the same words again (R10)
            yield _act("cancel_signal", at + timedelta(minutes=dice.uniform(1, 600)), request_id=request_id)
        if dice.random() < 0.5:
            wish = dice.choice(("resume", "resume_signal"))
            yield _act(wish, at + timedelta(days=dice.uniform(0.01, 20)), request_id=_request(dice))


def _support(dice: random.Random, expires_on: date) -> Iterator[Act]:
    """What support types by hand, also wrongly."""
    for _ in range(dice.choice((0, 0, 1, 2))):
        at = _noon(expires_on - dice.randint(0, 60) * DAY)
        yield _act("typo", at, **dice.choice(TYPOS))


TYPOS: tuple[dict[str, Any], ...] = (
    {"signal": "cansel", "payloads": []},
    {"signal": "cancel", "payloads": [{"bye": "support:jo"}]},
    {"signal": "cancel", "payloads": ["please"]},
    {"signal": "resume", "payloads": [{}, {}]},
    {"signal": "add_addons", "payloads": [{"addons": []}]},
    {"signal": "add_addons", "payloads": [[[[]]]]},
    {"signal": "license_updated", "payloads": [{"update_id": "upd_none"}]},
    {"signal": "order_paid", "payloads": [{"order_id": 17}]},
    {"signal": "payment_changed", "payloads": [False]},
)


def _money(dice: random.Random, payer: str, expires_on: date) -> Iterator[Act]:
    """What becomes of a card that is declined, or of an empty account."""
    days = dice.choice((11, 8, 3, 1, -10))
    at = _noon(expires_on - days * DAY)
    if payer == "soft" and dice.random() < 0.7:
        yield _act("bank_relents", at)
    elif payer in ("hard", "soft") and dice.random() < 0.8:
        yield _act("new_card", at, card="pm_card_visa")
    elif payer == "nothing" and dice.random() < 0.7:
        yield _act(dice.choice(("grant", "new_card")), at, card="pm_card_visa", reference=_request(dice))


def _act(kind: str, at: datetime, **details: Any) -> Act:
    return Act(kind, at.astimezone(UTC).isoformat(), details)


def _letters(dice: random.Random, count: int) -> str:
    return "".join(dice.choices(LETTERS, k=count))


def _request(dice: random.Random) -> str:
    return f"chaos-{dice.getrandbits(48):012x}"


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), ZONE)
