"""An import is rehearsed: forecast before it is taken, and held beside what the old system would have charged."""

from __future__ import annotations

from datetime import timedelta

from tests.commands import book
from tests.commands.tables import NOTHING, counts


def expiring(days):
    return str(book.today() + timedelta(days=days))


async def test_a_rehearsal_takes_nothing_and_says_of_each_charge_whether_the_old_system_agrees(
    evergreen, folder, sessions
):
    """R26, R19: the loyalty discount makes our renewal cheaper than the old one."""
    paying = {"card_token": "pm_card_visa"}
    agrees, dearer, other_day, ours = (book.row(expires_on=expiring(60 + n), **paying) for n in range(4))
    file = book.write(folder / "rehearsed.csv", [agrees, dearer, other_day, ours])
    old = folder / "old.csv"
    lines = [
        (agrees["license_key"], expiring(46), "216.00", "GBP"),
        (dearer["license_key"], expiring(47), "240.00", "GBP"),
        (other_day["license_key"], expiring(62), "216.00", "GBP"),
        ("NEVER-SEEN-KEY-XYZ9", expiring(50), "216.00", "GBP"),
    ]
    old.write_text("license_key,on,amount,currency\n" + "\n".join(map(",".join, lines)) + "\n")
    before = await counts(sessions)

    answer = await evergreen(
        "import", file, "--rehearse", "--until", expiring(90), "--compare", old, "--json"
    )

    assert answer.code == 0, answer.said
    assert await counts(sessions) - before == NOTHING
    verdicts = {line["key"]: line["verdict"] for line in answer.json["comparison"]}
    assert verdicts == {
        f"••••{agrees['license_key'][-4:]}": "agrees",
        f"••••{dearer['license_key'][-4:]}": "another amount",
        f"••••{other_day['license_key'][-4:]}": "another day",
        f"••••{ours['license_key'][-4:]}": "only here",
        "••••XYZ9": "only there",
    }
    assert agrees["license_key"] not in answer.out


async def test_a_rehearsal_of_a_bad_file_or_with_bad_charges_says_what_is_wrong(evergreen, folder):
    good = book.write(folder / "good.csv", [book.row()])
    bad = book.write(folder / "bad.csv", [book.row(product="SmarterMial")])
    charges = folder / "charges.csv"
    charges.write_text("license_key,on,amount,currency\nA-KEY,2027-02-30,1.00,GBP\n")

    no_date = await evergreen("import", good, "--rehearse")
    misspelled = await evergreen("import", bad, "--rehearse", "--until", expiring(300))
    no_day = await evergreen("import", good, "--rehearse", "--until", expiring(300), "--compare", charges)

    assert [answer.code for answer in (no_date, misspelled, no_day)] == [2, 2, 2]
    assert "--until" in no_date.said
    assert "line 2" in no_day.said
