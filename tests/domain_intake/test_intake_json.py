"""R26: JSON lines are checked as CSV is; only their shape is their own."""

from collections.abc import Callable

import pytest

from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import Row

Good = Callable[..., dict[str, str]]
Check = Callable[..., list[Row | Problem]]


def test_a_line_is_read_as_a_row_of_csv_would_be(
    good: Good, check_json: Check, check: Check, written: Callable[..., bytes]
) -> None:
    cells = good(addons="Message Sniffer;MAPI & EWS", opening_credit="200.00", previous_customer="yes")

    (from_csv,) = check(written(cells))
    (from_json,) = check_json(b"", cells)

    assert isinstance(from_json, Row)
    assert from_json == from_csv


def test_addons_may_be_a_list_and_previous_customer_true_or_false(good: Good, check_json: Check) -> None:
    first, second = check_json(
        good() | {"addons": ["Message Sniffer", "MAPI & EWS"], "previous_customer": True},
        good() | {"addons": [], "previous_customer": False},
    )

    assert isinstance(first, Row)
    assert (first.addons, first.previous_customer) == (("Message Sniffer", "MAPI & EWS"), True)
    assert isinstance(second, Row)
    assert (second.addons, second.previous_customer) == ((), False)


def test_keys_of_what_may_be_empty_may_be_left_out(good: Good, check_json: Check) -> None:
    (row,) = check_json({column: cell for column, cell in good().items() if cell})

    assert isinstance(row, Row)


def test_a_key_that_is_needed_is_asked_for(good: Good, check_json: Check) -> None:
    (problem,) = check_json({column: cell for column, cell in good().items() if column != "country"})

    assert str(problem) == "line 1, country: it is empty. Fill it in."


def test_an_unknown_key_is_named_with_the_one_that_was_meant(good: Good, check_json: Check) -> None:
    (problem,) = check_json({("Card-Token" if k == "card_token" else k): v for k, v in good().items()})

    assert isinstance(problem, Problem)
    assert "'Card-Token' is not a key we know" in problem.reason
    assert "Did you mean 'card_token'?" in problem.mend


def test_a_thousand_unknown_keys_are_not_all_named(good: Good, check_json: Check) -> None:
    assert len(check_json(good() | {f"odd{n}": "" for n in range(1000)})) == 10


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("opening_credit", 200),
        ("opening_credit", 200.0),
        ("expires_on", 1700006400),
        ("size", 250),
        ("country", None),
        ("card_token", None),
        ("customer_name", ["Pine"]),
        ("product", {"name": "SmarterMail"}),
        ("currency", True),
        ("previous_customer", 1),
        ("addons", [1]),
        ("addons", ["Message Sniffer;MAPI & EWS"]),
        ("addons", {}),
        ("addons", True),
    ],
)
def test_a_value_of_another_type_is_refused_once(
    good: Good, check_json: Check, column: str, value: object
) -> None:
    (problem,) = check_json(good() | {column: value})

    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.reason) == (1, column, "the value is of the wrong type")


def test_a_wrong_type_does_not_hide_other_faults(good: Good, check_json: Check) -> None:
    problems = check_json(good(country="UK") | {"opening_credit": 200})

    assert [p.column for p in problems if isinstance(p, Problem)] == ["opening_credit", "country"]


def test_a_key_that_is_there_twice_is_refused(good: Good, check_json: Check) -> None:
    (problem,) = check_json(b'{"country": "GB", ' + str(good()).replace("'", '"').encode()[1:])

    assert str(problem) == "line 1, country: the key is there twice. Write it once."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{'size': 250}", "this is not JSON from character 2 on"),
        (b'{"size": "250"', "this is not JSON from character 15 on"),
        (b'{"size": "250"},', "this is not JSON from character 16 on"),
        (b'"text"', "not a JSON object"),
        (b"[" * 30_000, "nested too deep"),
        (b'{"size": ' * 5_000, "nested too deep"),
        (b"9" * 60_000, "not a JSON object"),
        (b"NaN", "not a JSON object"),
        (b"[[]]", "not a JSON object"),
    ],
)
def test_a_line_that_is_no_object_is_told_and_the_next_is_read(
    good: Good, check_json: Check, line: bytes, reason: str
) -> None:
    first, problem, last = check_json(good(), line, good())

    assert isinstance(first, Row)
    assert isinstance(problem, Problem)
    assert (problem.line, reason in problem.reason) == (2, True)
    assert isinstance(last, Row)


def test_half_of_a_pair_is_no_character(good: Good, check_json: Check) -> None:
    """JSON can spell what UTF-8 cannot hold, nor PostgreSQL: a lone surrogate, a NUL."""
    for escape, shown in [(rb"\ud83d", "U+D83D"), (rb"\u0000", "U+0000")]:
        line = (
            str(good(customer_name="NAME"))
            .replace("'", '"')
            .encode()
            .replace(b"NAME", b"Pi" + escape + b"ne")
        )
        (problem,) = check_json(line)
        assert isinstance(problem, Problem)
        assert (problem.column, problem.reason) == ("customer_name", f"it has the control character {shown}")


@pytest.mark.parametrize(
    ("file", "what"),
    [(b"[\n", "one JSON list"), (b"[{}]", "one JSON list"), (b"{\n", "goes on below"), (b"", "empty")],
)
def test_a_file_that_is_json_but_not_lines_is_refused(check_json: Check, file: bytes, what: str) -> None:
    with pytest.raises(UnreadableFile, match=what):
        check_json(file)
