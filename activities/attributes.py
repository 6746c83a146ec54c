"""The search attributes that operators filter by in the Temporal UI; never a name, an e-mail address or a key."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from domain.messages import Life

SUBSCRIPTION_STATE = SearchAttributeKey.for_keyword("SubscriptionState")
CUSTOMER_ID = SearchAttributeKey.for_keyword("CustomerId")
PRODUCT = SearchAttributeKey.for_keyword("Product")
EXPIRES_ON = SearchAttributeKey.for_datetime("ExpiresOn")
RENEWS_ON = SearchAttributeKey.for_datetime("RenewsOn")
PROMISE_AT = SearchAttributeKey.for_datetime("PromiseAt")
PROMISE_BROKEN = SearchAttributeKey.for_bool("PromiseBroken")
FAILURE_REASON = SearchAttributeKey.for_keyword("FailureReason")

ALL: tuple[SearchAttributeKey[Any], ...] = (
    SUBSCRIPTION_STATE,
    CUSTOMER_ID,
    PRODUCT,
    EXPIRES_ON,
    RENEWS_ON,
    PROMISE_AT,
    PROMISE_BROKEN,
    FAILURE_REASON,
)


def attributes_of(life: Life) -> TypedSearchAttributes:
    """What operators can filter this subscription by. Dates are given as midnight UTC of the local day."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(SUBSCRIPTION_STATE, life.state.value),
        SearchAttributePair(CUSTOMER_ID, life.customer_id),
        SearchAttributePair(PRODUCT, life.product),
        SearchAttributePair(EXPIRES_ON, _midnight(life.term.expires_on)),
        SearchAttributePair(RENEWS_ON, _midnight(life.plan.renews_on)),
        SearchAttributePair(PROMISE_BROKEN, life.promise_broken),
    ]
    if life.soonest_promise_at is not None:
        pairs.append(SearchAttributePair(PROMISE_AT, life.soonest_promise_at))
    if life.failure is not None:
        pairs.append(SearchAttributePair(FAILURE_REASON, life.failure))
    return TypedSearchAttributes(pairs)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
