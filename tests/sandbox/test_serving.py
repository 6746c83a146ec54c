from __future__ import annotations

import socket
import sys

import httpx
import pytest

from sandbox import leftovers, ports
from sandbox.program import Program, ProgramDied
from sandbox.serving import Service, start_on_ports


def web(folder, port):
    async def listens(pid: int) -> bool:
        return leftovers.listens(pid, port)

    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    return Program("web", argv, folder / "web.log", ready=listens)


async def test_a_port_that_is_taken_between_the_choice_and_the_start_is_left_for_a_free_one(folder):
    usual = ports.free()
    with socket.socket() as thief:

        def build(chosen):
            if chosen["port"] == usual:
                thief.bind(("127.0.0.1", usual))
                thief.listen()
            return web(folder, chosen["port"])

        program, chosen = await start_on_ports({"port": usual}, build)

    assert chosen["port"] != usual
    await program.stop()


async def test_a_death_that_is_not_about_ports_is_not_tried_again(folder):
    tries = []

    def build(chosen):
        tries.append(chosen)
        return Program(
            "broken", [sys.executable, "-c", "raise SystemExit('broken')"], folder / "log", ready=no
        )

    async def no(pid: int) -> bool:
        return False

    with pytest.raises(ProgramDied, match="broken"):
        await start_on_ports({"port": 0}, build)

    assert len(tries) == 1


async def test_a_service_is_a_line_with_its_ports_and_what_the_stack_fills_in(folder):
    (folder / "healthz").write_text("fine")
    files = Service(
        "files", "-m http.server {port} --bind 127.0.0.1 --directory {folder}", 0, health="/healthz"
    )

    program, url = await files.start(log=folder / "log", filled_in={"folder": str(folder)}, env={})

    assert httpx.get(f"{url}/healthz").text == "fine"
    await program.stop()
