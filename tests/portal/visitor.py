"""Somebody with a browser that runs no scripts: cookies, links, forms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from db import sign_in_links
from tests.money.world import World
from tests.portal.forms import PageForm, forms, text_of

SUPPORT, OPS = "jo@evergreen.example", "al@evergreen.example"
"""Who may sign in as staff on an embedded stack."""


@dataclass
class Visitor:
    """A browser on the running portal."""

    world: World
    http: httpx.AsyncClient
    page: httpx.Response = field(init=False)
    """The page that is shown now."""

    @property
    def text(self) -> str:
        """What is to be read on it."""
        return text_of(self.page.text)

    async def open(self, path: str) -> httpx.Response:
        """Follow a link."""
        self.page = await self.http.get(path, follow_redirects=True)
        return self.page

    async def submit(
        self, action: str, button: str = "", follow: bool = True, **fields: str | list[str]
    ) -> httpx.Response:
        """Fill in and send the form of the shown page that goes there."""
        self.page = await self.send(self.form(action, button), follow, **fields)
        return self.page

    def form(self, action: str, button: str = "") -> PageForm:
        """The form of the shown page that goes there; `button` tells two that go to the same place apart."""
        found = [
            form
            for form in forms(self.page.text)
            if form.action == action and (not button or button in form.buttons)
        ]
        assert found, f"no form to {action} on {self.page.url}: {self.text}"
        return found[0]

    async def upload(self, form: PageForm, filename: str, content: bytes, **fields: str) -> httpx.Response:
        """Send a form with a file in it."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        self.page = await self.http.post(
            form.action,
            data=dict(form.fields) | fields,
            files={"file": (filename, content)},
            headers=headers,
            follow_redirects=True,
        )
        return self.page

    async def send(self, form: PageForm, follow: bool = True, **fields: str | list[str]) -> httpx.Response:
        """Send a form, as often as one likes."""
        data: dict[str, str | list[str]] = {}
        for name, value in form.fields:
            data[name] = [*data[name], value] if name in data else value  # type: ignore[misc]
        return await self.post(form.action, data | fields, follow)

    async def post(self, path: str, data: dict[str, str | list[str]], follow: bool = True) -> httpx.Response:
        """Send fields as a page of the portal's own does."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return await self.http.post(path, data=data, headers=headers, follow_redirects=follow)

    @property
    def origin(self) -> str:
        """The portal's, as a browser writes it."""
        return str(self.http.base_url).rstrip("/")

    async def sign_in(self, email: str) -> None:
        """Come in by a fresh link."""
        await self.open(await self.link(email))
        await self.submit("/sign-in/enter")
        assert self.page.status_code == 200, self.text

    async def link(self, email: str, onward: str = "") -> str:
        """A link that would be mailed to the address, without the portal's own address."""
        async with self.world.sessions.begin() as session:
            person = await sign_in_links.person_of(session, email, self.world.settings.staff)
            assert person is not None, email
            return (await sign_in_links.issue(session, person, datetime.now(UTC), onward)).path


@asynccontextmanager
async def visitor(world: World) -> AsyncIterator[Visitor]:
    """A browser with nothing in it yet."""
    async with httpx.AsyncClient(base_url=world.portal, timeout=40, trust_env=False) as http:
        yield Visitor(world, http)
