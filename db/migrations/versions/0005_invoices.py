"""Invoices, their lines, and payments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

# At commit: tax lines sum to the tax, the others to the net amount.
CHECK_INVOICE = """
CREATE FUNCTION check_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked text;
BEGIN
    IF TG_TABLE_NAME = 'invoices' THEN checked := NEW.id; ELSE checked := NEW.invoice_id; END IF;
    IF (SELECT (net_minor, tax_minor) FROM invoices WHERE id = checked) IS DISTINCT FROM (
        SELECT (
            coalesce(sum(amount_minor) FILTER (WHERE kind <> 'tax'), 0)::bigint,
            coalesce(sum(amount_minor) FILTER (WHERE kind = 'tax'), 0)::bigint
        )
        FROM invoice_lines WHERE invoice_id = checked
    ) THEN
        RAISE EXCEPTION 'invoice % refused: its lines do not add up to its totals (R15)', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoices_lines_add_up';
    END IF;
    RETURN NULL;
END $$
"""

TRIGGERS = (
    """
    CREATE TRIGGER invoices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R29')
    """,
    """
    CREATE TRIGGER invoice_lines_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R29')
    """,
    """
    CREATE CONSTRAINT TRIGGER invoices_add_up AFTER INSERT ON invoices
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_invoice()
    """,
    """
    CREATE CONSTRAINT TRIGGER invoice_lines_add_up AFTER INSERT ON invoice_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_invoice()
    """,
)


def upgrade() -> None:
    """Make the tables and what keeps them true."""
    op.create_table(
        "invoice_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("next_number", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("btrim(series) <> ''", name=op.f("ck_invoice_series_series_not_blank")),
        sa.CheckConstraint("next_number > 0", name=op.f("ck_invoice_series_next_number_positive")),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_invoice_series")),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("corrects_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("bill_to_name", sa.Text(), nullable=False),
        sa.Column("bill_to_country", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit_note') = (corrects_id IS NOT NULL)", name=op.f("ck_invoices_corrects_known")
        ),
        sa.CheckConstraint(
            "CASE kind WHEN 'invoice' THEN least(net_minor, tax_minor) >= 0"
            " ELSE greatest(net_minor, tax_minor) <= 0 END",
            name=op.f("ck_invoices_sign_of_kind"),
        ),
        sa.CheckConstraint("bill_to_country ~ '^[A-Z]{2}$'", name=op.f("ck_invoices_bill_to_country_iso")),
        sa.CheckConstraint("btrim(bill_to_name) <> ''", name=op.f("ck_invoices_bill_to_name_not_blank")),
        sa.CheckConstraint("btrim(number) <> ''", name=op.f("ck_invoices_number_not_blank")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_invoices_currency_iso")),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_invoices_kind_known")),
        sa.CheckConstraint("net_minor + tax_minor = total_minor", name=op.f("ck_invoices_total_adds_up")),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_invoices_sequence_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_invoices_account_id")),
        sa.ForeignKeyConstraint(["corrects_id"], ["invoices.id"], name=op.f("fk_invoices_corrects_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_invoices_customer_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_invoices_order_id")),
        sa.ForeignKeyConstraint(["series"], ["invoice_series.series"], name=op.f("fk_invoices_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
        sa.UniqueConstraint("series", "sequence", name=op.f("uq_invoices_series_sequence")),
    )
    op.create_index(op.f("ix_invoices_corrects_id"), "invoices", ["corrects_id"])
    op.create_index(op.f("ix_invoices_customer_id_id"), "invoices", ["customer_id", "id"])
    op.create_index(
        "uq_invoices_order",
        "invoices",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'invoice'"),
    )
    op.create_table(
        "invoice_lines",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.CheckConstraint("btrim(description) <> ''", name=op.f("ck_invoice_lines_description_not_blank")),
        sa.CheckConstraint(
            "kind IN ('renewal', 'addon', 'upgrade', 'discount', 'tax')",
            name=op.f("ck_invoice_lines_kind_known"),
        ),
        sa.CheckConstraint("position > 0", name=op.f("ck_invoice_lines_position_positive")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id")),
        sa.PrimaryKeyConstraint("invoice_id", "position", name=op.f("pk_invoice_lines")),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("decline_code", sa.Text(), nullable=True),
        sa.Column("decline_kind", sa.Text(), nullable=True),
        sa.Column("action_url", sa.Text(), nullable=True),
        sa.Column("refunds_id", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'refund') = (refunds_id IS NOT NULL)", name=op.f("ck_payments_refunds_known")
        ),
        sa.CheckConstraint(
            "(status = 'declined') = (decline_kind IS NOT NULL)", name=op.f("ck_payments_declined_with_kind")
        ),
        sa.CheckConstraint(
            "(status IN ('succeeded', 'declined')) = (completed_at IS NOT NULL)",
            name=op.f("ck_payments_completed_at_known"),
        ),
        sa.CheckConstraint("btrim(key) <> ''", name=op.f("ck_payments_key_not_blank")),
        sa.CheckConstraint("btrim(provider) <> ''", name=op.f("ck_payments_provider_not_blank")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_payments_currency_iso")),
        sa.CheckConstraint("decline_kind IN ('soft', 'hard')", name=op.f("ck_payments_decline_kind_known")),
        sa.CheckConstraint("kind IN ('charge', 'refund')", name=op.f("ck_payments_kind_known")),
        sa.CheckConstraint(
            "status IN ('pending', 'succeeded', 'declined', 'action_required', 'unknown')",
            name=op.f("ck_payments_status_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payments_amount_minor_positive")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_payments_invoice_id")),
        sa.ForeignKeyConstraint(["refunds_id"], ["payments.id"], name=op.f("fk_payments_refunds_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("key", name=op.f("uq_payments_key")),
    )
    op.create_index(op.f("ix_payments_invoice_id"), "payments", ["invoice_id"])
    op.create_index(op.f("ix_payments_provider_reference"), "payments", ["provider_reference"])
    op.create_index(op.f("ix_payments_refunds_id"), "payments", ["refunds_id"])
    op.create_index(
        "ix_payments_unsettled",
        "payments",
        ["recorded_at"],
        postgresql_where=sa.text("status IN ('pending', 'action_required', 'unknown')"),
    )
    op.create_index(
        "uq_payments_live_charge",
        "payments",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'charge' AND status <> 'declined'"),
    )
    for statement in (CHECK_INVOICE, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Drop them, with their indexes and triggers."""
    op.drop_table("payments")
    op.drop_table("invoice_lines")
    op.drop_table("invoices")
    op.drop_table("invoice_series")
    op.execute("DROP FUNCTION check_invoice()")
