"""Importing a book of licenses (R26)."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

from sqlalchemy import text

from tests.commands import book
from tests.commands.tables import NOTHING, counts, until, waits_for_a_lock, workflows_of


async def test_the_example_book_is_checked_taken_and_importing_it_again_changes_nothing(
    evergreen, folder, sessions, temporal
):
    """R26: 200 licenses, 5 of them past their cancel-by date; R19: a purchase is granted once."""
    rows = book.example("licenses.csv")
    file = book.write(folder / "example.csv", rows)
    before = await counts(sessions)

    checked = await evergreen("import", file, "--check", "--json")
    assert (checked.code, checked.json["good"], checked.json["taken"]) == (0, 200, 0)
    assert await counts(sessions) - before == NOTHING

    taken = await evergreen("import", file, "--json", "--by", "support:jo")
    assert taken.code == 0, taken.err
    assert (taken.json["taken"], taken.json["unchanged"], len(taken.json["flagged"])) == (200, 0, 5)
    assert await workflows_of(sessions, temporal, "example.csv") == (200, 200)
    after = await counts(sessions)
    assert (after - before).licenses == (after - before).subscriptions == 200
    assert (after - before).grants == sum(row["opening_credit"] not in ("", "0.00") for row in rows)

    again = await evergreen("import", file)
    assert again.code == 0
    assert "0 licenses taken, 200 were here already" in again.said
    now = await counts(sessions)
    assert (now.licenses, now.subscriptions, now.grants) == (
        after.licenses,
        after.subscriptions,
        after.grants,
    )


async def test_one_bad_row_stops_the_file_unless_bad_rows_are_to_be_skipped(evergreen, folder, sessions):
    """R26: every bad row is told with line, column and reason."""
    file = book.write(folder / "one_bad.csv", [book.row(), book.row(opening_credit="1e2"), book.row()])
    before = await counts(sessions)

    refused = await evergreen("import", file, "--json")
    assert (refused.code, refused.json["good"], refused.json["taken"]) == (2, 2, 0)
    (problem,) = refused.json["refused"]
    assert (problem["line"], problem["column"]) == (3, "opening_credit")
    assert await counts(sessions) - before == NOTHING

    skipped = await evergreen("import", file, "--skip-bad", "--json")
    assert (skipped.code, skipped.json["taken"], len(skipped.json["refused"])) == (0, 2, 1)
    assert (await counts(sessions) - before).licenses == 2


async def test_the_example_of_mistakes_tells_each_with_its_line_and_how_to_mend_it(evergreen, sessions):
    before = await counts(sessions)
    answer = await evergreen("import", book.EXAMPLES / "licenses-with-mistakes.csv", "--json")

    assert answer.code == 2
    assert [refused["line"] for refused in answer.json["refused"]] == list(range(2, 14))
    assert all(refused["reason"] and refused["mend"] for refused in answer.json["refused"])
    assert await counts(sessions) - before == NOTHING


async def test_json_lines_are_taken_as_well(evergreen, folder, sessions):
    file = folder / "book.jsonl"
    file.write_text("".join(json.dumps(book.row()) + "\n" for _ in range(3)), encoding="utf-8")
    before = await counts(sessions)

    assert (await evergreen("import", file, "--json")).json["taken"] == 3
    assert (await counts(sessions) - before).licenses == 3


async def test_a_license_past_its_cancel_by_date_is_taken_and_an_expired_one_is_not(evergreen, folder):
    """R26: the first is reported; the second needs a request."""
    soon, over = (book.today() + timedelta(days=days) for days in (10, -1))
    file = book.write(folder / "soon.csv", [book.row(expires_on=str(soon)), book.row(expires_on=str(over))])

    answer = await evergreen("import", file, "--skip-bad", "--json")

    assert answer.json["taken"] == 1
    assert [(flag["line"], flag["expires_on"]) for flag in answer.json["flagged"]] == [(2, str(soon))]
    assert "request" in answer.json["refused"][0]["mend"]


async def test_two_people_who_import_the_same_file_at_once_take_it_once(
    evergreen, folder, sessions, temporal
):
    file = book.write(folder / "twice.csv", [book.row(opening_credit="5.00") for _ in range(30)])
    before = await counts(sessions)

    answers = await asyncio.gather(*(evergreen("import", file, "--json") for _ in range(2)))

    assert [answer.code for answer in answers] == [0, 0], answers
    assert sorted(answer.json["taken"] for answer in answers) == [0, 30]
    added = await counts(sessions) - before
    assert (added.licenses, added.subscriptions, added.grants) == (30, 30, 30)


async def test_a_file_that_is_changed_while_it_is_imported_is_not_taken(evergreen, folder, sessions):
    """It is read twice, once to check it and once to store it, because it may be large."""
    file = book.write(folder / "changing.csv", [book.row() for _ in range(3000)])
    before = await counts(sessions)

    async with sessions.begin() as holder:
        await holder.execute(text("LOCK TABLE licenses IN EXCLUSIVE MODE"))
        importing = await evergreen.start("import", file, "--json")
        await until(lambda: waits_for_a_lock(sessions), "the import stores")
        with file.open("a", encoding="utf-8") as opened:
            opened.write(book.as_csv([book.row()]).splitlines()[1] + "\n")
    answer = await importing.rest()

    assert (answer.code, answer.out) == (2, "")
    assert "was changed while it was imported. Nothing was taken" in answer.said
    assert await counts(sessions) - before == NOTHING
