"""R26 and R19 by HTTP: checked whole, taken once, started durably."""

from __future__ import annotations

from itertools import count

from tests.api.program import is_problem
from tests.end_to_end.dates import coming
from tests.eventually import eventually

CSV = {"Content-Type": "text/csv"}
numbers = count(1)


def row(**changes):
    number = next(numbers)
    return {
        "customer_email": f"new{number}@example.com",
        "customer_name": "New",
        "country": "GB",
        "currency": "GBP",
        "license_key": f"SM-API-{number:08}",
        "product": "SmarterMail",
        "edition": "Professional",
        "size": "250",
        "expires_on": coming(8, 31).isoformat(),
        **changes,
    }


EMPTY = dict.fromkeys(("addons", "renews_on", "opening_credit", "previous_customer", "card_token"), "")


def as_csv(*given) -> bytes:
    rows = [one | EMPTY for one in given]
    return "\n".join([",".join(rows[0]), *(",".join(one.values()) for one in rows)]).encode()


async def followed(billing, answer):
    """The import, when all of its workflows run."""
    path = answer.headers["location"].removeprefix("/api/v1")

    async def done():
        return (await billing.get(path)).json()["state"] == "done"

    await eventually(done, "the import is done")
    return (await billing.get(path)).json()


async def test_a_file_is_taken_whole_and_again_changes_nothing(book, billing):
    file = as_csv(row(), row())

    first = await billing.post("/imports?filename=book.csv", file, headers=CSV)
    again = await billing.post("/imports", file, headers=CSV)

    assert first.status_code == 202
    assert (first.json()["taken"], again.json()["taken"], again.json()["unchanged"]) == (2, 0, 2)
    done = await followed(billing, first)
    assert (done["filename"], done["taken"], done["started"]) == ("book.csv", 2, 2)
    assert len((await billing.get("/imports")).json()["data"]) >= 2


async def test_one_bad_row_and_nothing_is_taken_unless_it_may_be_left_out(book, billing):
    good, bad = row(), row(product="SmarterMall")
    key = bad["license_key"]

    refused = await billing.post("/imports", {"rows": [good, bad]})
    checked = await billing.post("/imports?check=true", {"rows": [good, bad]})
    taken = await billing.post("/imports?skip_bad=true", {"rows": [good, bad]})

    assert is_problem(refused, 422, "invalid")
    (fault,) = refused.json()["errors"]
    assert (fault["line"], fault["column"]) == (2, "product")
    assert "SmarterMail" in fault["mend"]
    assert key not in refused.text + checked.text + taken.text
    assert (checked.status_code, checked.json()["id"], checked.json()["good"]) == (200, None, 1)
    assert (taken.json()["taken"], len(taken.json()["refused"])) == (1, 1)
    await followed(billing, taken)


async def test_a_file_that_is_none_is_refused_with_how_to_mend_it(billing):
    for sent in (b"PK\x03\x04", b"", b"customer_email;license_key\n"):
        answer = await billing.post("/imports", sent, headers=CSV)
        assert is_problem(answer, 422, "invalid")
        assert answer.json()["errors"][0]["mend"]


async def test_a_purchase_of_a_new_key_adds_it_and_grants_once(book, billing):
    wish = row() | {"reference": f"INV-API-{next(numbers)}", "amount": "200.00"}

    first = await billing.post("/purchases", wish)
    again = await billing.post("/purchases", wish)
    other = await billing.post("/purchases", wish | {"amount": "300.00"})

    assert first.status_code == 201
    assert (first.json()["new"], first.json()["new_license"], first.json()["renewal"]) == (True, True, "on")
    assert (again.status_code, again.json()["new"]) == (200, False)
    assert again.json()["grant"] == first.json()["grant"]
    assert is_problem(other, 409, "refused")
    assert wish["license_key"] not in first.text + other.text
    statement = (await billing.get(f"/customers/{first.json()['customer']}/credits")).json()
    assert [grant["remaining_minor"] for grant in statement["grants"]] == [200_00]
