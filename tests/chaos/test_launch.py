"""The launcher really makes a machine ill: else two of the faults would be none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT

LAUNCHER = ROOT / "chaos" / "launch.py"
ASK_THE_TIME = """
from datetime import UTC, datetime
import notices.sender, time
from chaos import launch
real = time.time()
launch.skew(86400)
shown = notices.sender.datetime.now(UTC)
assert isinstance(datetime.now(UTC), notices.sender.datetime)
print(round((shown - datetime.now(UTC)).total_seconds() / 3600), round((time.time() - real) / 3600))
"""
WRITE_TO_THE_LOG = """
import sys
from pathlib import Path
try:
    print("a line", flush=True)
except OSError as full:
    Path(sys.argv[0]).with_suffix(".said").write_text(str(full))
"""


def test_a_skewed_clock_is_wrong_for_our_modules():
    shown = subprocess.run(
        [sys.executable, "-c", ASK_THE_TIME], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert shown.stdout.split() == ["24", "24"]


def test_a_full_disk_refuses_every_line_of_the_log(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(WRITE_TO_THE_LOG)

    subprocess.run([sys.executable, str(LAUNCHER), "--full-log", str(program)], timeout=60, check=False)

    assert "No space left" in program.with_suffix(".said").read_text()
