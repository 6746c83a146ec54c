"""Reading: pages of a list, filters, and what is never told."""

from __future__ import annotations


async def test_a_list_comes_page_by_page_with_nothing_twice_and_nothing_left_out(book, billing):
    customer = book.customer("GB")
    made = [(await book.subscription(customer)).id for _ in range(5)]

    first = (await billing.get("/subscriptions", limit=2)).json()
    later = (await book.subscription(customer)).id
    found, cursor = [one["id"] for one in first["data"]], first["next_cursor"]
    while cursor:
        page = (await billing.get("/subscriptions", limit=2, cursor=cursor)).json()
        found += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]

    assert found == [*made, later]


async def test_subscriptions_are_found_by_customer_state_and_the_end_of_their_key(book, billing):
    ann, ben = book.customer("GB"), book.customer("GB")
    hers = await book.subscription(ann)
    await book.subscription(ben)
    ends = (await hers.row()).license.last_four

    async def ids(**filters):
        return [one["id"] for one in (await billing.get("/subscriptions", **filters)).json()["data"]]

    assert await ids(customer=ann.id) == await ids(customer=ann.email) == [hers.id]
    assert hers.id in await ids(key_ends=ends)
    assert len(await ids(state="active")) == 2
    assert await ids(state="lapsed") == await ids(customer="nobody@example.com") == []
    shown = (await billing.get(f"/subscriptions/{hers.id}")).json()
    assert shown["license"]["key"].endswith(ends)
    assert len(shown["license"]["key"].strip("•…*")) == 4


async def test_the_reference_loads_nothing_from_elsewhere(billing):
    page = await billing.get("/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert "http" not in page.text.replace("https://billing", "")
    assert 'id="out-of-scope"' in page.text
    assert (await billing.get("/openapi.json")).json()["openapi"].startswith("3.1")
