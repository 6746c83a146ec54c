"""What every answer carries, and what is refused wherever it comes from."""

from __future__ import annotations

import re

import httpx
import pytest

from portal.security.cookies import SESSION, VISITOR
from portal.security.headers import content_security_policy
from portal.security.visits import is_own_path
from tests.portal.application import portal_application

POLICY = "default-src 'none'"


async def test_no_page_may_load_or_lead_anywhere_else(book, somebody):
    for path in ("/sign-in", "/nothing/here", "/static/portal.css", "/healthz"):
        headers = (await somebody.open(path)).headers
        assert headers["content-security-policy"].startswith(POLICY)
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"


def test_a_form_may_lead_to_the_card_page_and_nowhere_else_outside():
    policy = content_security_policy(["https://cards.example"])

    assert "form-action 'self' https://cards.example" in policy
    assert policy.count("https:") == 1


async def test_pages_are_not_kept_and_files_are_kept_until_they_change(book, somebody):
    page = await somebody.open("/sign-in")
    (stylesheet,) = re.findall(r'href="(/static/portal\.css\?v=\w+)"', page.text)

    assert page.headers["cache-control"] == "no-store"
    assert "immutable" in (await somebody.open(stylesheet)).headers["cache-control"]


async def test_no_page_has_a_script_or_a_style_of_its_own(ann, somebody):
    await somebody.sign_in(ann.email)
    for path in ("/subscriptions", "/account", "/nothing"):
        html = (await somebody.open(path)).text
        assert not re.findall(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", html), path


async def test_a_form_without_its_token_changes_nothing(ann, somebody):
    await somebody.sign_in(ann.email)

    for token in ({}, {"form_token": "0" * 64}, {"form_token": ""}):
        answer = await somebody.post("/sign-out", token)
        assert answer.status_code == 403
    assert "Nothing has been changed" in answer.text or "nothing has been changed" in answer.text
    assert (await somebody.open("/account")).status_code == 200
    assert ann.email in somebody.text


async def test_a_form_of_somebody_else_is_refused(ann, browser):
    mine, theirs = await browser(), await browser()
    await mine.sign_in(ann.email)
    await theirs.open("/sign-in")
    token = dict(theirs.form("/sign-in").fields)["form_token"]

    assert (await mine.post("/sign-out", {"form_token": token})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-origin"},
        {},
    ],
)
async def test_a_form_from_another_site_is_refused_even_with_the_right_token(ann, somebody, headers):
    await somebody.sign_in(ann.email)
    fields = dict(somebody.form("/sign-out").fields)

    answer = await somebody.http.post("/sign-out", data=fields, headers=headers)

    assert answer.status_code == 403
    assert (await somebody.open("/account")).url.path == "/account"


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(book, somebody):
    await somebody.open("/sign-in")

    async def endless():
        for _ in range(20):
            yield b"x" * 8192

    headers = {"Origin": somebody.origin, "Content-Type": "application/x-www-form-urlencoded"}
    said = await somebody.http.post("/sign-in", content=b"email=" + b"x" * 80_000, headers=headers)
    unsaid = await somebody.http.post("/sign-in", content=endless(), headers=headers)

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert "larger than is taken here" in said.text


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(ann, somebody):
    await somebody.open(await somebody.link(ann.email))
    answer = await somebody.submit("/sign-in/enter", follow=False)
    (cookie,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION}=")]

    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_over_https_the_browser_keeps_cookies_for_this_host_alone(world):
    app = portal_application(world, portal_url="https://portal.example")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://portal.example") as http:
        answer = await http.get("/sign-in")

    assert answer.headers["set-cookie"].startswith(f"__Host-{VISITOR}=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_errors_are_written_for_their_reader(ann, somebody):
    assert (await somebody.open("/nothing/here")).status_code == 404
    assert "There is nothing here" in somebody.text
    assert (await somebody.http.put("/sign-in", headers={"Origin": somebody.origin})).status_code == 405
    await somebody.sign_in(ann.email)
    await somebody.open("/nothing/here")
    assert "Sign out" in somebody.text


@pytest.mark.parametrize("path", ["/", "/subscriptions/sub_1", "/invoices?before=3"])
def test_a_page_of_ours_may_follow_the_sign_in(path):
    assert is_own_path(path)


@pytest.mark.parametrize("path", ["", "x", "//x", "/\\x", "/a\\b", "/a\nb", "http://x", "/" + "x" * 600])
def test_nothing_else_may(path):
    assert not is_own_path(path)
