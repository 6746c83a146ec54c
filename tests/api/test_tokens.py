"""Who may come in, and for what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from db import api_tokens
from db.models.api import ApiToken
from tests.api.program import is_problem, program_with
from tests.money.world import World
from tests.portal.application import portal_application

READS = [
    "/imports",
    "/imports/imp_1",
    "/subscriptions",
    "/subscriptions/sub_1",
    "/orders/ord_1",
    "/customers/cus_1/credits",
    "/customers/cus_1/invoices",
    "/invoices/INV-1",
    "/invoices/INV-1/pdf",
    "/requests",
    "/requests/req_1",
    "/updates",
    "/updates/upd_1",
]
WRITES = {
    "/imports": ("imports:write", {"rows": [{}]}),
    "/purchases": (
        "money:write",
        {"reference": "R-1", "license_key": "SM-TEST-0000-0001", "amount": "1.00", "currency": "GBP"},
    ),
    "/subscriptions/sub_1/cancel": ("subscriptions:write", {}),
    "/subscriptions/sub_1/resume": ("subscriptions:write", {}),
    "/subscriptions/sub_1/quotes": ("money:write", {"addons": ["MAPI & EWS"]}),
    "/subscriptions/sub_1/orders": ("money:write", {"addons": ["MAPI & EWS"], "quote_id": "quo_1"}),
    "/customers/cus_1/credits": (
        "money:write",
        {"amount": "1.00", "currency": "GBP", "reference": "r", "reason": "r"},
    ),
    "/requests": (
        "subscriptions:write",
        {"kind": "other", "customer_email": "jo@example.com", "text": "call me"},
    ),
    "/updates/upd_1/done": ("updates:write", {"expires_on": "2030-01-01"}),
    "/updates/upd_1/refused": ("updates:write", {"reason": "RevokedKey"}),
}
REVEAL = "/updates/upd_1/license-key"


async def test_every_route_is_in_the_tables_of_this_file(world, billing):
    """A new route must say here which scope it needs."""
    paths = (await billing.get("/openapi.json")).json()["paths"]
    described = {(method, path.count("/")) for path in paths for method in paths[path]}
    tabled = {("get", path.count("/")) for path in [*READS, REVEAL]} | {
        ("post", path.count("/")) for path in WRITES
    }

    assert described == tabled
    assert sum(len(path) for path in paths.values()) == len(READS) + len(WRITES) + 1


async def test_without_a_token_nothing_is_told(world: World, billing):
    async with httpx.AsyncClient(base_url=world.portal, trust_env=False) as nobody:
        for path in [*READS, REVEAL, "/nothing/here"]:
            answer = await nobody.get(f"/api/v1{path}")
            assert is_problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path, (_scope, body) in WRITES.items():
            assert is_problem(await nobody.post(f"/api/v1{path}", json=body), 401, "unauthorized")
        forged = {"Authorization": "Bearer evg_made-up"}
        assert is_problem(await nobody.get("/api/v1/subscriptions", headers=forged), 401, "unauthorized")


async def test_a_token_of_another_scope_may_not(world: World, billing):
    async with program_with(world, "read") as reader, program_with(world, "keys:reveal") as revealer:
        for path in READS:
            assert (await reader.get(path)).status_code in (200, 404)
            assert is_problem(await revealer.get(path), 403, "out-of-scope")
        assert is_problem(await reader.get(REVEAL), 403, "out-of-scope")
        for path, (scope, body) in WRITES.items():
            answer = await reader.post(path, body)
            assert is_problem(answer, 403, "out-of-scope")
            assert scope in answer.json()["detail"]
    for scope in {scope for scope, _body in WRITES.values()}:
        others = [other for other in api_tokens.SCOPES if other != scope]
        async with program_with(world, *others) as other, program_with(world, scope) as fitting:
            for path, (needed, body) in WRITES.items():
                if needed == scope:
                    assert (await other.post(path, body)).status_code == 403
                    assert (await fitting.post(path, body)).status_code in (201, 404, 409, 422)


async def test_an_expired_or_revoked_token_is_of_no_use(world: World, billing):
    async with program_with(world, days=-1) as expired:
        answer = await expired.get("/subscriptions")
        assert is_problem(answer, 401, "unauthorized")
        assert "expired" in answer.json()["detail"]
    async with program_with(world) as program:
        assert (await program.get("/subscriptions")).status_code == 200
        async with world.sessions.begin() as session:
            found = await api_tokens.of(session, program.token)
            await api_tokens.revoke(session, found.id, "support:jo", found.at)
        assert "revoked" in (await program.get("/subscriptions")).json()["detail"]


async def test_a_token_is_never_kept_and_its_use_is(world: World, billing):
    await billing.get("/subscriptions")

    async with world.sessions() as session:
        rows = (await session.scalars(select(ApiToken))).all()
    assert billing.token.startswith("evg_")
    assert not [row for row in rows if billing.token.encode() in row.token_digest]
    assert [row.used_at for row in rows] != [None]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing/here", 404, "not-found"),
        ("DELETE", "/subscriptions", 405, "method-not-allowed"),
        ("GET", "/subscriptions?limit=0", 422, "invalid"),
        ("GET", "/subscriptions?cursor=mine", 422, "invalid"),
        ("GET", "/subscriptions/%00", 400, "bad-request"),
    ],
)
async def test_what_cannot_be_is_a_problem_too(world, billing, method, path, status, kind):
    assert is_problem(await billing.http.request(method, f"/api/v1{path}"), status, kind)


async def test_a_body_in_another_format_or_too_large_is_refused(billing):
    xml = {"Content-Type": "application/xml"}
    assert is_problem(
        await billing.post("/purchases", b"<purchase/>", headers=xml), 415, "unsupported-media-type"
    )
    assert is_problem(
        await billing.post("/purchases", b"{", headers={"Content-Type": "application/json"}), 422, "invalid"
    )
    large = b"a" * (33 * 2**20)
    csv = {"Content-Type": "text/csv"}
    assert is_problem(await billing.post("/imports", large, headers=csv), 413, "too-large")


async def test_a_token_that_asks_too_often_is_told_when_to_come_again(world: World, book):
    """Counted in the database, by token: another one is let in meanwhile."""
    now = datetime.now(UTC)
    app = portal_application(world, api_requests_per_minute=2, clock=lambda: now)
    later = portal_application(world, api_requests_per_minute=2, clock=lambda: now + timedelta(minutes=1))
    async with program_with(world, "read") as busy, program_with(world, "read") as other:

        async def ask(program, application):
            transport = httpx.ASGITransport(application)
            headers = {"Authorization": f"Bearer {program.token}"}
            async with httpx.AsyncClient(transport=transport, base_url=world.portal) as http:
                return await http.get("/api/v1/subscriptions", headers=headers)

        assert [(await ask(busy, app)).status_code for _ in range(2)] == [200, 200]
        refused = await ask(busy, app)
        assert is_problem(refused, 429, "too-often")
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert (await ask(other, app)).status_code == 200
        assert (await ask(busy, later)).status_code == 200
