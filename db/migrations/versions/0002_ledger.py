"""The ledger: accounts, movements, entries, credit grants."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("balance_minor", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('grant', 'invoice')) = (balance_minor IS NOT NULL)",
            name=op.f("ck_accounts_balance_if_guarded"),
        ),
        sa.CheckConstraint(
            "(kind IN ('grant', 'invoice')) = (customer_id IS NOT NULL)",
            name=op.f("ck_accounts_customer_if_guarded"),
        ),
        sa.CheckConstraint(
            "CASE WHEN kind IN ('grant', 'invoice') THEN id LIKE kind || '/_%'"
            " ELSE id = kind || '/' || currency END",
            name=op.f("ck_accounts_id_of_kind"),
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_accounts_currency_iso")),
        sa.CheckConstraint(
            "kind <> 'grant' OR balance_minor >= 0", name=op.f("ck_accounts_grant_not_overdrawn")
        ),
        sa.CheckConstraint(
            "kind <> 'invoice' OR balance_minor <= 0", name=op.f("ck_accounts_invoice_not_overpaid")
        ),
        sa.CheckConstraint(
            "kind IN ('grant', 'invoice', 'card', 'expired', 'goodwill',"
            " 'promotions', 'purchases', 'revenue', 'tax')",
            name=op.f("ck_accounts_kind_known"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_accounts_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("id", "currency", name=op.f("uq_accounts_id_currency")),
    )
    op.create_index(
        "ix_accounts_open",
        "accounts",
        ["customer_id", "kind", "currency"],
        postgresql_where=sa.text("balance_minor <> 0"),
    )
    op.create_table(
        "movements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("reverses_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'reverse') = (reverses_id IS NOT NULL)", name=op.f("ck_movements_reverses_known")
        ),
        sa.CheckConstraint("btrim(key) <> ''", name=op.f("ck_movements_key_not_blank")),
        sa.CheckConstraint("btrim(subject) <> ''", name=op.f("ck_movements_subject_not_blank")),
        sa.CheckConstraint(
            "kind IN ('grant', 'use', 'invoice', 'charge', 'refund', 'reverse', 'expire', 'convert', 'void')",
            name=op.f("ck_movements_kind_known"),
        ),
        sa.CheckConstraint("entry_count >= 2", name=op.f("ck_movements_entry_count_double")),
        sa.CheckConstraint("octet_length(fingerprint) = 32", name=op.f("ck_movements_fingerprint_length")),
        sa.ForeignKeyConstraint(["reverses_id"], ["movements.id"], name=op.f("fk_movements_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movements")),
        sa.UniqueConstraint("key", name=op.f("uq_movements_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_movements_reverses_id")),
    )
    op.create_index(op.f("ix_movements_subject"), "movements", ["subject"])
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("movement_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_entries_amount_minor_not_zero")),
        sa.ForeignKeyConstraint(
            ["account_id", "currency"],
            ["accounts.id", "accounts.currency"],
            name=op.f("fk_entries_account_id_currency"),
        ),
        sa.ForeignKeyConstraint(["movement_id"], ["movements.id"], name=op.f("fk_entries_movement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("movement_id", "account_id", name=op.f("uq_entries_movement_id_account_id")),
    )
    op.create_index(op.f("ix_entries_account_id_id"), "entries", ["account_id", "id"])
    op.create_table(
        "credit_grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="50", nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("for_subscription_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("btrim(reference) <> ''", name=op.f("ck_credit_grants_reference_not_blank")),
        sa.ForeignKeyConstraint(
            ["for_subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_credit_grants_for_subscription_id"),
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_credit_grants_currency_iso")),
        sa.CheckConstraint("kind IN ('promotional', 'purchase')", name=op.f("ck_credit_grants_kind_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_credit_grants_amount_minor_positive")),
        sa.CheckConstraint("priority BETWEEN 0 AND 100", name=op.f("ck_credit_grants_priority_bounded")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_credit_grants_account_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_credit_grants_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_grants")),
        sa.UniqueConstraint("account_id", name=op.f("uq_credit_grants_account_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_credit_grants_reference")),
    )
    op.create_index(op.f("ix_credit_grants_customer_id_id"), "credit_grants", ["customer_id", "id"])
    op.create_index(
        op.f("ix_credit_grants_expires_on"),
        "credit_grants",
        ["expires_on"],
        postgresql_where=sa.text("expires_on IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop them, with their indexes and triggers."""
    op.drop_table("credit_grants")
    op.drop_table("entries")
    op.drop_table("movements")
    op.drop_table("accounts")
