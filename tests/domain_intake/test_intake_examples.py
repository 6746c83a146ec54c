"""R26: the files shipped in ``examples/`` are what the docs say they are."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from domain import intake
from domain.intake_problem import Problem
from domain.intake_row import Row

EXAMPLES = Path(intake.__file__).parent.parent / "examples"

Check = Callable[..., list[Row | Problem]]


def test_the_example_has_two_hundred_good_licenses_of_all_kinds(check: Check) -> None:
    found = check((EXAMPLES / "licenses.csv").read_bytes())

    rows = [row for row in found if isinstance(row, Row)]
    assert len(rows) == len(found) == 200
    assert {row.currency for row in rows} == {"GBP", "EUR", "USD", "JPY"}
    assert {row.product for row in rows} == {"SmarterMail", "SmarterTrack", "SmarterStats"}
    assert (min(row.expires_on for row in rows), max(row.expires_on for row in rows)) == (
        date(2026, 11, 25),
        date(2027, 11, 30),
    )
    assert sum(row.window_closed for row in rows) == 5
    assert all(row.customer_email.endswith((".example", "@example.com")) for row in rows)


def test_every_mistake_in_the_other_example_is_another_one(check: Check) -> None:
    found = check((EXAMPLES / "licenses-with-mistakes.csv").read_bytes())

    problems = [problem for problem in found if isinstance(problem, Problem)]
    assert [problem.line for problem in problems] == list(range(2, 14))
    assert len(found) == 12
    assert max(Counter(problem.column for problem in problems).values()) <= 2
