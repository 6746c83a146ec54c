"""One import of licenses (R26)."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.record import Id, Record, RecordedAt, not_blank, one_of


class Intake(Record):
    """How far an import has come: its rows are stored, then their workflows started."""

    __tablename__ = "intakes"
    __table_args__ = (
        one_of("state", "storing", "starting", "done"),
        not_blank("filename"),
        not_blank("requested_by"),
        CheckConstraint("octet_length(digest) = 32", name="digest_length"),
        CheckConstraint("least(rows, taken, unchanged, flagged) >= 0", name="counts_not_negative"),
        CheckConstraint("taken + unchanged <= rows AND flagged <= rows", name="counts_within_rows"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="finished_at_known"),
    )

    id: Mapped[Id]
    filename: Mapped[str]
    digest: Mapped[bytes]
    """SHA-256 of the file."""
    requested_by: Mapped[str]
    rows: Mapped[int] = mapped_column(server_default="0")
    taken: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    flagged: Mapped[int] = mapped_column(server_default="0")
    """Taken, but reported: its cancel-by date has passed."""
    state: Mapped[str] = mapped_column(server_default="storing")
    at: Mapped[datetime]
    recorded_at: Mapped[RecordedAt]
    finished_at: Mapped[datetime | None]
