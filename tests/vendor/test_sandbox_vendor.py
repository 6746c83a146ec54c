"""The sandbox vendor as a program: durable, quick, easy to stop, and as documented."""

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import suppress

import httpx
import pytest

from sandbox.vendor_problems import STATUS_OF_CODE
from tests.vendor.running import PATIENCE_SECONDS, ROOT, SandboxVendor, renewal
from vendor.http import HttpVendor
from vendor.license_vendor import PlacedOrder, VendorUnavailable

CONTRACT = (ROOT / "docs" / "vendor-api.md").read_text()


async def test_what_was_answered_survives_a_kill(own_vendor: HttpVendor, own_sandbox: SandboxVendor):
    """Killed in the middle of 200 orders, ten at a time: each that was answered is there, and none is there twice."""
    keys = [own_sandbox.register() for _ in range(200)]
    answered: list[PlacedOrder] = []
    ten = asyncio.Semaphore(10)

    async def order(key: str) -> None:
        async with ten:
            with suppress(VendorUnavailable):
                await place(key)

    async def place(key: str) -> None:
        answered.append(await own_vendor.place(renewal(key)))
        if len(answered) == 50:
            own_sandbox.kill()

    await asyncio.gather(*map(order, keys))
    own_sandbox.start()

    assert 50 <= len(answered) < 200
    for placed in answered:
        assert await own_vendor.find(placed.reference) == placed
    for key in keys:
        await own_vendor.place(renewal(key))
    ends = {license["expires_on"] for license in own_sandbox.control("GET", "/sandbox/licenses")}
    assert ends == {"2028-08-31"}
    assert own_sandbox.control("GET", "/healthz") == {"status": "ok", "licenses": 200, "orders": 200}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_when_asked_even_with_a_slow_call_open(
    own_vendor: HttpVendor, own_sandbox: SandboxVendor, number: signal.Signals
):
    key = own_sandbox.register()
    own_sandbox.fault("slow", key, times=1, seconds=60)
    call = asyncio.create_task(own_vendor.read(key))
    while own_sandbox.control("GET", "/sandbox/faults"):  # until the call has arrived
        await asyncio.sleep(0.02)

    own_sandbox.process.send_signal(number)

    assert await asyncio.to_thread(own_sandbox.process.wait, PATIENCE_SECONDS) == 0
    with pytest.raises(VendorUnavailable):
        await call


def test_thousands_of_licenses_are_registered_in_one_call_and_once(own_sandbox: SandboxVendor):
    license = {"product": "SmarterMail", "edition": "Free", "size": 250, "expires_on": "2027-08-31"}
    licenses = [license | {"license_key": f"SM-BULK-{number:06d}"} for number in range(5_000)]

    first = own_sandbox.control("POST", "/sandbox/licenses", json=licenses)
    licenses[0]["expires_on"] = "2030-01-01"
    again = own_sandbox.control("POST", "/sandbox/licenses", json=licenses)
    replaced = own_sandbox.control("POST", "/sandbox/licenses", params={"replace": True}, json=licenses[:1])

    assert (first, again) == ({"registered": 5000, "unchanged": 0}, {"registered": 0, "unchanged": 5000})
    assert replaced == {"registered": 1, "unchanged": 0}
    standing = own_sandbox.control("GET", "/sandbox/licenses")
    assert (len(standing), standing[0]["expires_on"]) == (5000, "2030-01-01")


def test_a_taken_port_ends_it_with_an_error(sandbox: SandboxVendor, tmp_path):
    command = [sys.executable, "-m", "sandbox.vendor", "--port", str(sandbox.port)]
    command += ["--data", str(tmp_path / "other.sqlite3")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS, check=False)

    assert ended.returncode == 1
    assert ended.stderr.decode() == f"cannot listen on 127.0.0.1:{sandbox.port}: Address already in use\n"


def test_the_help_teaches_every_control_and_fault(sandbox: SandboxVendor):
    command = [sys.executable, "-m", "sandbox.vendor", "--help"]
    taught = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for method, path in _served(sandbox):
        if path.startswith("/sandbox"):
            assert f"{method:6} {path}" in taught
    for kind in _fault_kinds(sandbox):
        assert f"\n  {kind} " in taught


def test_the_contract_page_names_every_endpoint_problem_and_fault(sandbox: SandboxVendor):
    for method, path in _served(sandbox):
        assert f"`{method} {path}" in CONTRACT
    for code, status in STATUS_OF_CODE.items():
        assert f"| {status} | `{code}` |" in CONTRACT
    for kind in _fault_kinds(sandbox):
        assert f"| `{kind}` |" in CONTRACT


async def test_the_contract_page_s_own_order_is_answered_as_it_says(own_sandbox: SandboxVendor):
    blocks = [json.loads(block.split("```")[0]) for block in CONTRACT.split("```json\n")[1:]]
    license, order, placed = blocks[1], blocks[2], blocks[3]
    own_sandbox.register(**license, license_key=order["license_key"])
    headers = {"Authorization": "Bearer a-token-for-tests", "Idempotency-Key": order["reference"]}

    read = httpx.post(f"{own_sandbox.url}/v1/licenses/lookup", json=blocks[0], headers=headers)
    answer = httpx.post(f"{own_sandbox.url}/v1/orders", json=order, headers=headers)

    assert (read.status_code, read.json()) == (200, license)
    assert (answer.status_code, answer.json()) == (201, placed | {"placed_at": answer.json()["placed_at"]})


def _served(sandbox: SandboxVendor) -> list[tuple[str, str]]:
    paths = sandbox.control("GET", "/openapi.json")["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def _fault_kinds(sandbox: SandboxVendor) -> list[str]:
    schemas = sandbox.control("GET", "/openapi.json")["components"]["schemas"]
    return schemas["Fault"]["properties"]["kind"]["enum"]
