"""Which credit grants pay for an amount, and in which order (R18).

Not the ledger: nothing moves here. The grants are one customer's in one currency; the caller keeps them apart
(R17).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

GrantKind = Literal["promotional", "purchase"]

DEFAULT_PRIORITY = 50
"""Of 0 to 100; lower is used first (R18)."""


@dataclass(eq=False)
class NegativeAmount(ValueError):
    """Less than nothing cannot be paid with credits; a refund goes the other way (R20)."""

    amount_minor: int

    def __str__(self) -> str:
        return f"cannot use credits for {self.amount_minor} minor units: the amount must be 0 or more"


@dataclass(eq=False)
class GrantTwice(ValueError):
    """The same grant came twice, so its credit would be spent twice."""

    grant_id: UUID | str

    def __str__(self) -> str:
        return f"credit grant {self.grant_id} came twice: pass each grant once"


@dataclass(eq=False)
class GrantOutOfBounds(ValueError):
    """A grant's priority, rest or kind is none that R18 knows."""

    grant_id: UUID | str
    field: str
    value: object

    def __str__(self) -> str:
        return (
            f"credit grant {self.grant_id} has {self.field} {self.value!r}: "
            "priority is 0 to 100, remaining_minor 0 or more, kind 'promotional' or 'purchase'"
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """An amount put on a customer's account, and what is left of it in minor units.

    Usable through the end of ``expires_on``; ``None`` never expires. Raises ``GrantOutOfBounds``.
    """

    id: UUID | str
    kind: GrantKind
    remaining_minor: int
    priority: int = DEFAULT_PRIORITY
    expires_on: date | None = None
    created_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    bought_for: str | None = None
    """The subscription whose renewal was bought with it before the move (R19)."""

    def __post_init__(self) -> None:
        if self.kind not in ("promotional", "purchase"):
            raise GrantOutOfBounds(self.id, "kind", self.kind)
        if self.remaining_minor < 0:
            raise GrantOutOfBounds(self.id, "remaining_minor", self.remaining_minor)
        if not 0 <= self.priority <= 100:
            raise GrantOutOfBounds(self.id, "priority", self.priority)

    def usable(self, on: date) -> bool:
        """Tell whether there is something left and the day is not past the expiry date."""
        return self.remaining_minor > 0 and (self.expires_on is None or on <= self.expires_on)


@dataclass(frozen=True, slots=True)
class Use:
    """What one grant pays, in minor units, always more than 0: one ledger entry."""

    grant_id: UUID | str
    amount_minor: int


def allocate(grants: Iterable[Grant], amount_minor: int, on: date) -> list[Use]:
    """Choose which grants pay for the amount on the local day, in order of use; stops at what there is (R18).

    The same whatever order the grants come in. What the uses leave open is for the card. Raises
    ``NegativeAmount``, ``GrantTwice``.
    """
    if amount_minor < 0:
        raise NegativeAmount(amount_minor)
    uses: list[Use] = []
    seen: set[UUID | str] = set()
    for grant in sorted(grants, key=order_of_use):
        if grant.id in seen:
            raise GrantTwice(grant.id)
        seen.add(grant.id)
        used_minor = min(grant.remaining_minor, amount_minor) if grant.usable(on) else 0
        if used_minor:
            uses.append(Use(grant.id, used_minor))
            amount_minor -= used_minor
    return uses


def order_of_use(grant: Grant) -> tuple[int, date, bool, datetime, str]:
    """Sort key of R18: priority, earliest expiry (none last), promotional before purchase, oldest, id."""
    return (
        grant.priority,
        grant.expires_on or date.max,
        grant.kind != "promotional",
        grant.created_at,
        str(grant.id),
    )
