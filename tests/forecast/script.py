"""What people do in the year of a comparison: some of it before the forecast is made, some on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from db.subscriptions import Held
from domain.catalogue import Catalogue
from forecast.events import Event, What

DECLINING = "pm_card_chargeDeclined"
ENOUGH = {"JPY": "300000"}

Wanted = Callable[[Held], bool]
Done = tuple[int, What, str]
"""So many days before the expiry, or after it, when negative; what; with which value."""


@dataclass(frozen=True)
class Script:
    """Each scene goes to licenses of customers who are in no other."""

    before: tuple[Event, ...]
    """Done when the forecast is made."""
    on_the_way: tuple[Event, ...]

    @classmethod
    def of(cls, book: Sequence[Held], price_list: Catalogue, today: date, each: int) -> Script:
        """Cast every scene so many times. Raises LookupError when nobody is left for one."""
        casting = _Casting(sorted(book, key=_order), price_list, today, set())
        before = [event for scene in _BEFORE for event in casting.cast(scene, each, now=True)]
        on_the_way = [event for scene in _ON_THE_WAY for event in casting.cast(scene, each)]
        return cls(tuple(before), tuple(sorted(on_the_way, key=lambda event: event.on)))


def _pays(held: Held) -> bool:
    return held.customer.card_token not in (None, DECLINING)


def _declines(held: Held) -> bool:
    return held.customer.card_token == DECLINING


def _has_no_card(held: Held) -> bool:
    return held.customer.card_token is None


_BEFORE: tuple[tuple[Wanted, tuple[Done, ...]], ...] = (
    (_pays, ((0, What.CANCEL, ""),)),
    (_pays, ((0, What.ADDONS, "some"),)),
    (_has_no_card, ((0, What.GRANT, "some"),)),
)
_ON_THE_WAY: tuple[tuple[Wanted, tuple[Done, ...]], ...] = (
    (_declines, ((11, What.CARD, "pays"),)),
    (_has_no_card, ((-10, What.GRANT, "some"),)),  # it has lapsed, and renews late
    (_has_no_card, ((10, What.GRANT, "some"),)),  # it is collected at once
    (_pays, ((100, What.ADDONS, "some"),)),
    (_pays, ((15, What.CANCEL, ""),)),  # on the last day (R2)
    (_pays, ((10, What.CANCEL, ""),)),  # too late (R8)
    (_pays, ((40, What.CANCEL, ""), (20, What.RESUME, ""))),
    (_pays, ((30, What.CARD, "declines"),)),
)


@dataclass(frozen=True)
class _Casting:
    book: Sequence[Held]
    price_list: Catalogue
    today: date
    taken: set[str]

    def cast(
        self, scene: tuple[Wanted, tuple[Done, ...]], each: int, *, now: bool = False
    ) -> Iterator[Event]:
        wanted, done = scene
        needs_choice = any(what is What.ADDONS for _days, what, _value in done)
        for _number in range(each):
            for held in self.book:
                if held.customer.id not in self.taken and wanted(held) and self._in_time(held, done):
                    choice = self._choice(held)
                    if needs_choice and not choice:
                        continue
                    break
            else:
                raise LookupError(f"nobody is left for {done}")
            self.taken.add(held.customer.id)
            for days, what, value in done:
                on = self.today if now else held.subscription.expires_on - timedelta(days=days)
                if value == "some":
                    value = (
                        choice[0]
                        if what is What.ADDONS
                        else ENOUGH.get(held.subscription.currency, "2500.00")
                    )
                yield Event(on, held.subscription.id, what, value)

    def _in_time(self, held: Held, done: tuple[Done, ...]) -> bool:
        """Whether all of it lies in the year, and the notices of the term are still to come."""
        first, last = max(days for days, _what, _value in done), min(days for days, _what, _value in done)
        expires_on = held.subscription.expires_on
        return expires_on - timedelta(days=max(first, 20)) > self.today and expires_on - timedelta(
            days=last
        ) < self.today + timedelta(days=360)

    def _choice(self, held: Held) -> list[str]:
        item = held.item
        return self.price_list.available_addons(item.product, item.edition, item.size, item.addons)


def _order(held: Held) -> tuple[date, str]:
    return held.subscription.expires_on, held.customer.email
