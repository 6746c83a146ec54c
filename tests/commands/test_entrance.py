"""A way into the portal without a mail: made by whoever can reach the database, and written down."""

from __future__ import annotations

from datetime import datetime

import pytest

from db import sign_in_links
from tests.commands import book


@pytest.mark.parametrize("who", ["customer", "staff"])
async def test_a_link_is_made_for_whoever_is_known(evergreen, folder, sessions, variables, who):
    row = book.row()
    await evergreen("import", book.write(folder / "entrance.csv", [row]))
    email = row["customer_email"] if who == "customer" else "jo@evergreen.example"

    made = await evergreen("sign-in-link", email, "--by", "ops:al", "--json")

    assert made.code == 0
    address, token = made.json["link"].split(sign_in_links.PATH)
    assert address == variables.get("EVERGREEN_PORTAL_URL", "http://127.0.0.1:8000")
    async with sessions() as session:
        now = datetime.fromisoformat(made.json["lapses_at"]) - sign_in_links.GOOD_FOR
        link = await sign_in_links.usable(session, token, now)
    assert link is not None
    assert (link.person, link.role) == (who, "support" if who == "staff" else None)


async def test_nobody_unknown_gets_one(evergreen):
    refused = await evergreen("sign-in-link", "nobody@example.org")

    assert refused.code == 1
    assert "nobody has this address" in refused.said
