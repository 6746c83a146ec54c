"""Passes to the codec, for Temporal's own command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from commands import running
from commands.screen import AsJson, By, document

LONGEST_HOURS = 24


def codec_pass(
    by: By,
    hours: Annotated[int, typer.Option("--hours", min=1, max=LONGEST_HOURS, help="How long it lasts.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Write a pass with which Temporal's command line shows payloads opened, and seals what is typed.

    It goes into TEMPORAL_CODEC_AUTH, after the word Bearer; docs/temporal.md has the whole line.

    Example: evergreen codec-pass --by ops:al
    """

    async def command() -> dict[str, object]:
        settings, until = running.settings(), datetime.now(UTC) + timedelta(hours=hours)
        return {"pass": settings.codec_passes().write(by, until), "until": until}

    written = running.run(command)
    if as_json:
        document(written)
    else:
        print(written["pass"])
