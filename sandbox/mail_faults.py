"""The mail sandbox's troubles: which are set, whom they strike next. Kept in memory: a restart heals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FaultKind = Literal["refuse", "bounce", "slow", "lose_reply", "down"]


class Fault(BaseModel):
    """Trouble to make."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    times: Annotated[int, Field(ge=1, description="how often; without it until lifted")] | None = None
    address: Annotated[str, Field(description="only for this recipient; not for `down`")] | None = None
    code: Annotated[int, Field(ge=400, le=599, description="of `refuse` and `bounce`")] | None = None
    seconds: Annotated[float, Field(ge=0, le=600, description="of `slow`")] = 2.0


class Faults:
    """The faults that are set, oldest first; each strikes `times` times, or until it is lifted."""

    def __init__(self) -> None:
        self._standing: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set a fault beside those that stand."""
        self._standing.append(fault)

    def clear(self, kind: FaultKind | None = None) -> None:
        """Lift the faults of a kind, or all."""
        self._standing = [fault for fault in self._standing if kind is not None and fault.kind != kind]

    def standing(self) -> list[Fault]:
        """What is still to come: `times` is what is left."""
        return list(self._standing)

    def take(self, kind: FaultKind, *recipients: str) -> Fault | None:
        """The first fault of this kind that strikes here, used up once; None if there is none."""
        addresses = {recipient.lower() for recipient in recipients}
        for index, fault in enumerate(self._standing):
            if fault.kind == kind and (fault.address is None or fault.address.lower() in addresses):
                if fault.times == 1:
                    del self._standing[index]
                elif fault.times is not None:
                    self._standing[index] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None
