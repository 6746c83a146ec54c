"""What became of the promises that fell due at one time; kept by a trigger, so that no page counts every update."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Record


class PromiseTime(Record):
    """The license updates of one promise time that are closed (R23): some 250 rows a year, however large the book."""

    __tablename__ = "promise_times"

    promise_at: Mapped[datetime] = mapped_column(primary_key=True)
    kept: Mapped[int] = mapped_column(server_default=text("0"))
    broken: Mapped[int] = mapped_column(server_default=text("0"))
    """Done late, or refused late."""
    refused: Mapped[int] = mapped_column(server_default=text("0"))
    """The vendor's final no, in time."""
