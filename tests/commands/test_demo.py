"""The demo as `make demo EXIT=1` runs it."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from tests.commands.program import CommandLine


async def test_the_demo_lives_through_its_year_and_everything_agrees(tmp_path):
    """Books balance, and the vendor's own record shows the same as our tables, order by order."""
    with TemporaryDirectory(prefix="evergreen-") as folder:
        evergreen = CommandLine(tmp_path, {"EVERGREEN_FOLDER": folder}, patience_seconds=280).started_anew()
        demo = await evergreen("demo", "--exit", "--json")

    assert demo.code == 0, demo.said
    verdict = demo.json
    assert verdict["good"]
    assert verdict["licenses"] == 200
    assert verdict["renewals"] > 50
    assert verdict["promises_broken"] == 0
