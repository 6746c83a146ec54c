from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from sandbox.program import Program, ProgramDied, ProgramLate
from tests.sandbox.bystanders import Bystander, nothing_runs_on

SLEEPS = "import time; time.sleep(60)"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); " + SLEEPS
)
PARENT = """
import asyncio, sys
from pathlib import Path
from sandbox.program import Program
folder = Path(sys.argv[1])
program = Program("child", [sys.executable, "-c", "import time; time.sleep(60)", str(folder)], folder / "log")
async def main():
    await program.start()
    print("up", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def python(script: str, folder: Path, **more: object) -> Program:
    return Program("the program", [sys.executable, "-c", script, str(folder)], folder / "log", **more)


async def test_a_program_is_up_when_its_probe_says_so(folder):
    program = python(f"open({str(folder / 'sign')!r}, 'w'); {SLEEPS}", folder)

    async def signed(pid: int) -> bool:
        return (folder / "sign").exists()

    program.ready = signed
    await program.start()

    assert (folder / "sign").exists()
    assert program.running
    await program.stop()
    assert not program.running


async def test_a_program_that_dies_at_start_is_told_of_with_the_end_of_its_log(folder):
    async def never(pid: int) -> bool:
        return False

    with pytest.raises(ProgramDied, match=r"(?s)the program ended with exit code 3.*no such thing") as told:
        await python("import sys; print('no such thing'); sys.exit(3)", folder, ready=never).start()

    assert str(folder / "log") in str(told.value)


async def test_only_the_log_of_this_start_is_quoted(folder):
    (folder / "log").write_text("trouble of yesterday\n")

    with pytest.raises(ProgramDied, match="it wrote nothing"):
        await python("raise SystemExit(1)", folder).finish()


async def test_a_program_that_is_not_there_is_told_of(folder):
    with pytest.raises(ProgramDied, match="cannot start /no/such/program"):
        await Program("the program", ["/no/such/program"], folder / "log").finish()


async def test_a_program_that_does_not_answer_in_time_is_told_of_and_ended(folder):
    async def never(pid: int) -> bool:
        return False

    program = python(
        f"print('thinking', flush=True); {SLEEPS}", folder, ready=never, start_within_seconds=0.5
    )
    with pytest.raises(ProgramLate, match=r"(?s)does not answer after 0.5 s.*thinking"):
        await program.start()

    assert not program.running


async def test_a_probe_that_hangs_does_not_hide_a_death(folder):
    async def hangs(pid: int) -> bool:
        await asyncio.sleep(60)
        return False

    with pytest.raises(ProgramDied):
        await python("pass", folder, ready=hangs, probe_within_seconds=0.1).start()


async def test_a_start_that_is_cancelled_leaves_nothing(folder):
    async def never(pid: int) -> bool:
        return False

    start = asyncio.create_task(python(SLEEPS, folder, ready=never).start())
    await asyncio.sleep(0.1)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start

    assert nothing_runs_on(folder)


async def test_a_program_that_will_not_stop_is_killed(folder):
    async def deaf(pid: int) -> bool:
        return "deaf" in (folder / "log").read_text()

    program = python(STUBBORN, folder, ready=deaf, stop_within_seconds=0.2)
    await program.start()
    await program.stop()

    assert not program.running
    assert not program.died


async def test_an_end_that_nobody_asked_for_is_a_death(folder):
    program = python(SLEEPS, folder)
    await program.start()
    psutil.Process(program.pid).kill()
    await program.ended()

    assert program.died
    assert "ended with signal 9" in str(program.death())
    await program.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next stack stops it")
def test_a_program_dies_with_a_parent_that_is_killed(folder):
    parent = Bystander(PARENT, folder)
    parent.end(signal.SIGKILL)

    assert nothing_runs_on(folder)
