"""What reconciliations find, and notices to staff that are about no customer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Old code goes on: it passes over notices without a customer, and writes none."""
    op.create_table(
        "differences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("healed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("btrim(kind) <> ''", name=op.f("ck_differences_kind_not_blank")),
        sa.CheckConstraint("btrim(subject) <> ''", name=op.f("ck_differences_subject_not_blank")),
        sa.CheckConstraint(
            "(accepted_at IS NULL) = (accepted_by IS NULL)", name=op.f("ck_differences_accepted_by_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
    )
    op.create_index(
        "uq_differences_open",
        "differences",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("healed_at IS NULL AND gone_at IS NULL"),
    )
    op.create_index(
        "ix_differences_untold", "differences", ["id"], postgresql_where=sa.text("told_at IS NULL")
    )
    op.alter_column("notices", "customer_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_notices_customer_is_known"), "notices", "audience = 'staff' OR customer_id IS NOT NULL"
    )


def downgrade() -> None:
    """Drop them; notices without a customer go with them."""
    op.drop_constraint(op.f("ck_notices_customer_is_known"), "notices")
    op.execute("DELETE FROM notices WHERE customer_id IS NULL")
    op.alter_column("notices", "customer_id", nullable=False)
    op.drop_table("differences")
