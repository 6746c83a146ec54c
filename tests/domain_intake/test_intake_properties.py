"""R26, R28: promises that hold for any file whatever."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.cancellation import cancel_by
from domain.catalogue import Catalogue
from domain.intake import check_csv, check_json_lines
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import COLUMNS, Row
from domain.money import plain

TODAY = date(2026, 11, 23)
HEADER = ",".join(COLUMNS).encode() + b"\n"

Good = Callable[..., dict[str, str]]
Written = Callable[..., bytes]
Check = Callable[..., list[Row | Problem]]

keys = st.from_regex(r"[!-~]{10,80}", fullmatch=True)
names = st.text(
    st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="\u00a0\u3000"),
    min_size=1,
    max_size=200,
).filter(lambda name: name == name.strip() != "")


@st.composite
def good_rows(draw: st.DrawFn, catalogue: Catalogue) -> Row:
    """Draw a good row of any product, with any text that is allowed."""
    product = draw(st.sampled_from(list(catalogue.products)))
    edition = draw(st.sampled_from(list(catalogue.products[product].editions)))
    sold = catalogue.products[product].editions[edition]
    expires_on = draw(st.dates(TODAY, date(2076, 12, 31)))
    return Row(
        line=0,
        customer_email=draw(
            st.from_regex(r"[a-z0-9_+]{1,64}@([a-z0-9]{1,20}\.){1,3}[a-z]{2,20}", fullmatch=True)
        ),
        customer_name=draw(names),
        country=draw(st.sampled_from(["GB", "DE", "JP", "US"])),
        currency=draw(st.sampled_from(["GBP", "EUR", "USD", "JPY"])),
        license_key=draw(keys),
        product=product,
        edition=edition,
        size=draw(st.sampled_from(sold.sizes)),
        addons=tuple(draw(st.lists(st.sampled_from(sold.addons), unique=True))) if sold.addons else (),
        expires_on=expires_on,
        renews_on=draw(st.none() | st.dates(cancel_by(expires_on) + timedelta(days=1), expires_on)),
        opening_credit_minor=draw(st.integers(0, 10**12 - 1)),
        previous_customer=draw(st.booleans()),
        card_token=draw(st.none() | st.from_regex(r"[a-z]{2,4}_[A-Za-z0-9_]{1,60}", fullmatch=True)),
        window_closed=cancel_by(expires_on) < TODAY,
    )


def cells_of(row: Row) -> dict[str, str]:
    """Write a row as the contract says."""
    cells = {column: str(getattr(row, column, None) or "") for column in COLUMNS}
    return cells | {
        "addons": ";".join(row.addons),
        "opening_credit": plain(row.opening_credit_minor, row.currency),
        "previous_customer": "yes" if row.previous_customer else "no",
    }


@given(data=st.data())
def test_every_good_row_written_out_is_read_back_the_same(
    data: st.DataObject, catalogue: Catalogue, written: Written
) -> None:
    drawn = data.draw(
        st.lists(good_rows(catalogue), min_size=1, max_size=4, unique_by=lambda r: r.license_key.upper())
    )
    rows = [replace(row, line=line) for line, row in enumerate(drawn, start=2)]
    csv_file = written(*(cells_of(row) for row in rows))
    json_file = b"\n" + b"".join(json.dumps(cells_of(row)).encode() + b"\n" for row in rows)

    assert list(check_csv([csv_file], catalogue, TODAY)) == rows
    assert list(check_csv([csv_file.replace(b"\n", b"\r\n")], catalogue, TODAY)) == rows
    assert list(check_json_lines([json_file], catalogue, TODAY)) == rows


@given(
    file=st.binary(max_size=300),
    begun=st.sampled_from([b"", HEADER, b"\xef\xbb\xbf" + HEADER, b"{", HEADER + b"{}\n"]),
)
def test_no_bytes_raise_anything_but_unreadable_file(file: bytes, begun: bytes, catalogue: Catalogue) -> None:
    for check in (check_csv, check_json_lines):
        with suppress(UnreadableFile):
            for found in check([begun + file], catalogue, TODAY):
                assert str(found)


@given(cells=st.fixed_dictionaries({column: st.text(max_size=60) for column in COLUMNS}))
def test_no_text_in_any_cell_raises_anything_but_unreadable_file(
    cells: dict[str, str], catalogue: Catalogue, written: Written
) -> None:
    with suppress(UnreadableFile, UnicodeEncodeError):
        list(check_csv([written(cells)], catalogue, TODAY))
    with suppress(UnreadableFile):
        assert list(check_json_lines([json.dumps(cells).encode()], catalogue, TODAY))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(line=st.dictionaries(st.sampled_from(COLUMNS) | st.text(max_size=20), values) | values)
def test_no_json_raises_anything_but_unreadable_file(line: object, catalogue: Catalogue) -> None:
    with suppress(UnreadableFile):
        assert list(check_json_lines([json.dumps(line).encode()], catalogue, TODAY))


@given(
    key=keys, around=st.sampled_from(["{}", " {}", "{};{}", "x{}", "{} y"]), column=st.sampled_from(COLUMNS)
)
def test_r28_no_problem_tells_a_whole_key_whichever_column_it_is_in(
    key: str, around: str, column: str, catalogue: Catalogue, good: Good, written: Written
) -> None:
    cells = good(license_key=key, country="UK") | {column: around.format(key, key)}

    found = list(check_csv([written(cells, cells)], catalogue, TODAY))
    found += check_json_lines([json.dumps(cells | {around.format(key, key): 1}).encode()], catalogue, TODAY)

    assert found
    for problem in found:
        assert key not in f"{problem}{problem!r}"


@given(cut=st.lists(st.integers(0, 600)), name=names)
def test_where_the_chunks_are_cut_changes_nothing(
    cut: list[int], name: str, catalogue: Catalogue, good: Good, written: Written
) -> None:
    file = written(good(customer_name=name), good(country="UK"))
    places = [0, *sorted(cut), len(file)]
    chunks = [file[start:end] for start, end in zip(places, [*places[1:], len(file)], strict=True)]

    assert list(check_csv(chunks, catalogue, TODAY)) == list(check_csv([file], catalogue, TODAY))


def test_twenty_thousand_rows_are_checked_in_the_memory_of_their_digests(
    catalogue: Catalogue, good: Good, written: Written
) -> None:
    """Eight bytes a key and its line, as Python keeps them: 4 MB here, and not the 6 MB of the rows on top."""

    def file() -> Iterator[bytes]:
        yield HEADER
        for _ in range(200):
            yield written(*(good() for _ in range(100))).removeprefix(HEADER)

    tracemalloc.start()
    count = sum(isinstance(found, Row) for found in check_csv(file(), catalogue, TODAY))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 20_000
    assert peak < 5_000_000
