"""What may be sent to the sandbox vendor: the forms of its contract and of its controls."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
# A set, always written the same.
Names = Annotated[frozenset[Text], PlainSerializer(sorted, return_type=list[str])]
Operation = Literal["lookup", "order", "find"]
FaultKind = Literal["slow", "down", "fail", "rate_limit", "refuse", "lose_reply", "lag"]


class Form(BaseModel):
    """A form is read once, never changed, and holds no field that is not on it."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Lookup(Form):
    """`POST /v1/licenses/lookup`."""

    license_key: Text


class Order(Form):
    """`POST /v1/orders`."""

    reference: Text
    license_key: Text
    kind: Literal["renewal", "addons", "upgrade"]
    months: int = Field(ge=0, le=120)
    from_expires_on: date
    to_expires_on: date
    addons: Names
    size: Text | None = None
    edition: Text | None = None

    @model_validator(mode="after")
    def months_are_for_renewals(self) -> "Order":
        """A renewal has months, the other kinds have none."""
        if (self.kind == "renewal") != (self.months > 0):
            raise ValueError("months do not fit the kind")
        return self


class License(Form):
    """One license as it is registered, and as the vendor's book has it."""

    license_key: Text
    product: Text
    edition: Text
    size: Text
    addons: Names = frozenset()
    expires_on: date
    status: Literal["active", "lapsed", "revoked", "unknown"] = "active"


class Mark(Form):
    """Say of some keys that they are revoked, that they are unknown, or that all is well again."""

    license_keys: list[Text]
    status: Literal["active", "lapsed", "revoked", "unknown"]


class Fault(Form):
    """Trouble to make: what, for whom, how often. See the program's help."""

    kind: FaultKind
    times: int | None = Field(default=None, ge=1)  # None: until it is cleared
    license_key: Text | None = None  # None: any
    on: frozenset[Operation] = frozenset()  # empty: where the kind strikes by itself
    seconds: float = Field(default=2.0, ge=0, le=600)  # slow: the wait; rate_limit: the Retry-After
    reads: int = Field(default=1, ge=1)  # lag: so many look-ups still show the old license

    @property
    def whom(self) -> str | None:
        """The only license it strikes."""
        return self.license_key


class Settings(Form):
    """How strict the vendor is."""

    strict_expiry: bool
