"""Quotes, orders and the license updates they lead to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "quotes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("addons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("credits_minor", sa.BigInteger(), nullable=False),
        sa.Column("remainder_minor", sa.BigInteger(), nullable=False),
        sa.Column("basis", postgresql.JSONB(), nullable=False),
        sa.Column("used_by_order_id", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_quotes_currency_iso")),
        sa.CheckConstraint("at < lapses_at", name=op.f("ck_quotes_lapses_later")),
        sa.CheckConstraint(
            "credits_minor + remainder_minor = total_minor", name=op.f("ck_quotes_remainder_adds_up")
        ),
        sa.CheckConstraint(
            "least(total_minor, credits_minor, remainder_minor) >= 0",
            name=op.f("ck_quotes_amounts_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_quotes_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotes")),
        sa.UniqueConstraint("used_by_order_id", name=op.f("uq_quotes_used_by_order_id")),
    )
    op.create_index(op.f("ix_quotes_subscription_id_id"), "quotes", ["subscription_id", "id"])
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("term_starts_on", sa.Date(), nullable=False),
        sa.Column("term_expires_on", sa.Date(), nullable=False),
        sa.Column("target_edition", sa.Text(), nullable=False),
        sa.Column("target_size", sa.Text(), nullable=False),
        sa.Column("target_addons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("added_addons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("quote_id", sa.Text(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fulfilled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("btrim(key) <> ''", name=op.f("ck_orders_key_not_blank")),
        sa.CheckConstraint("btrim(target_edition) <> ''", name=op.f("ck_orders_target_edition_not_blank")),
        sa.CheckConstraint("btrim(target_size) <> ''", name=op.f("ck_orders_target_size_not_blank")),
        sa.CheckConstraint("kind IN ('renewal', 'addon', 'upgrade')", name=op.f("ck_orders_kind_known")),
        sa.CheckConstraint(
            "state <> 'fulfilled' OR fulfilled_at IS NOT NULL", name=op.f("ck_orders_fulfilled_at_known")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'paid', 'fulfilled', 'refunded', 'void')", name=op.f("ck_orders_state_known")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'void') OR paid_at IS NOT NULL", name=op.f("ck_orders_paid_at_known")
        ),
        sa.CheckConstraint("added_addons <@ target_addons", name=op.f("ck_orders_added_addons_in_target")),
        sa.CheckConstraint("term_starts_on <= term_expires_on", name=op.f("ck_orders_term_forward")),
        sa.ForeignKeyConstraint(["quote_id"], ["quotes.id"], name=op.f("fk_orders_quote_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_orders_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("key", name=op.f("uq_orders_key")),
        sa.UniqueConstraint("quote_id", name=op.f("uq_orders_quote_id")),
    )
    op.create_index(op.f("ix_orders_state_id"), "orders", ["state", "id"])
    op.create_index(op.f("ix_orders_subscription_id_id"), "orders", ["subscription_id", "id"])
    # Quotes and orders name each other; this half can be made only now.
    op.create_foreign_key(
        op.f("fk_quotes_used_by_order_id"), "quotes", "orders", ["used_by_order_id"], ["id"]
    )
    op.create_table(
        "license_updates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("license_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("from_expires_on", sa.Date(), nullable=False),
        sa.Column("to_expires_on", sa.Date(), nullable=False),
        sa.Column("target_edition", sa.Text(), nullable=False),
        sa.Column("target_size", sa.Text(), nullable=False),
        sa.Column("target_addons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_expires_on", sa.Date(), nullable=True),
        sa.Column("seen_addons", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'done') = (done_at IS NOT NULL)", name=op.f("ck_license_updates_done_at_known")
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (refusal IS NOT NULL)", name=op.f("ck_license_updates_refusal_known")
        ),
        sa.CheckConstraint("btrim(reference) <> ''", name=op.f("ck_license_updates_reference_not_blank")),
        sa.CheckConstraint("channel IN ('api', 'by_hand')", name=op.f("ck_license_updates_channel_known")),
        sa.CheckConstraint(
            "state <> 'done' OR seen_expires_on IS NOT NULL", name=op.f("ck_license_updates_done_is_seen")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'refused')", name=op.f("ck_license_updates_state_known")
        ),
        sa.CheckConstraint(
            "from_expires_on <= to_expires_on", name=op.f("ck_license_updates_expiry_forward")
        ),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_license_updates_license_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_license_updates_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_updates")),
        sa.UniqueConstraint("order_id", name=op.f("uq_license_updates_order_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_license_updates_reference")),
    )
    op.create_index(op.f("ix_license_updates_license_id"), "license_updates", ["license_id"])
    op.create_index(
        "ix_license_updates_pending",
        "license_updates",
        ["promise_at", "id"],
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    """Drop them, with their indexes and triggers."""
    op.drop_table("license_updates")
    op.drop_constraint("fk_quotes_used_by_order_id", "quotes")
    op.drop_table("orders")
    op.drop_table("quotes")
