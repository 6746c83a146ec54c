"""The sandbox vendor as a running program, and the orders that tests send it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from vendor.license_vendor import LicenseOrder

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
PATIENCE_SECONDS = 20
ONE_CALL = httpx.Limits(max_keepalive_connections=0)  # a connection kept would be dead after a restart
numbers = count(1)


@dataclass
class SandboxVendor:
    """The program: started, asked, killed, started again on the same port with the same book."""

    folder: Path
    arguments: list[str] = field(default_factory=list)
    port: int = 0
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=PATIENCE_SECONDS, limits=ONE_CALL)
    )

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "sandbox.vendor", "--port", str(self.port), "--token", TOKEN]
        command += ["--data", str(self.folder / "book.sqlite3"), *self.arguments]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self._wait_until_it_answers()

    def stop(self) -> int:
        """Ask it to end (SIGTERM); its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it without asking (SIGKILL)."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """All it has printed so far."""
        return (self.folder / "log").read_text()

    def control(self, method: str, path: str, **request: Any) -> Any:
        """Use one of its controls."""
        response = self.client.request(method, self.url + path, **request)
        assert response.is_success, response.text
        return response.json()

    def register(self, **license: Any) -> str:
        """Register a license of its own for a test; its key."""
        license_key = f"SM-SECRET-{next(numbers):06d}"
        license = {
            "license_key": license_key,
            "product": "SmarterMail",
            "edition": "Professional",
            "size": "250",
            "addons": [],
            "expires_on": "2027-08-31",
        } | license
        self.control("POST", "/sandbox/licenses", json=[license])
        return license_key

    def fault(self, kind: str, license_key: str, **fault: Any) -> None:
        """Make trouble for one license."""
        self.control("POST", "/sandbox/faults", json={"kind": kind, "license_key": license_key} | fault)

    def orders(self, license_key: str) -> list[dict[str, Any]]:
        """What the vendor did to one license."""
        return [o for o in self.control("GET", "/sandbox/orders") if o["license_key"] == license_key]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            announced = [line for line in self.log().splitlines() if line.startswith("sandbox vendor: ")]
            if announced:
                self.port = int(announced[-1].split(",")[0].rsplit(":", 1)[1])
                with suppress(httpx.TransportError):
                    self.control("GET", "/healthz")
                    return
            time.sleep(0.02)
        raise TimeoutError(self.log())


def run_sandbox(folder: Path, *arguments: str) -> Iterator[SandboxVendor]:
    """The program for the length of a fixture."""
    sandbox = SandboxVendor(folder, list(arguments))
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.kill()
        sandbox.client.close()


def renewal(license_key: str, year: int = 2027, reference: str | None = None, **order: Any) -> LicenseOrder:
    """A renewal by a year of a license that expires on 31 August."""
    reference = reference or f"sub-{license_key[-6:]}/{year + 1}-08-31/renewal"
    year_on = {"months": 12, "from_expires_on": date(year, 8, 31), "to_expires_on": date(year + 1, 8, 31)}
    return LicenseOrder(reference, license_key, "renewal", **year_on | order)
