"""The mail sandbox as a running program."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20
ONE_CALL = httpx.Limits(max_keepalive_connections=0)  # a connection kept would be dead after a restart


@dataclass
class SandboxMail:
    """The program: started, asked, killed, started again on the same ports with the same mails."""

    folder: Path
    port: int = 0
    smtp_port: int = 0
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=PATIENCE_SECONDS, limits=ONE_CALL)
    )

    @property
    def command(self) -> list[str]:
        """How it is started."""
        ports = ["--port", str(self.port), "--smtp-port", str(self.smtp_port)]
        return [sys.executable, "-m", "sandbox.mail", *ports, "--data", str(self.data)]

    @property
    def data(self) -> Path:
        """The file it keeps its mails in."""
        return self.folder / "mail.db"

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            if self.log().startswith("sandbox mail: "):
                page, smtp = self.log().split(";")[0].split(", SMTP on ")
                self.port, self.smtp_port = (int(place.rsplit(":", 1)[1]) for place in (page, smtp))
                with suppress(httpx.TransportError):
                    self.control("GET", "/healthz")
                    return
            time.sleep(0.02)
        raise TimeoutError(self.log())

    def kill(self) -> None:
        """End it without asking (SIGKILL)."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def log(self) -> str:
        """All it has printed since it was started."""
        return (self.folder / "log").read_text()

    def control(self, method: str, path: str, **request: Any) -> Any:
        """Use one of its controls."""
        response = self.client.request(method, self.url + path, **request)
        assert response.is_success, response.text
        return response.json()

    def fault(self, kind: str, **fault: Any) -> None:
        """Make trouble."""
        self.control("POST", "/sandbox/faults", json={"kind": kind} | fault)

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """The mails it has, oldest first."""
        found: list[dict[str, Any]] = self.control("GET", "/sandbox/mails", params={"to": to} if to else {})
        return found[::-1]


def run_sandbox(folder: Path) -> Iterator[SandboxMail]:
    """The program for the length of a fixture."""
    sandbox = SandboxMail(folder)
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.kill()
        sandbox.client.close()
