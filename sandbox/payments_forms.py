"""What may be sent to the sandbox provider: of Stripe's parameters those that are played here, and its controls."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator


def _digits(given: object) -> object:
    """Only digits are a number: pydantic would take `1e2` and `1_000` too."""
    if isinstance(given, str) and given.isascii() and given.isdigit():
        return int(given)
    return given if isinstance(given, int) else "no integer"


Whole = Annotated[int, BeforeValidator(_digits)]
Text = Annotated[str, StringConstraints(max_length=5000)]
Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=40)], Annotated[str, StringConstraints(max_length=500)]],
    Field(max_length=50),
]


class Form(BaseModel):
    """A form is read once, never changed, and holds no field that is not on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(Form):
    """What every request may say: which ids to answer with as whole objects."""

    expand: tuple[Text, ...] = ()


class Defaults(Form):
    """`invoice_settings` of a customer."""

    default_payment_method: Text | None = None


class CustomerFacts(Request):
    """`POST /v1/customers`, `POST /v1/customers/{id}`."""

    email: Text | None = None
    name: Text | None = None
    description: Text | None = None
    metadata: Metadata | None = None
    invoice_settings: Defaults | None = None


class Attachment(Request):
    """`POST /v1/payment_methods/{id}/attach`."""

    customer: Text


class NewIntent(Request):
    """`POST /v1/payment_intents`."""

    amount: Whole
    currency: Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$", to_lower=True)]
    customer: Text | None = None
    payment_method: Text | None = None
    description: Text | None = None
    metadata: Metadata = Field(default_factory=dict)
    confirm: bool = False
    off_session: bool = False
    return_url: Text | None = None
    allowed_payment_method_types: tuple[Literal["card"], ...] = ("card",)


class Confirmation(Request):
    """`POST /v1/payment_intents/{id}/confirm`."""

    payment_method: Text | None = None
    off_session: bool = False
    return_url: Text | None = None


class Cancellation(Request):
    """`POST /v1/payment_intents/{id}/cancel`."""

    cancellation_reason: Text | None = None


class NewRefund(Request):
    """`POST /v1/refunds`."""

    payment_intent: Text | None = None
    charge: Text | None = None
    amount: Whole | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    metadata: Metadata = Field(default_factory=dict)


class NewSession(Request):
    """`POST /v1/checkout/sessions`; only pages that save a card."""

    mode: Literal["setup"]
    customer: Text
    allowed_payment_method_types: tuple[Literal["card"], ...]
    success_url: Text
    cancel_url: Text | None = None
    client_reference_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    metadata: Metadata = Field(default_factory=dict)


class Range(Form):
    """`created[gte]=…`."""

    gt: Whole | None = None
    gte: Whole | None = None
    lt: Whole | None = None
    lte: Whole | None = None


class Listing(Request):
    """A `GET` of many: a page of them, newest first, and those of which these fields are so."""

    limit: Annotated[Whole, Field(ge=1, le=100)] = 10
    starting_after: Text | None = None
    ending_before: Text | None = None
    created: Whole | Range | None = None
    customer: Text | None = None
    payment_intent: Text | None = None
    charge: Text | None = None
    email: Text | None = None
    type: Text | None = None


class CardAnswer(Form):
    """`POST /sandbox/cards`: what a saved card, or all cards of a customer, answer from now on."""

    payment_method: Text | None = None
    customer: Text | None = None
    answers: Annotated[str, StringConstraints(pattern="^[a-z_]+$")]

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """It is said of one card, or of one customer's."""
        if (self.payment_method is None) == (self.customer is None):
            raise ValueError("say payment_method or customer")
        return self


class Endpoint(Form):
    """`PUT /sandbox/webhook`: where events go, None: nowhere; `secret` signs them."""

    url: Text | None
    secret: Text = ""
