"""What every answer carries: what a page may load and where it may lead, and that nobody keeps a copy of it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static/"

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with that, browsers hide from us too where a form came from (portal.security.origin).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Headers:
    """Adds them to whatever is answered, errors too."""

    def __init__(self, app: ASGIApp, secure: bool, card_page_origins: Sequence[str] = ()) -> None:
        self._app = app
        self._headers = _FIXED | {"Content-Security-Policy": content_security_policy(card_page_origins)}
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", _caching(scope["path"], message["status"]))
            await send(message)

        return await self._app(scope, receive, sending)


def content_security_policy(card_page_origins: Sequence[str]) -> str:
    """Nothing from anywhere but us, nothing inline; a form may lead to the payment provider's page."""
    rules = {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": " ".join(("'self'", *card_page_origins)),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _caching(path: str, status: int) -> str:
    """Files carry their version in their address; pages show what somebody owns, and are not kept."""
    return "public, max-age=31536000, immutable" if path.startswith(STATIC) and status == 200 else "no-store"
