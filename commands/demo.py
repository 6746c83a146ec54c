"""The main job on the embedded stack: an example book is imported, and a year passes in a minute."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer

from commands import running
from commands.entrance import show_entrances
from commands.screen import AsJson, console, document
from commands.stack import stack_up
from commands.year import Year

BOOK = Path(__file__).parent.parent / "examples" / "licenses.csv"


def demo(
    leave: Annotated[
        bool, typer.Option("--exit", help="End when the year is over, instead of staying up.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import an example book of licenses and let a year pass: renewals, cancellations, shortfalls, expiries.

    Everything is real but the outside world: PostgreSQL, Temporal with its UI, a worker, a vendor of its own.

    Example: evergreen demo --exit
    """
    console.quiet = as_json
    folder = running.FOLDER / "demo"

    async def command() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        console.rule("[bold]Evergreen: a year of renewals")
        console.print("Starting PostgreSQL, Temporal, the sandboxes, portal and worker …")
        async with stack_up(folder, time_skipping=True, fast=True) as stack:
            addresses = stack.addresses
            console.print(f"[bold]Temporal UI[/]  {addresses.temporal_ui_url}  (watch the workflows there)")
            console.print(f"[bold]mails[/]        {addresses.urls['mail']}  (read what customers are told)")
            async with Year.opened(folder, addresses) as year:
                await year.import_book(BOOK)
                await year.pass_by()
                verdict = await year.verdict()
            if as_json:
                document(verdict.as_document())
            verdict.show()
            await show_entrances(addresses)
            if not leave:
                console.print(f"The stack stays up: {addresses.temporal_ui_url}. Ctrl-C ends it.")
                await stack.watch()
        return verdict.good

    try:
        good = running.run(command)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Stopped.")
        return
    if not good:
        raise typer.Exit(1)
