"""When the vendor is slow, broken, away or forgetful: what we are told, and what was done (R25)."""

import asyncio
import time
from dataclasses import replace
from datetime import date

import httpx
import pytest

from tests.vendor.running import SandboxVendor, renewal
from vendor.http import HttpVendor
from vendor.license_vendor import Unauthorized, VendorRefused, VendorUnavailable


async def test_a_lost_reply_is_an_unknown_outcome_that_can_be_looked_up(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register()
    sandbox.fault("lose_reply", key, times=1)

    with pytest.raises(VendorUnavailable):
        await vendor.place(renewal(key))

    found = await vendor.find(renewal(key).reference)
    assert found is not None
    assert found.to_expires_on == (await vendor.read(key)).expires_on == date(2028, 8, 31)
    assert await vendor.place(renewal(key)) == found
    assert len(sandbox.orders(key)) == 1


@pytest.mark.parametrize("kind", ["fail", "down", "rate_limit"])
async def test_a_vendor_in_trouble_is_unavailable_and_has_done_nothing(
    vendor: HttpVendor, sandbox: SandboxVendor, kind: str
):
    key = sandbox.register()
    sandbox.fault(kind, key, times=2)

    with pytest.raises(VendorUnavailable):
        await vendor.place(renewal(key))
    with pytest.raises(VendorUnavailable):
        await vendor.read(key)

    assert await vendor.find(renewal(key).reference) is None
    assert (await vendor.place(renewal(key))).to_expires_on == date(2028, 8, 31)


async def test_a_rate_limit_says_how_long_to_wait(vendor: HttpVendor, sandbox: SandboxVendor):
    key = sandbox.register()
    sandbox.fault("rate_limit", key, times=1, seconds=7)

    with pytest.raises(VendorUnavailable) as limited:
        await vendor.read(key)

    assert limited.value.retry_after_seconds == 7


async def test_a_slow_vendor_is_given_up_in_time(vendor: HttpVendor, sandbox: SandboxVendor):
    key = sandbox.register()
    sandbox.fault("slow", key, times=1, seconds=60)

    began = time.monotonic()
    with pytest.raises(VendorUnavailable, match=r"within 0\.2 s"):
        await replace(vendor, timeout_seconds=0.2).read(key)

    assert time.monotonic() - began < 10


async def test_a_vendor_that_was_given_up_may_do_the_work_all_the_same(
    vendor: HttpVendor, sandbox: SandboxVendor
):
    key = sandbox.register()
    sandbox.fault("slow", key, times=1, seconds=1.5)

    with pytest.raises(VendorUnavailable):
        await replace(vendor, timeout_seconds=1).place(renewal(key))

    async with asyncio.timeout(20):
        while await vendor.find(renewal(key).reference) is None:
            await asyncio.sleep(0.05)
    assert (await vendor.place(renewal(key))).to_expires_on == date(2028, 8, 31)
    assert len(sandbox.orders(key)) == 1


async def test_an_answer_that_drips_is_given_up_in_time():
    """A time-out per read would wait for this one for ever."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient() as client:
        with pytest.raises(VendorUnavailable, match="within"):
            await HttpVendor(f"http://127.0.0.1:{port}", "t", 0.3, client).read("SM-DEMO-0001")


async def test_a_vendor_that_does_not_run_is_unavailable(own_vendor: HttpVendor, own_sandbox: SandboxVendor):
    own_sandbox.stop()

    with pytest.raises(VendorUnavailable):
        await own_vendor.find("any")


async def test_a_read_back_may_lag_behind_the_order(vendor: HttpVendor, sandbox: SandboxVendor):
    key = sandbox.register()
    sandbox.fault("lag", key, times=1, reads=2)

    await vendor.place(renewal(key))

    expiries = [(await vendor.read(key)).expires_on.year for _ in range(4)]
    assert expiries == [2027, 2027, 2028, 2028]


async def test_trouble_may_be_for_one_operation_until_it_is_lifted(
    own_vendor: HttpVendor, own_sandbox: SandboxVendor
):
    own_sandbox.control("POST", "/sandbox/faults", json={"kind": "down", "on": ["find"]})
    key = own_sandbox.register()

    await own_vendor.read(key)
    for _ in range(3):
        with pytest.raises(VendorUnavailable):
            await own_vendor.find("any")

    assert own_sandbox.control("DELETE", "/sandbox/faults", params={"kind": "down"}) == []
    assert await own_vendor.find("any") is None


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_a_wrong_token_is_no_refusal_of_the_license(
    vendor: HttpVendor, sandbox: SandboxVendor, token: str
):
    """A setting that is wrong must never refund every customer (R23)."""
    key = sandbox.register()

    with pytest.raises(Unauthorized) as unauthorized:
        await replace(vendor, token=token).read(key)

    assert not isinstance(unauthorized.value, VendorRefused)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>no such page</html>"),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(404, json=["unknown_key"]),
        httpx.Response(409, json={"code": "expiry_differs"}),
        httpx.Response(200, text="<html>welcome</html>"),
        httpx.Response(200, json={"orders": None}),
        httpx.Response(200, json={"expires_on": 1700006400}),
        httpx.Response(302, headers={"Location": "https://elsewhere.example"}),
    ],
)
async def test_an_answer_outside_the_contract_proves_nothing(answer: httpx.Response):
    """A proxy's 404 is neither 'unknown key' nor 'no such order'."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
        vendor = HttpVendor("http://vendor.example", "t", 5, client)
        for question in (
            vendor.read("SM-DEMO-0001"),
            vendor.find("a"),
            vendor.place(renewal("SM-DEMO-0001")),
        ):
            with pytest.raises(VendorUnavailable):
                await question
