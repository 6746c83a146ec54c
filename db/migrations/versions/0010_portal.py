"""Signing in to the portal: links, sessions, rates; and letters to an address that is no customer's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"


ONE_PERSON = (
    "CASE person WHEN 'customer' THEN customer_id IS NOT NULL AND staff_email IS NULL AND role IS NULL"
    " ELSE customer_id IS NULL AND staff_email IS NOT NULL AND role IS NOT NULL END"
)


def upgrade() -> None:
    """Make the tables; `notices` may name one person's address."""
    op.create_table(
        "sign_in_links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        *_person(),
        sa.Column("onward", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by_digest", sa.LargeBinary(), nullable=True),
        *_person_checks("sign_in_links"),
        sa.CheckConstraint("at < lapses_at", name=op.f("ck_sign_in_links_lapses_later")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_links")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sign_in_links_token_digest")),
    )
    op.create_index(op.f("ix_sign_in_links_customer_id"), "sign_in_links", ["customer_id"])
    op.create_index(op.f("ix_sign_in_links_lapses_at"), "sign_in_links", ["lapses_at"])
    op.create_table(
        "portal_sessions",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        *_person(),
        sa.Column("flashes", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *_person_checks("portal_sessions"),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_portal_sessions")),
    )
    op.create_index(op.f("ix_portal_sessions_customer_id"), "portal_sessions", ["customer_id"])
    op.create_index(op.f("ix_portal_sessions_staff_email"), "portal_sessions", ["staff_email"])
    op.create_index(op.f("ix_portal_sessions_lapses_at"), "portal_sessions", ["lapses_at"])
    op.create_table(
        "rate_windows",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("who_digest", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("octet_length(who_digest) = 32", name=op.f("ck_rate_windows_digest_length")),
        sa.CheckConstraint("times >= 0", name=op.f("ck_rate_windows_times_not_negative")),
        sa.PrimaryKeyConstraint("what", "who_digest", "ends_at", name=op.f("pk_rate_windows")),
    )
    op.create_index(op.f("ix_rate_windows_ends_at"), "rate_windows", ["ends_at"])
    op.drop_index("ix_subscriptions_customer_id", "subscriptions")
    op.create_index(
        op.f("ix_subscriptions_customer_id_expires_on_id"),
        "subscriptions",
        ["customer_id", "expires_on", "id"],
    )
    op.add_column("notices", sa.Column("to_email", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them; letters to an address that is no customer's go with their column."""
    op.drop_column("notices", "to_email")
    op.drop_index("ix_subscriptions_customer_id_expires_on_id", "subscriptions")
    op.create_index("ix_subscriptions_customer_id", "subscriptions", ["customer_id"])
    op.drop_table("rate_windows")
    op.drop_table("portal_sessions")
    op.drop_table("sign_in_links")


def _person() -> list[sa.Column[str]]:
    return [
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("staff_email", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
    ]


def _person_checks(table: str) -> list[sa.Constraint]:
    return [
        sa.CheckConstraint("person IN ('customer', 'staff')", name=op.f(f"ck_{table}_person_known")),
        sa.CheckConstraint("role IN ('support', 'ops')", name=op.f(f"ck_{table}_role_known")),
        sa.CheckConstraint(ONE_PERSON, name=op.f(f"ck_{table}_one_person")),
        sa.CheckConstraint("octet_length(token_digest) = 32", name=op.f(f"ck_{table}_digest_length")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f(f"fk_{table}_customer_id")),
    ]
