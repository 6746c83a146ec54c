"""The company's own identity provider (OpenID Connect): it proves an address, nothing more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "ES256", "PS256"]
LEEWAY_SECONDS = 60


class NotProved(Exception):
    """The identity provider did not prove who it is; the text says why, for the log."""


@dataclass(frozen=True)
class IdentityProvider:
    """What we are told of it, and how we are known there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    http: httpx.AsyncClient

    async def discover(self) -> dict[str, Any]:
        """Where its doors are. Raises NotProved, httpx.HTTPError."""
        answer = await self.http.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        doors: dict[str, Any] = answer.raise_for_status().json()
        if doors.get("issuer") != self.issuer:
            raise NotProved("the provider calls itself by another name")
        return doors

    async def prove(self, code: str, back: str, verifier: str, nonce: str) -> str:
        """The address that the provider vouches for. Raises NotProved, httpx.HTTPError."""
        doors = await self.discover()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        answer = await self.http.post(
            doors["token_endpoint"], data=fields, auth=httpx.BasicAuth(self.client_id, self.client_secret)
        )
        keys = KeySet.import_key_set((await self.http.get(doors["jwks_uri"])).raise_for_status().json())
        return self.address(answer.raise_for_status().json()["id_token"], keys, nonce)

    def address(self, id_token: str, keys: KeySet, nonce: str) -> str:
        """The verified address in a token of the provider's for us, asked for by this browser. Raises NotProved."""
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
            email={"essential": True},
        )
        try:
            claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError) as wrong:
            raise NotProved(type(wrong).__name__) from wrong
        if claims.get("email_verified") is not True:
            raise NotProved("the address is not verified")
        return str(claims["email"]).lower()
