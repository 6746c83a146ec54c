"""Staff's news of one license update: it is done, refused by the vendor, or to be done another way (R23, R24)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

import typer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

import starter
from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, short
from db import update_queue
from db.update_queue import ExpiryNotAsPromised, QueuedUpdate, UnknownUpdate, UpdateClosed
from domain.messages import LicenseUpdated
from starter import NotRunning

Update = Annotated[
    str, typer.Argument(metavar="UPDATE", callback=short, help="The license update, like upd_….")
]


@dataclass(frozen=True)
class Reported:
    """The update after the news; whether a worker has written it down yet."""

    update: QueuedUpdate
    taken: bool


def update_done(
    update: Update,
    expires_on: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="The last covered day, as the vendor's record shows it."),
    ],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Tell that a license update is done, with the expiry that the vendor's own record shows.

    An expiry earlier than what was promised is refused: then it is not done.

    Example: evergreen update-done upd_01kb2v3x5y7z9a1c3e5g7j9m1p --expires-on 2028-08-31 --by support:jo
    """
    shown_on = expires_on.date()
    news = LicenseUpdated(update_id=update, expires_on=shown_on, by=by, request_id=str(uuid4()))
    _report(news, lambda owed: owed.check_done(shown_on), lambda owed: owed.state == "done", as_json)


def update_refused(
    update: Update,
    reason: Annotated[str, typer.Option(callback=short, help="What the vendor says, like RevokedKey.")],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Tell that the vendor refuses an update for good: the payment is given back, the customer told.

    Example: evergreen update-refused upd_01kb2v3x5y7z9a1c3e5g7j9m1p --reason RevokedKey --by support:jo
    """
    if not reason.strip():
        raise typer.BadParameter("say what the vendor says", param_hint="--reason")
    news = LicenseUpdated(update_id=update, refusal=reason, by=by, request_id=str(uuid4()))
    _report(news, QueuedUpdate.check_open, lambda owed: owed.state == "refused", as_json)


def update_move(
    update: Update,
    channel: Annotated[Literal["by_hand", "api"], typer.Option(help="How it is done from now on.")],
    by: By = "staff",
    as_json: AsJson = False,
) -> None:
    """Have an update done by staff instead of by the vendor's API, or the other way round.

    Example: evergreen update-move upd_01kb2v3x5y7z9a1c3e5g7j9m1p --channel by_hand --by support:jo
    """
    news = LicenseUpdated(update_id=update, channel=channel, by=by, request_id=str(uuid4()))
    _report(news, QueuedUpdate.check_open, lambda owed: owed.channel == channel, as_json)


def _report(
    news: LicenseUpdated,
    check: Callable[[QueuedUpdate], None],
    is_taken: Callable[[QueuedUpdate], bool],
    as_json: bool,
) -> None:
    async def command() -> Reported:
        async with running.database(running.settings()) as sessions:
            owed = await _read(sessions, news.update_id)
            try:
                check(owed)
            except (UpdateClosed, ExpiryNotAsPromised) as no:
                raise Refused(str(no)) from no
            try:
                await starter.report_update(await running.temporal(), owed.subscription_id, news)
            except NotRunning as ended:
                raise Refused(str(ended)) from ended
            return await _awaited(sessions, news.update_id, is_taken)

    reported = running.run(command)
    update = reported.update
    if as_json:
        shown = {"update": update.update_id, "state": update.state, "channel": update.channel}
        document({**shown, "taken": reported.taken})
    elif reported.taken:
        console.print(
            f"License update {update.update_id}: {update.state}, {update.channel.replace('_', ' ')}."
        )
    else:
        console.print(
            "The news is left with the server, and is not written down yet: a worker will, when it comes to this "
            f"update. `evergreen updates` shows what is owed, `evergreen show {update.subscription_id}` the rest."
        )


async def _awaited(
    sessions: async_sessionmaker[AsyncSession], update_id: str, is_taken: Callable[[QueuedUpdate], bool]
) -> Reported:
    """Look until the news is written down, for as long as a worker that is there would take."""
    waited_until = asyncio.get_running_loop().time() + starter.ANSWER_WITHIN.total_seconds()
    while True:
        update = await _read(sessions, update_id)
        if is_taken(update):
            return Reported(update, True)
        if asyncio.get_running_loop().time() > waited_until:
            return Reported(update, False)
        await asyncio.sleep(0.1)


async def _read(sessions: async_sessionmaker[AsyncSession], update_id: str) -> QueuedUpdate:
    async with sessions() as session:
        try:
            return await update_queue.one(session, update_id, datetime.now(UTC))
        except UnknownUpdate as unknown:
            raise Refused(str(unknown)) from unknown
