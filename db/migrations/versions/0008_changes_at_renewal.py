"""What is to change when the license is renewed: add-ons to drop, a smaller size or edition."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add columns with defaults, so old code goes on writing rows."""
    op.add_column(
        "subscriptions",
        sa.Column("drop_addons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("subscriptions", sa.Column("next_edition", sa.Text(), nullable=True))
    op.add_column("subscriptions", sa.Column("next_size", sa.Text(), nullable=True))
    op.add_column(
        "license_updates",
        sa.Column("dropped_addons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("license_updates", sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("license_updates", "warned_at")
    op.drop_column("license_updates", "dropped_addons")
    op.drop_column("subscriptions", "next_size")
    op.drop_column("subscriptions", "next_edition")
    op.drop_column("subscriptions", "drop_addons")
