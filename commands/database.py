"""The database's schema."""

from __future__ import annotations

from commands import running
from commands.screen import AsJson, console, document
from db import schema
from db.session import engine_for


def migrate(as_json: AsJson = False) -> None:
    """Bring the database's tables to what this version needs; safe to repeat and while old workers run.

    Example: evergreen migrate
    """

    async def command() -> dict[str, str | None]:
        engine = engine_for(running.settings().database_url)
        try:
            before = await schema.current_revision(engine)
            await schema.upgrade(engine)
        finally:
            await engine.dispose()
        return {"before": before, "now": schema.head_revision()}

    done = running.run(command)
    if as_json:
        document(done)
    elif done["before"] == done["now"]:
        console.print(f"The database is at {done['now']} already.")
    else:
        console.print(f"The database went from {done['before'] or 'nothing'} to {done['now']}.")
