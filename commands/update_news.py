"""Staff's news of one license update: it is done, refused by the vendor, or to be done another way (R23, R24)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import uuid4

import typer

from commands import running
from commands.running import Refused
from commands.screen import AsJson, By, console, document, short
from db.update_queue import ExpiryNotAsPromised, UnknownUpdate, UpdateClosed
from domain.messages import LicenseUpdated
from reception import update_news
from reception.update_news import Reported
from starter import NotRunning

Update = Annotated[
    str, typer.Argument(metavar="UPDATE", callback=short, help="The license update, like upd_….")
]


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
    news = LicenseUpdated(update_id=update, expires_on=expires_on.date(), by=by, request_id=str(uuid4()))
    _report(news, as_json)


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
    _report(news, as_json)


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
    _report(news, as_json)


def _report(news: LicenseUpdated, as_json: bool) -> None:
    async def command() -> Reported:
        async with running.database(running.settings()) as sessions:
            try:
                return await update_news.report(sessions, await running.temporal(), news)
            except (UnknownUpdate, UpdateClosed, ExpiryNotAsPromised, NotRunning) as no:
                raise Refused(str(no)) from no

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
