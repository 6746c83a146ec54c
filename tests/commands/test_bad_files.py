"""Files that are not a book of licenses: a clear message, exit code 2, and nothing taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.commands import book
from tests.commands.program import Answer
from tests.commands.tables import Counts, counts

GOOD = book.as_csv([book.row(customer_name="Gärtner & Söhne")])
HEADER = GOOD.splitlines()[0]


def with_row(**cells: str) -> bytes:
    return book.as_csv([book.row(), book.row(**cells)]).encode()


def key_twice() -> bytes:
    return book.as_csv(
        [book.row(license_key="SAME-KEY-0000-TWICE"), book.row(license_key="same-key-0000-twice")]
    ).encode()


BAD = {
    # what is in the file, and what must be told about it
    "a wrong header": (GOOD.replace("expires_on", "expiry").encode(), ("line 1", "expires_on missing", "'expiry'")),
    "no header": (GOOD.split("\n", 1)[1].encode(), ("line 1", "not a header", "customer_email,customer_name")),
    "semicolons": (GOOD.replace(",", ";").encode(), ("separated by semicolons",)),
    "an unknown product": (with_row(product="SmarterMial"), ("3", "product", "Did you mean 'SmarterMail'?")),
    "an impossible date": (with_row(expires_on="2027-02-30"), ("3", "expires_on", "there is no day 2027-02-30")),
    "money with an exponent": (with_row(opening_credit="1e2"), ("3", "opening_credit", "'1e2' is not an amount")),
    "a number as a date": (with_row(expires_on="1700006400"), ("3", "expires_on", "not written as a date")),
    "a key twice": (key_twice(), ("3", "license_key", "in the file twice, first on line 2")),
    "5 MB of one line": (HEADER.encode() + b"\n" + b"x" * 5_000_000, ("line 2", "longer than 64 KB")),
    "not UTF-8": (GOOD.encode("latin-1"), ("line 2", "0xE4", "is not UTF-8")),
    "UTF-16": (GOOD.encode("utf-16"), ("UTF-16", "Save or export it as UTF-8")),
    "a workbook": (b"PK\x03\x04" + b"\0" * 100, ("Excel workbook",)),
    "nothing": (b"", ("the file is empty",)),
    "blank lines": (b"\n\n\n", ("the file is empty",)),
    "only a header": (HEADER.encode() + b"\n", ("nothing below the header",)),
}  # fmt: skip
GOOD_TOO = {
    "Windows line ends": GOOD.replace("\n", "\r\n").encode(),
    "a byte-order mark": b"\xef\xbb\xbf" + book.as_csv([book.row()]).encode(),
    "columns in another order": "\n".join(
        ",".join(line.split(",")[::-1]) for line in book.as_csv([book.row()]).splitlines()
    ).encode(),
    "no line end at the end": book.as_csv([book.row()]).rstrip("\n").encode(),
}


@dataclass(frozen=True)
class Outcome:
    """What became of all the files."""

    answers: dict[str, Answer]
    added: Counts


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outcome(evergreen, folder, sessions) -> Outcome:
    """All files imported, a few at a time, to save starting as many programs in turn."""
    files = folder / "files"
    files.mkdir()
    before = await counts(sessions)

    async def one(number: int, content: bytes) -> Answer:
        (files / f"{number}.csv").write_bytes(content)
        return await evergreen("import", files / f"{number}.csv")

    contents = {what: content for what, (content, _) in BAD.items()} | GOOD_TOO
    answers = await asyncio.gather(
        *(one(number, content) for number, content in enumerate(contents.values()))
    )
    return Outcome(dict(zip(contents, answers, strict=True)), await counts(sessions) - before)


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_file_is_told_of_where_and_what_and_ends_with_2(outcome, what):
    answer = outcome.answers[what]

    assert answer.code == 2
    for expected in BAD[what][1]:
        assert expected in answer.said
    assert "Nothing was taken" in answer.said
    assert "Traceback" not in answer.said


@pytest.mark.parametrize("what", GOOD_TOO)
async def test_what_programs_commonly_write_is_taken(outcome, what):
    answer = outcome.answers[what]

    assert answer.code == 0, answer.said
    assert "1 licenses taken" in answer.said


async def test_of_all_these_files_only_the_good_ones_left_anything(outcome):
    assert outcome.added.licenses == outcome.added.subscriptions == outcome.added.customers == len(GOOD_TOO)
    assert outcome.added.grants == 0


async def test_no_message_holds_a_whole_license_key(outcome):
    """R28: not even of a row that is refused."""
    assert not [what for what, answer in outcome.answers.items() if "SAME-KEY-0000" in answer.said.upper()]
