"""R26: what is said of a file that cannot be read as a whole, and what is put up with."""

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import repeat

import pytest

from domain.intake import format_of
from domain.intake_lines import LONGEST_LINE_BYTES, MOST_LINES, lines
from domain.intake_problem import Problem, UnreadableFile
from domain.intake_row import COLUMNS, Row

HEADER = ",".join(COLUMNS).encode()

Good = Callable[..., dict[str, str]]
Written = Callable[..., bytes]
Check = Callable[..., list[Row | Problem]]
Refusal = Callable[..., UnreadableFile]


def test_a_good_file_gives_its_rows_in_order_with_their_lines(
    good: Good, written: Written, check: Check
) -> None:
    first, second = check(written(good(customer_name="First"), good(customer_name="Second")))

    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, first.customer_name) == (2, "First")
    assert (second.line, second.customer_name) == (3, "Second")


# ---- the header ----------------------------------------------------------------------------------------------------


def test_columns_may_stand_in_any_order(good: Good, check: Check) -> None:
    cells = good()
    backwards = COLUMNS[::-1]
    file = f"{','.join(backwards)}\n{','.join(cells[column] for column in backwards)}\n".encode()

    (row,) = check(file)

    assert isinstance(row, Row)
    assert row.license_key == cells["license_key"]


def test_missing_columns_are_named(refusal: Refusal) -> None:
    refused = refusal(HEADER.replace(b"country,", b"").replace(b",card_token", b"") + b"\n")

    assert refused.line == 1
    assert "country, card_token missing" in refused.what
    assert "customer_email,customer_name,country" in refused.mend


def test_an_unknown_column_is_named_with_the_one_that_was_meant(refusal: Refusal) -> None:
    refused = refusal(HEADER.replace(b"expires_on", b"Expires On").replace(b"product", b"colour") + b"\n")

    assert "'Expires On' (did you mean expires_on?) unknown" in refused.what
    assert "'colour' unknown" in refused.what


def test_a_column_that_is_there_twice_is_named(refusal: Refusal) -> None:
    assert "size twice" in refusal(HEADER + b",size\n").what


def test_a_thousand_unknown_columns_are_not_all_named(refusal: Refusal) -> None:
    assert len(str(refusal(HEADER + b",odd" * 1000 + b"\n"))) < 1000


def test_a_file_without_a_header_is_told_so_and_its_secrets_are_not_repeated(
    good: Good, refusal: Refusal
) -> None:
    """R28: the first row is taken for the header, and it has a key and an address in it."""
    cells = good()
    message = str(refusal(",".join(cells.values()).encode()))

    assert "not a header" in message
    assert cells["license_key"] not in message
    assert cells["customer_email"] not in message


@pytest.mark.parametrize(("delimiter", "name"), [(b";", "semicolons"), (b"\t", "tabs"), (b"|", "bars")])
def test_another_delimiter_is_recognized(refusal: Refusal, delimiter: bytes, name: str) -> None:
    refused = refusal(HEADER.replace(b",", delimiter) + b"\n")

    assert f"separated by {name}" in refused.what
    assert "commas" in refused.mend


# ---- nothing there -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [b"", b"\n", b"\r\n  \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(refusal: Refusal, file: bytes) -> None:
    assert refusal(file).what == "the file is empty"


@pytest.mark.parametrize("below", [b"", b"\n", b"\n\n  \n", b"\n" + b"," * 13 + b"\n"])
def test_a_header_alone_is_refused(refusal: Refusal, below: bytes) -> None:
    assert refusal(HEADER + below).what == "there is nothing below the header"


def test_blank_lines_and_rows_of_empty_cells_are_skipped_but_counted(
    good: Good, written: Written, check: Check
) -> None:
    header, row = written(good()).splitlines()
    file = b"\n".join([b"", header, b"", b"  ", b"," * 13, row, b""])

    (found,) = check(file)

    assert found.line == 6


# ---- bytes ---------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(
    good: Good, written: Written, check: Check
) -> None:
    file = written(good(card_token="pm_card_visa"), good(card_token="pm_card_visa"))

    found = check(b"\xef\xbb\xbf" + file.replace(b"\n", b"\r\n"))

    assert [row.card_token for row in found if isinstance(row, Row)] == ["pm_card_visa", "pm_card_visa"]


def test_the_last_line_needs_no_end(good: Good, written: Written, check: Check) -> None:
    (row,) = check(written(good()).rstrip(b"\n"))

    assert isinstance(row, Row)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_other_unicode_encodings_are_named(
    good: Good, written: Written, refusal: Refusal, encoding: str
) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    refused = refusal(mark + written(good()).decode().encode(encoding))

    assert refused.line == 1
    assert encoding[:6].upper() in refused.what
    assert "UTF-8" in refused.mend


def test_utf_16_without_its_mark_is_suspected(good: Good, written: Written, refusal: Refusal) -> None:
    refused = refusal(written(good()).decode().encode("utf-16-le"))

    assert "NUL at byte offset 1" in refused.what
    assert "UTF-16" in refused.what


def test_a_byte_that_is_not_utf_8_is_given_with_line_and_offset(
    good: Good, written: Written, refusal: Refusal
) -> None:
    file = written(good(), good(customer_name="Müller")).decode().encode("cp1252")

    refused = refusal(file)

    assert refused.line == 3
    assert f"0xFC at byte offset {file.index(0xFC)} " in refused.what
    assert "UTF-8" in refused.mend


def test_a_nul_is_given_with_line_and_offset(good: Good, written: Written, refusal: Refusal) -> None:
    file = written(good(), good(customer_name="P\0ine"))

    refused = refusal(file)

    assert refused.line == 3
    assert f"byte offset {file.index(0)}:" in refused.what


def test_an_excel_workbook_is_recognized(refusal: Refusal) -> None:
    assert "an Excel workbook" in refusal(b"PK\x03\x04\x14\x00\x06\x00").what


def test_line_ends_of_an_old_macintosh_are_recognized(good: Good, written: Written, refusal: Refusal) -> None:
    assert "old Macintosh" in refusal(written(good()).replace(b"\n", b"\r")).what


def test_chunks_may_be_cut_anywhere(good: Good, written: Written, check: Check) -> None:
    """Inside a character, too, and between the two bytes of a line end."""
    file = b"\xef\xbb\xbf" + written(good(customer_name="株式会社みどり"), good()).replace(b"\n", b"\r\n")

    assert check(file[i : i + 1] for i in range(len(file))) == check(file)


# ---- bounds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_five_megabytes_of_one_line_are_refused_without_being_copied(refusal: Refusal, end: bytes) -> None:
    chunks = [HEADER + b"\n", b"x" * 5_000_000 + end]
    tracemalloc.start()
    refused = refusal(chunks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert refused.line == 2
    assert "longer than 64 KB" in refused.what
    assert peak < 1_000_000


def test_a_line_without_end_is_not_read_to_the_end(refusal: Refusal) -> None:
    read = []

    def endless() -> Iterator[bytes]:
        for chunk in repeat(b"x" * 1024):
            read.append(len(chunk))
            yield chunk

    assert refusal(endless()).line == 1
    assert sum(read) <= LONGEST_LINE_BYTES + 1024


def test_the_longest_line_that_is_allowed_is_read() -> None:
    assert [number for number, _ in lines([b"x" * LONGEST_LINE_BYTES, b"\nx\n"])] == [1, 2]


def test_more_than_a_million_lines_are_refused() -> None:
    with pytest.raises(UnreadableFile, match=f"more than {MOST_LINES:,} lines"):
        list(lines([b"\n" * (MOST_LINES + 1)]))


# ---- the file's name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "csv"), ("A.CSV", "csv"), ("x/b.2026.jsonl", "jsonl"), (".csv", "csv")],
)
def test_the_format_is_told_by_the_files_name(name: str, expected: str) -> None:
    assert format_of(name) == expected


@pytest.mark.parametrize("name", ["a.xlsx", "a.json", "csv", "a.csv.gz", "", "a."])
def test_other_formats_are_refused(name: str) -> None:
    with pytest.raises(UnreadableFile, match=r"neither \.csv nor \.jsonl"):
        format_of(name)
