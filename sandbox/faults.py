"""Trouble that a sandbox makes when told to: which faults are set, whom they strike next.

Kept in memory: a restart heals. What kinds there are and what each does is the sandbox's own matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Generic, Protocol, Self, TypeVar


class Trouble(Protocol):
    """What a fault must tell; a pydantic model does, given these fields."""

    @property
    def kind(self) -> str:
        """What happens."""
        ...

    @property
    def times(self) -> int | None:
        """How often; None: until it is lifted."""
        ...

    @property
    def on(self) -> Set[str]:
        """The operations it strikes; none: those its kind strikes by itself."""
        ...

    @property
    def whom(self) -> str | None:
        """The only one it strikes; None: everyone."""
        ...

    def model_copy(self, *, update: Mapping[str, object]) -> Self:
        """The same with some fields changed."""
        ...


Fault = TypeVar("Fault", bound=Trouble)


class FaultBox(Generic[Fault]):
    """The faults that are set, oldest first; each strikes `times` times, or until it is lifted."""

    def __init__(self, strikes_on: Mapping[str, Set[str]]) -> None:
        """`strikes_on`: a kind of fault → the operations it strikes by itself."""
        self._strikes_on = strikes_on
        self._standing: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set a fault beside those that stand."""
        self._standing.append(fault)

    def clear(self, kind: str | None = None) -> None:
        """Lift the faults of a kind, or all."""
        self._standing = [fault for fault in self._standing if kind is not None and fault.kind != kind]

    def standing(self) -> list[Fault]:
        """What is still to come: `times` is what is left."""
        return list(self._standing)

    def take(self, kind: str, operation: str, whom: str | None) -> Fault | None:
        """The first fault of this kind that strikes here, used up once; None if there is none."""
        for index, fault in enumerate(self._standing):
            strikes = operation in (fault.on or self._strikes_on[kind])
            if fault.kind == kind and strikes and fault.whom in (None, whom):
                if fault.times == 1:
                    del self._standing[index]
                elif fault.times is not None:
                    self._standing[index] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None
