"""A license key appears in no error, no URL and no log (R28)."""

import logging
import traceback

import httpx
import pytest

from tests.vendor.running import SandboxVendor, renewal
from vendor.http import HttpVendor
from vendor.license_vendor import LicenseOrder, VendorError, masked


async def test_no_error_names_the_key(
    vendor: HttpVendor, sandbox: SandboxVendor, caplog: pytest.LogCaptureFixture
):
    """Looked for in the text, in its causes and in our own log, with httpx at its most talkative."""
    caplog.set_level(logging.DEBUG)
    key = sandbox.register()
    for kind in ("fail", "down", "rate_limit", "refuse", "lose_reply"):
        sandbox.fault(kind, key, times=1, on=["order"])

    texts = [await _told(vendor, renewal(key)) for _ in range(6)]
    texts.append(await _told(vendor, renewal(key, months=24)))
    for status in ("revoked", "unknown"):
        sandbox.control("POST", "/sandbox/licenses/status", json={"license_keys": [key], "status": status})
        texts.append(await _told(vendor, renewal(key, reference=f"secret/{status}")))

    assert texts.count("") == 1  # the one that was done
    assert not [text for text in texts if key in text]
    assert key not in caplog.text
    assert any(f"****{key[-4:]}" in text for text in texts)


async def test_the_sandbox_prints_no_key(own_vendor: HttpVendor, own_sandbox: SandboxVendor):
    key = own_sandbox.register()
    own_sandbox.fault("lose_reply", key, times=1)
    await _told(own_vendor, renewal(key))
    await own_vendor.read(key)
    await _told(own_vendor, renewal("SM-NEVER-SEEN-0001"))
    rejected = httpx.post(f"{own_sandbox.url}/sandbox/licenses", json=[{"license_key": key}])

    assert (rejected.status_code, key in rejected.text) == (400, False)
    own_sandbox.stop()
    assert renewal(key).reference in own_sandbox.log()
    assert key not in own_sandbox.log()
    assert "SM-NEVER-SEEN-0001" not in own_sandbox.log()


async def test_a_reason_that_quotes_the_key_is_masked():
    """Whoever wrote the vendor may not have been careful."""
    reason = {"code": "not_possible", "detail": "License sm secret 123456 (SM-SECRET-123456) is too old"}
    transport = httpx.MockTransport(lambda _: httpx.Response(422, json=reason))
    async with httpx.AsyncClient(transport=transport) as client:
        told = await _told(HttpVendor("http://vendor.example", "t", 5, client), renewal("SM-SECRET-123456"))

    assert "License ****3456 (****3456) is too old" in told
    assert "secret" not in told.lower().replace("test_license_key_secrecy", "")


async def test_no_request_has_the_key_in_its_address_or_headers():
    requests = []

    def note(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(500)

    async with httpx.AsyncClient(transport=httpx.MockTransport(note)) as client:
        vendor = HttpVendor("http://vendor.example", "t", 5, client)
        order = renewal("SM-SECRET-123456", reference="r")
        for question in (vendor.read(order.license_key), vendor.place(order), vendor.find("r")):
            with pytest.raises(VendorError):
                await question

    assert len(requests) == 3
    assert not [r for r in requests if "SECRET" in f"{r.url} {r.headers.multi_items()}".upper()]


def test_an_order_and_a_client_show_no_secret_when_printed():
    assert "SECRET" not in repr(renewal("SM-SECRET-123456", reference="r"))
    assert "s3cret" not in repr(HttpVendor("http://vendor.example", "s3cret", 5, httpx.AsyncClient()))


def test_a_key_is_masked_but_for_its_last_four_and_a_short_one_wholly():
    assert (masked("SM-SECRET-123456"), masked("1234567"), masked("")) == ("****3456", "****", "****")


async def _told(vendor: HttpVendor, order: LicenseOrder) -> str:
    """All that an order's error tells anyone, causes included; nothing if it went well."""
    try:
        await vendor.place(order)
    except VendorError as error:
        return "".join(traceback.format_exception(error))
    return ""
