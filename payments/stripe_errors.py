"""What Stripe's errors stand for in our words; decided by type, status and code, never by text."""

from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from payments.payment_provider import (
    AmountTooSmall,
    KeyReused,
    PaymentError,
    PaymentMisused,
    PaymentUnauthorized,
    PaymentUnavailable,
)

LONGEST_TEXT = 300


@contextmanager
def asking() -> Iterator[None]:
    """Around a question and the reading of its answer: raise Stripe's errors as ours.

    An answer that lacks what Stripe promises shows as one of Python's errors, here or in the SDK, and proves
    neither yes nor no.
    """
    try:
        yield
    except stripe.StripeError as error:
        raise ours(error) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PaymentUnavailable("the payment provider's answer is not as agreed") from error


def ours(error: stripe.StripeError) -> PaymentError:
    """The error of ours that this one stands for."""
    match error:
        case stripe.IdempotencyError():
            return KeyReused(_text(error))
        case stripe.AuthenticationError() | stripe.PermissionError():
            return PaymentUnauthorized(_text(error))
        case stripe.InvalidRequestError(code="amount_too_small"):
            return AmountTooSmall(_text(error))
        case stripe.InvalidRequestError() | stripe.CardError():
            return PaymentMisused(_text(error))
    return PaymentUnavailable(_text(error), _retry_after_seconds(error))


def _text(error: stripe.StripeError) -> str:
    """What a person needs to find it in Stripe's log, bounded: a proxy's error may be a whole page."""
    status = f"status {error.http_status}" if error.http_status else "no answer"
    request = f", request {error.request_id}" if error.request_id else ""
    return f"the payment provider: {error.user_message or type(error).__name__} ({status}{request})"[
        :LONGEST_TEXT
    ]


def _retry_after_seconds(error: stripe.StripeError) -> int | None:
    wait = str((error.headers or {}).get("Retry-After", ""))
    return int(wait) if wait.isascii() and wait.isdigit() else None
