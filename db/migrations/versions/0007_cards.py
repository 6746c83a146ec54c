"""Which card a charge was tried with, since when a customer has theirs, and audit lines that are written once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add columns; each may be empty, so old code goes on writing rows."""
    op.add_column("payments", sa.Column("payment_method", sa.Text(), nullable=True))
    op.add_column("customers", sa.Column("card_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audit", sa.Column("key", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_audit_key"), "audit", ["key"])


def downgrade() -> None:
    """Drop them."""
    op.drop_constraint(op.f("uq_audit_key"), "audit", type_="unique")
    op.drop_column("audit", "key")
    op.drop_column("customers", "card_changed_at")
    op.drop_column("payments", "payment_method")
