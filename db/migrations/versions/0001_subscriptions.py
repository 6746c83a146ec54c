"""Customers, imports, licenses and subscriptions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "customers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("previous_customer", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("provider_customer_id", sa.Text(), nullable=True),
        sa.Column("card_token", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("btrim(name) <> ''", name=op.f("ck_customers_name_not_blank")),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_customers_country_iso")),
        sa.CheckConstraint(
            "email = lower(email) AND email LIKE '_%@_%'", name=op.f("ck_customers_email_lower_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("email", name=op.f("uq_customers_email")),
    )
    op.create_table(
        "intakes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("flagged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="storing", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (finished_at IS NOT NULL)", name=op.f("ck_intakes_finished_at_known")
        ),
        sa.CheckConstraint("btrim(filename) <> ''", name=op.f("ck_intakes_filename_not_blank")),
        sa.CheckConstraint("btrim(requested_by) <> ''", name=op.f("ck_intakes_requested_by_not_blank")),
        sa.CheckConstraint("state IN ('storing', 'starting', 'done')", name=op.f("ck_intakes_state_known")),
        sa.CheckConstraint(
            "least(rows, taken, unchanged, flagged) >= 0", name=op.f("ck_intakes_counts_not_negative")
        ),
        sa.CheckConstraint("octet_length(digest) = 32", name=op.f("ck_intakes_digest_length")),
        sa.CheckConstraint(
            "taken + unchanged <= rows AND flagged <= rows", name=op.f("ck_intakes_counts_within_rows")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intakes")),
    )
    op.create_table(
        "licenses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("key_ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("addons", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("vendor_expires_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("btrim(edition) <> ''", name=op.f("ck_licenses_edition_not_blank")),
        sa.CheckConstraint("btrim(product) <> ''", name=op.f("ck_licenses_product_not_blank")),
        sa.CheckConstraint("btrim(size) <> ''", name=op.f("ck_licenses_size_not_blank")),
        sa.CheckConstraint(
            "char_length(last_four) BETWEEN 1 AND 4", name=op.f("ck_licenses_last_four_length")
        ),
        sa.CheckConstraint("octet_length(fingerprint) = 32", name=op.f("ck_licenses_fingerprint_length")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_licenses_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licenses")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_licenses_fingerprint")),
    )
    op.create_index(op.f("ix_licenses_customer_id"), "licenses", ["customer_id"])
    op.create_index(op.f("ix_licenses_last_four"), "licenses", ["last_four"])
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("license_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("months", sa.Integer(), server_default="12", nullable=False),
        sa.Column("anchor_day", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("renews_on", sa.Date(), nullable=True),
        sa.Column("auto_renew", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("ends_after_next", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("next_renews_on", sa.Date(), nullable=True),
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_broken", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("intake_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_subscriptions_currency_iso")),
        sa.CheckConstraint(
            "state IN ('active', 'cancelled', 'collecting', 'updating', 'refused', 'lapsed', 'expired')",
            name=op.f("ck_subscriptions_state_known"),
        ),
        sa.CheckConstraint("anchor_day BETWEEN 1 AND 31", name=op.f("ck_subscriptions_anchor_day_of_month")),
        sa.CheckConstraint("months BETWEEN 1 AND 120", name=op.f("ck_subscriptions_months_bounded")),
        sa.CheckConstraint("renews_on <= expires_on", name=op.f("ck_subscriptions_renews_on_by_expiry")),
        sa.CheckConstraint("starts_on <= expires_on", name=op.f("ck_subscriptions_term_forward")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_subscriptions_customer_id")),
        sa.ForeignKeyConstraint(["intake_id"], ["intakes.id"], name=op.f("fk_subscriptions_intake_id")),
        sa.ForeignKeyConstraint(["license_id"], ["licenses.id"], name=op.f("fk_subscriptions_license_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("license_id", name=op.f("uq_subscriptions_license_id")),
    )
    op.create_index(op.f("ix_subscriptions_customer_id"), "subscriptions", ["customer_id"])
    op.create_index(op.f("ix_subscriptions_expires_on_id"), "subscriptions", ["expires_on", "id"])
    op.create_index(op.f("ix_subscriptions_next_renews_on_id"), "subscriptions", ["next_renews_on", "id"])
    op.create_index(
        "ix_subscriptions_not_started",
        "subscriptions",
        ["intake_id", "id"],
        postgresql_where=sa.text("started_at IS NULL"),
    )
    op.create_index(op.f("ix_subscriptions_state_id"), "subscriptions", ["state", "id"])


def downgrade() -> None:
    """Drop them, with their indexes and triggers."""
    op.drop_table("subscriptions")
    op.drop_table("licenses")
    op.drop_table("intakes")
    op.drop_table("customers")
