"""Staff who sign in with their company account; the identity provider is a small program of the test's own."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from portal.sign_in.identity_provider import IdentityProvider
from tests.portal.application import portal_application
from tests.portal.visitor import OPS

ISSUER, CLIENT, PORTAL = "https://id.example", "evergreen", "https://portal.example"


class Company:
    """An identity provider that vouches for whatever the test says."""

    def __init__(self, **claims):
        self.key = RSAKey.generate_key(2048, parameters={"kid": "1"}, private=True)
        self.claims = {"iss": ISSUER, "aud": CLIENT, "email": OPS, "email_verified": True} | claims
        self.asked = {}

    @property
    def app(self):
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.doors),
                Route("/keys", self.keys),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def doors(self, _request):
        there = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return JSONResponse({"issuer": ISSUER} | {door: ISSUER + path for door, path in there.items()})

    async def keys(self, _request):
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def token(self, request):
        self.asked = dict(await request.form())
        now = int(time.time())
        claims = {"nonce": self.nonce, "exp": now + 60, "iat": now} | self.claims
        return JSONResponse({"id_token": jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)})


@asynccontextmanager
async def arrived(world, company, state=None):
    """A browser that comes back from the company's page."""
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(company.app)) as http,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(
                portal_application(
                    world,
                    portal_url=PORTAL,
                    identity_provider=IdentityProvider(ISSUER, CLIENT, "a secret", http),
                )
            ),
            base_url=PORTAL,
        ) as browser,
    ):
        left = await browser.get("/sign-in/staff")
        query = {
            name: values[0] for name, values in parse_qs(urlsplit(left.headers["location"]).query).items()
        }
        company.nonce = query["nonce"]
        back = {"code": "a code", "state": state or query["state"]}
        yield await browser.get("/sign-in/staff/back", params=back), browser


async def test_staff_are_signed_in_with_the_role_that_the_list_gives_them(world, book):
    company = Company()
    async with arrived(world, company) as (answer, browser):
        assert (answer.status_code, answer.headers["location"]) == (303, "/staff")
        assert "ops" in (await browser.get("/account")).text
    assert len(company.asked["code_verifier"]) == 43


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@evergreen.example"},
        {"email_verified": False},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"nonce": "another"},
        {"exp": 1},
    ],
)
async def test_nobody_comes_in_whom_the_provider_does_not_vouch_for_to_us(world, book, claims):
    async with arrived(world, Company(**claims)) as (answer, browser):
        assert answer.status_code == 403
        assert (await browser.get("/staff")).status_code == 303


async def test_a_token_that_another_key_signed_is_no_proof(world, book):
    company = Company()
    forger = RSAKey.generate_key(2048, parameters={"kid": "1"}, private=True)
    honest, company.key = company.key, forger

    async def keys(_request):
        return JSONResponse(KeySet([honest]).as_dict(private=False))

    company.keys = keys
    async with arrived(world, company) as (answer, _browser):
        assert answer.status_code == 403


async def test_an_answer_that_this_browser_did_not_ask_for_is_not_taken(world, book):
    async with arrived(world, Company(), state="another") as (answer, _browser):
        assert answer.status_code == 410
