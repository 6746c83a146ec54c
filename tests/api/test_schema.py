"""What the API says of itself is what it does: every operation is tried with what fits its description, and what not.

The answers come from the running portal on a real database and a real Temporal, beside a worker.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.program import Program
from tests.money.book import Book

EXAMPLES = 6
"""Of each operation; enough to find what is forgotten, few enough to wait for."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

EVERY = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
async def known(book: Book) -> dict[str, str]:
    """Ids that are there, so that not every answer is 404."""
    customer = book.customer("GB")
    subscribed = await book.subscription(customer)
    await customer.grant(500)
    return {"subscription_id": subscribed.id, "customer_id": customer.id}


async def test_every_answer_is_one_that_is_documented(billing: Program, known, world):
    """No 5xx, no undocumented status, format or shape."""
    described = (await billing.get("/openapi.json")).json()

    tried = await asyncio.to_thread(try_all, described, world.portal, billing.token, known)

    assert tried == sum(len(path) for path in described["paths"].values())


def try_all(described: dict[str, Any], portal: str, token: str, known: dict[str, str]) -> int:
    """Try every operation, with ids that are there where it takes one; how many operations there are."""
    schema = schemathesis.openapi.from_dict(described)
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        tried += 1

        def attempt(case: schemathesis.Case) -> None:
            for name in known.keys() & (case.path_parameters or {}).keys():
                case.path_parameters[name] = known[name]
            headers = {"Authorization": f"Bearer {token}"}
            case.call_and_validate(base_url=f"{portal}/api/v1", headers=headers, checks=CHECKS, timeout=30)

        EVERY(given(case=operation.as_strategy())(attempt))()
    return tried
