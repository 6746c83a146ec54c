"""The codec's door: opens for staff what is ours, for nobody else, and for one origin only."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from portal.codec import CodecDoor
from portal.codec_limits import LARGEST_BODY_BYTES, MOST_PAYLOADS, MOST_REFUSALS, WINDOW_SECONDS, Tries
from sealing.keys import Keys
from sealing.passes import Passes, PassRefused
from sealing.payloads import ABOUT, ENCODING, KEY_ID, SealedPayloads, is_sealed

UI = "http://127.0.0.1:8233"
KEYS = Keys({"now": bytes(range(32)), "before": bytes(range(32, 64))})
OTHERS = Keys({"now": bytes(range(64, 96))})
CODEC, PASSES = SealedPayloads(KEYS), Passes(KEYS)
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'{"by":"support:jo"}')
NOW = datetime.now(UTC)


class Clock:
    """A clock that a test moves."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def knocking(door: CodecDoor | None = None, may: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at the door, with a pass unless they may not."""
    app = (door or CodecDoor(CODEC, PASSES, UI)).application()
    headers = {"Authorization": f"Bearer {PASSES.write('ops:al', NOW + timedelta(hours=1))}"} if may else {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://portal", headers=headers
    ) as http:
        yield http


def asked(*payloads: Payload) -> dict[str, Any]:
    return json_format.MessageToDict(Payloads(payloads=payloads))


def answered(response: httpx.Response) -> list[Payload]:
    assert response.status_code == 200, response.text
    return list(json_format.Parse(response.content, Payloads()).payloads)


async def test_staff_with_a_pass_have_payloads_opened_and_sealed():
    async with knocking() as http:
        [sealed] = answered(await http.post("/encode", json=asked(PLAIN)))
        [twice] = answered(await http.post("/encode", json=asked(sealed)))
        old = SealedPayloads(Keys({"before": KEYS.by_id["before"]})).sealed(PLAIN)
        opened = answered(await http.post("/decode", json=asked(sealed, old, PLAIN)))

    assert is_sealed(sealed)
    assert twice == sealed, "sealed once is enough"
    assert opened == [PLAIN, PLAIN, PLAIN]


async def test_nobody_without_a_pass_gets_anything():
    sealed = asked(CODEC.sealed(PLAIN))
    passes = {
        "none": "",
        "of no kind": "Bearer let-me-in",
        "by other keys": f"Bearer {Passes(OTHERS).write('ops:al', NOW + timedelta(hours=1))}",
        "run out": f"Bearer {PASSES.write('ops:al', NOW - timedelta(seconds=1))}",
        "another scheme": f"Basic {PASSES.write('ops:al', NOW + timedelta(hours=1))}",
        "a payload for a pass": "Bearer " + base64.b64encode(CODEC.sealed(PLAIN).data).decode(),
    }
    async with knocking(may=False) as http:
        for name, text in passes.items():
            for path in ("/decode", "/encode", "/secret/decode", "//decode"):
                answer = await http.post(path, json=sealed, headers={"Authorization": text})
                assert answer.status_code in (401, 404), name
                assert "support:jo" not in answer.text


async def test_a_pass_of_a_dropped_key_is_none():
    text = Passes(Keys({"before": KEYS.by_id["before"]})).write("ops:al", NOW + timedelta(hours=1))

    assert PASSES.holder(text, NOW) == "ops:al"
    with pytest.raises(PassRefused):
        Passes(Keys({"now": KEYS.by_id["now"]})).holder(text, NOW)


async def test_what_is_not_ours_is_not_opened():
    """A license key's bytes, another's payload, a changed one: they come back as they went in."""
    changed = CODEC.sealed(PLAIN)
    changed.data = changed.data[:-1] + bytes([changed.data[-1] ^ 1])
    license_key = Payload(
        metadata={"encoding": ENCODING, KEY_ID: b"now"}, data=KEYS.seal(b"SM-SECRET-KEY", b"lic_1")
    )
    no_payload = Payload(
        metadata={"encoding": ENCODING, KEY_ID: b"now"}, data=KEYS.seal(b"\xff\xff", ABOUT + b"now")
    )
    unknown = Payload(metadata={"encoding": ENCODING, KEY_ID: b"gone"}, data=bytes(40))
    hollow = Payload(metadata={"encoding": ENCODING})
    foreign = [changed, license_key, no_payload, unknown, hollow, SealedPayloads(OTHERS).sealed(PLAIN)]
    async with knocking() as http:
        assert answered(await http.post("/decode", json=asked(*foreign))) == foreign


async def test_only_a_page_of_the_temporal_ui_may_read_the_answer():
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-namespace"}
    async with knocking() as http:
        ours = await http.options("/decode", headers={"Origin": UI, **preflight})
        answer = await http.post("/decode", json=asked(PLAIN), headers={"Origin": UI})
        theirs = await http.options("/decode", headers={"Origin": "http://127.0.0.1:9999", **preflight})
        read = await http.post("/decode", json=asked(PLAIN), headers={"Origin": "http://127.0.0.1:9999"})

    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == UI
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["cache-control"] == "no-store"
    assert theirs.status_code == 400
    assert "access-control-allow-origin" not in read.headers


async def test_a_ui_that_sends_no_credentials_knocks_with_the_secret_in_its_address():
    async with knocking(CodecDoor(CODEC, PASSES, UI, ui_secret="s3cret"), may=False) as http:
        assert answered(await http.post("/s3cret/decode", json=asked(CODEC.sealed(PLAIN)))) == [PLAIN]
        assert (await http.post("/wrong/decode", json=asked(PLAIN))).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b'["x"]', 400),
        (b'{"payloads": 7}', 400),
        (b"\xff\xfe", 400),
        (b'{"payloads": [' + b"{}," * MOST_PAYLOADS + b"{}]}", 413),
        (b" " * (LARGEST_BODY_BYTES + 1), 413),
    ],
    ids=["nothing", "a list", "a number", "no text", "too many", "too long"],
)
async def test_a_body_that_is_none_or_too_large_is_refused(body: bytes, status: int):
    async with knocking() as http:
        assert (await http.post("/decode", content=body)).status_code == status


async def test_who_knocks_in_vain_too_often_has_to_wait():
    clock = Clock()
    door = CodecDoor(CODEC, PASSES, UI, tries=Tries(clock))
    async with knocking(door) as http:
        wrong = {"Authorization": "Bearer guess"}
        refused = [
            (await http.post("/decode", json=asked(), headers=wrong)).status_code
            for _ in range(MOST_REFUSALS + 1)
        ]
        assert refused == [401] * MOST_REFUSALS + [429]
        assert (await http.post("/decode", json=asked())).status_code == 429, "nor with a pass"
        clock.seconds += WINDOW_SECONDS
        assert (await http.post("/decode", json=asked())).status_code == 200


async def test_what_does_not_open_with_a_key_of_ours_is_told_and_not_passed_over():
    """The workflow's task waits for the right key then; leaving a request out would be to forget it."""
    sealed = CODEC.sealed(PLAIN)
    with pytest.raises(LookupError, match="now"):
        await SealedPayloads(Keys({"other": KEYS.by_id["now"]})).decode([sealed])
    with pytest.raises(Exception, match="changed, or sealed for something else"):
        await SealedPayloads(OTHERS).decode([sealed])
