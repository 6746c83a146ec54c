"""Requests, notices and the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("license_key_ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("license_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL)",
            name=op.f("ck_requests_decision_known"),
        ),
        sa.CheckConstraint(
            "email = lower(email) AND email LIKE '_%@_%'", name=op.f("ck_requests_email_lower_case")
        ),
        sa.CheckConstraint(
            "kind IN ('add_key', 'upgrade', 'downgrade', 'other')", name=op.f("ck_requests_kind_known")
        ),
        sa.CheckConstraint(
            "state <> 'declined' OR btrim(coalesce(reason, '')) <> ''",
            name=op.f("ck_requests_declined_with_reason"),
        ),
        sa.CheckConstraint("state IN ('open', 'accepted', 'declined')", name=op.f("ck_requests_state_known")),
        sa.CheckConstraint(
            "(license_key_ciphertext IS NULL) = (license_fingerprint IS NULL)",
            name=op.f("ck_requests_license_key_with_fingerprint"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_requests_customer_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_requests_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index(op.f("ix_requests_customer_id"), "requests", ["customer_id"])
    op.create_index(op.f("ix_requests_state_id"), "requests", ["state", "id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("term_expires_on", sa.Date(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column(
            "next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("audience IN ('customer', 'staff')", name=op.f("ck_notices_audience_known")),
        sa.CheckConstraint("btrim(kind) <> ''", name=op.f("ck_notices_kind_not_blank")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_notices_attempts_not_negative")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_notices_customer_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_notices_subscription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "subscription_id",
            "term_expires_on",
            "kind",
            "subject",
            "audience",
            name="uq_notices_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_notices_customer_id_id"), "notices", ["customer_id", "id"])
    op.create_index(
        "ix_notices_unsent", "notices", ["next_attempt_at", "id"], postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("btrim(action) <> ''", name=op.f("ck_audit_action_not_blank")),
        sa.CheckConstraint("btrim(actor) <> ''", name=op.f("ck_audit_actor_not_blank")),
        sa.CheckConstraint("btrim(subject) <> ''", name=op.f("ck_audit_subject_not_blank")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_subject_id"), "audit", ["subject", "id"])
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R29')"
    )


def downgrade() -> None:
    """Drop them, with their indexes and triggers."""
    op.drop_table("audit")
    op.drop_table("notices")
    op.drop_table("requests")
