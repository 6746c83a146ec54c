"""What every table shares: names for constraints, column types, and the checks the database holds for us."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, DateTime, LargeBinary, MetaData, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

Id = Annotated[str, mapped_column(primary_key=True)]
"""Text made by `db.identifiers.new_id`."""

Minor = Annotated[int, mapped_column(BigInteger)]
"""Minor units of the row's currency: pence, cents (R11)."""

RecordedAt = Annotated[datetime, mapped_column(server_default=func.now())]
"""Wall time of the transaction that wrote the row; `at` beside it is business time, given by the caller."""


class Record(DeclarativeBase):
    """A row of ours. No relationships: a query says what it reads."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }
    # Values the server fills in come back with the statement: reading one later would be a hidden query.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012


def one_of(column: str, *values: str) -> CheckConstraint:
    """The column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def not_blank(column: str) -> CheckConstraint:
    """The text has something in it besides spaces."""
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_not_blank")


def positive(column: str) -> CheckConstraint:
    """The number is above zero."""
    return CheckConstraint(f"{column} > 0", name=f"{column}_positive")


def not_negative(column: str) -> CheckConstraint:
    """The number is zero or above."""
    return CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative")


def iso_currency() -> CheckConstraint:
    """`currency` is three capital letters (R11)."""
    return CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_iso")
