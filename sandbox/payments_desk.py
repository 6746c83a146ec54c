"""The sandbox provider's front desk: those of Stripe's endpoints that Evergreen uses, and their neighbors."""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from sandbox.hang_up import HangUp
from sandbox.payments_book import Book
from sandbox.payments_endpoints import Endpoint, Endpoints
from sandbox.payments_faults import Faults
from sandbox.payments_parameters import Parameters, checked, parameters
from sandbox.payments_problems import Problem
from sandbox.payments_requests import Answer, Requests
from sandbox.payments_shapes import API_VERSION, Shape
from sandbox.payments_webhooks import Messenger

log = logging.getLogger("sandbox.payments")


@dataclass(frozen=True)
class Desk:
    """Takes requests: who asks, in what trouble, was it asked before, is it well formed; then it is done."""

    book: Book
    endpoints: Endpoints
    requests: Requests
    faults: Faults
    messenger: Messenger

    def routes(self) -> APIRouter:
        """One route for each endpoint, and Stripe's answer to anything else."""
        router = APIRouter(tags=["stripe"])
        for endpoint in self.endpoints.all():
            take = self._taker(endpoint)
            router.add_api_route(endpoint.path, take, methods=[endpoint.method], name=endpoint.operation)
        everything = ["GET", "POST", "DELETE", "PUT", "PATCH"]
        router.add_api_route("/v1/{rest:path}", self.unknown, methods=everything, include_in_schema=False)
        return router

    async def unknown(self, request: Request) -> Response:
        """Stripe's answer to an address that is none of its own, or that is not played here."""
        what = f"Unrecognized request URL ({request.method}: {request.url.path})."
        raise Problem(404, "invalid_request_error", what)

    def _taker(self, endpoint: Endpoint) -> Callable[[Request], Any]:
        async def take(request: Request) -> Response:
            authorize(request.headers.get("authorization", ""))
            given = parameters(await _encoded(request))
            key = request.headers.get("idempotency-key") if endpoint.method == "POST" else None
            if key:
                self.requests.begin(key)
            try:
                return await self._take(endpoint, request, given, key)
            finally:
                if key:
                    self.requests.end(key)

        return take

    async def _take(
        self, endpoint: Endpoint, request: Request, given: Parameters, key: str | None
    ) -> Response:
        reference = str(request.path_params.get("id", ""))
        customer = self._customer(given, reference)
        await self.faults.strike(endpoint.operation, customer)

        def work() -> Shape:
            form = checked(endpoint.form, given)
            return self.endpoints.expanded(endpoint.work(reference, form), form.expand)

        asked = json.dumps([request.url.path, given], sort_keys=True)
        answer = self.requests.carry_out(key, asked, work)
        self.messenger.wake()
        if endpoint.method == "POST":
            log.info("%s %s: %d%s", key, request.url.path, answer.status, _again(answer))
        if self.faults.take("lose_reply", endpoint.operation, customer):
            log.info("reply lost on purpose")
            return HangUp()
        echo = {"Idempotency-Key": key} if key else {}
        headers = answer.headers | echo | {"Stripe-Version": API_VERSION}
        return Response(answer.content, answer.status, headers, "application/json")

    def _customer(self, given: Parameters, reference: str) -> str | None:
        """The customer whom a request is about, as far as can be told before it is carried out."""
        named = (given.get(name) for name in ("customer", "payment_intent", "charge"))
        reference = next((name for name in named if isinstance(name, str)), reference)
        about = self.book.find(reference) or {}
        return reference if about.get("object") == "customer" else about.get("customer")


def authorize(authorization: str) -> None:
    """Let in who has a secret key of Stripe's test mode, whichever. Raises `Problem`."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == "basic":  # as `curl -u KEY:` has it
        with suppress(ValueError):
            key = b64decode(key).decode().partition(":")[0]
    if not key:
        raise Problem(401, "invalid_request_error", "You did not provide an API key.")
    if not key.startswith("sk_test_"):
        raise Problem(401, "invalid_request_error", f"Invalid API Key provided: {key[:8]}****")


async def _encoded(request: Request) -> str:
    if request.method == "GET":
        return request.url.query
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise Problem(400, "invalid_request_error", "Invalid request body") from None


def _again(answer: Answer) -> str:
    return ", a repeat" if answer.original else ""
