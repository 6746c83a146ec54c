"""Coming in by a mailed link, and going out."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from db.models.notice import Notice
from db.models.sign_in import PortalSession, SignInLink
from notices.sealed import opened
from sandbox.mail_book import Book
from tests.portal.forms import text_of
from tests.portal.visitor import OPS, SUPPORT

NOBODY = "nobody@example.org"


async def until_sent(world, email):
    """Send what is in the outbox; the newest mail to the address as plain text."""
    await eventually_linked(world)
    sender = world.settings.sender(world.sessions)
    stop = asyncio.Event()
    sending = asyncio.create_task(sender.run(stop))
    try:
        async with asyncio.timeout(20):
            while not (found := mails(world, email)):
                await asyncio.sleep(0.05)
    finally:
        stop.set()
        await sending
    return found[0]


def mails(world, email):
    book = Book(world.folder / "mail.db")
    try:
        return [mail.part("plain") for mail in book.mails(to=email)]
    finally:
        book.close()


async def asked(somebody, email):
    await somebody.open("/sign-in")
    return await somebody.submit("/sign-in", email=email)


async def links(world):
    async with world.sessions() as session:
        return (await session.scalars(select(SignInLink))).all()


async def eventually_linked(world, number=1):
    async with asyncio.timeout(10):
        while len(await links(world)) < number:
            await asyncio.sleep(0.02)


async def test_a_customer_comes_in_by_the_link_in_their_mail(world, ann, somebody):
    await asked(somebody, ann.email)
    assert "Look into your mail" in somebody.text

    letter = await until_sent(world, ann.email)
    (link,) = re.findall(r"http\S+/sign-in/link/\S+", letter)
    await somebody.open(link)
    assert ann.email in somebody.text
    await somebody.submit("/sign-in/enter")

    assert str(somebody.page.url).endswith("/subscriptions")
    assert "SmarterMail Professional 250" in somebody.text


async def test_the_answer_is_the_same_for_an_address_that_nobody_has(world, ann, browser):
    known, unknown = await browser(), await browser()
    first, second = await asked(known, ann.email), await asked(unknown, NOBODY)

    assert (first.status_code, second.status_code) == (200, 200)
    assert text_of(first.text).replace(ann.email, "…") == text_of(second.text).replace(NOBODY, "…")
    assert first.headers.keys() == second.headers.keys()
    await eventually_linked(world)
    assert [link.customer_id for link in await links(world)] == [ann.id]


async def test_looking_at_a_link_does_not_use_it_and_using_it_does(ann, browser):
    scanner, reader, thief = await browser(), await browser(), await browser()
    link = await reader.link(ann.email)
    for _ in range(3):
        assert (await scanner.open(link)).status_code == 200

    await reader.open(link)
    await thief.open(link)
    await reader.submit("/sign-in/enter")
    assert "Subscriptions" in reader.text

    assert (await thief.submit("/sign-in/enter")).status_code == 410
    assert "This link is over" in thief.text
    assert (await thief.open(link)).status_code == 410


async def test_of_two_who_use_a_link_at_once_one_gets_in(ann, browser):
    first, second = await browser(), await browser()
    link = await first.link(ann.email)
    await first.open(link)
    await second.open(link)

    came = await asyncio.gather(first.submit("/sign-in/enter"), second.submit("/sign-in/enter"))

    assert sorted(page.status_code for page in came) == [200, 410]


async def test_a_double_click_signs_in(ann, somebody):
    await somebody.open(await somebody.link(ann.email))
    form = somebody.form("/sign-in/enter")

    came = await asyncio.gather(somebody.send(form, follow=False), somebody.send(form, follow=False))

    assert [answer.status_code for answer in came] == [303, 303]
    assert (await somebody.open("/subscriptions")).url.path == "/subscriptions"


async def test_a_link_is_over_after_fifteen_minutes(world, ann, somebody):
    link = await somebody.link(ann.email)
    async with world.sessions.begin() as session:
        [made] = (await session.scalars(select(SignInLink))).all()
        assert made.lapses_at - made.at == timedelta(minutes=15)
        await session.execute(
            update(SignInLink).values(
                at=SignInLink.at - timedelta(minutes=16),
                lapses_at=SignInLink.lapses_at - timedelta(minutes=16),
            )
        )

    assert (await somebody.open(link)).status_code == 410


async def test_neither_link_nor_cookie_can_be_read_off_the_tables(world, ann, somebody):
    await asked(somebody, ann.email)
    await eventually_linked(world)
    async with world.sessions() as session:
        notice = (await session.scalars(select(Notice).where(Notice.kind == "sign_in"))).one()
    secret = opened(world.settings.key_ring(), notice.facts)["sign_in_url"].rpartition("/")[2]
    await somebody.sign_in(ann.email)
    cookie = somebody.http.cookies["evergreen"]

    async with world.sessions() as session:
        for table in ("notices", "sign_in_links", "portal_sessions", "audit"):
            rows = str((await session.execute(text(f"SELECT * FROM {table}"))).all())
            assert secret not in rows
            assert cookie not in rows


async def test_signing_in_makes_a_new_session_and_ends_the_old_one_of_the_browser(ann, somebody):
    await somebody.sign_in(ann.email)
    before = somebody.http.cookies["evergreen"]
    await somebody.sign_in(ann.email)
    after = somebody.http.cookies["evergreen"]

    assert before != after
    somebody.http.cookies.set("evergreen", before, domain="127.0.0.1", path="/")
    somebody.http.cookies.delete("evergreen", domain="127.0.0.1")
    answer = await somebody.http.get("/subscriptions", headers={"Cookie": f"evergreen={before}"})
    assert answer.status_code == 303


async def test_signing_out_ends_one_session_and_everywhere_ends_all(ann, browser):
    here, there, elsewhere = [await browser() for _ in range(3)]
    for each in (here, there, elsewhere):
        await each.sign_in(ann.email)

    await here.submit("/sign-out")
    assert "You are signed out" in here.text
    assert "Sign in" in text_of((await here.open("/subscriptions")).text)
    await there.open("/account")
    assert "in 2 browsers" in there.text

    await there.submit("/sign-out", button="Sign out everywhere")
    assert "Every browser" in there.text
    await elsewhere.open("/subscriptions")
    assert str(elsewhere.page.url).endswith("/sign-in?onward=%2Fsubscriptions")


@pytest.mark.parametrize("changed", ["lapses_at", "seen_at"])
async def test_a_session_ends_by_itself(world, ann, somebody, changed):
    await somebody.sign_in(ann.email)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    async with world.sessions.begin() as session:
        await session.execute(update(PortalSession).values({changed: long_ago}))

    await somebody.open("/subscriptions")

    assert "/sign-in" in str(somebody.page.url)


async def test_whoever_signs_in_goes_on_to_the_page_they_wanted(world, ann, somebody):
    await somebody.open("/account")
    await somebody.submit("/sign-in", email=ann.email)
    await eventually_linked(world)
    assert [link.onward for link in await links(world)] == ["/account"]

    await somebody.open(await somebody.link(ann.email, "/account"))
    await somebody.submit("/sign-in/enter")
    assert str(somebody.page.url).endswith("/account")


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"]
)
async def test_nobody_is_led_to_another_site(ann, somebody, elsewhere):
    await somebody.open(await somebody.link(ann.email, elsewhere))
    answer = await somebody.submit("/sign-in/enter", follow=False)

    assert answer.headers["location"] == "/"


async def test_staff_come_in_with_their_role_and_customers_find_nothing_there(ann, browser):
    jo, al, customer = await browser(), await browser(), await browser()
    await jo.sign_in(SUPPORT)
    assert str(jo.page.url).endswith("/staff")
    assert "support" in jo.text
    await al.sign_in(OPS)
    assert "ops" in al.text
    await customer.sign_in(ann.email)
    assert (await customer.open("/staff")).status_code == 404


async def test_a_link_for_staff_is_mailed_to_them_alone(world, book, somebody):
    await asked(somebody, SUPPORT.upper())

    letter = await until_sent(world, SUPPORT)

    assert "/sign-in/link/" in letter
    assert not mails(world, world.settings.staff_address)


async def test_asking_too_often_is_refused_whoever_is_asked_for(book, somebody):
    answers = []
    for _ in range(6):
        await somebody.open("/sign-in")
        answers.append(await somebody.submit("/sign-in", email=NOBODY))

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 900
    assert "Too often" in somebody.text


async def test_what_is_no_address_is_said_at_the_field(book, somebody):
    answer = await asked(somebody, "jo@")

    assert answer.status_code == 422
    assert "like jo@example.com" in somebody.text
