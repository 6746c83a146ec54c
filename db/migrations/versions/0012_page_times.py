"""What keeps pages as quick for 100,000 subscriptions as for ten: an index of words, and promises that are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# None while it is owed. A refusal in time breaks no promise: the payment went back.
PROMISE_OUTCOME = """
CREATE FUNCTION promise_outcome(state text, late boolean, done_at timestamptz, promise_at timestamptz)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE state
        WHEN 'done' THEN CASE WHEN done_at <= promise_at AND NOT late THEN 'kept' ELSE 'broken' END
        WHEN 'refused' THEN CASE WHEN late THEN 'broken' ELSE 'refused' END
    END
$$
"""

# What the update was is taken off, what it is now is added: a closed one that changes again is not counted twice.
# One transaction counts at a time, as two that close two updates each would lock the rows of two times crosswise.
COUNT_PROMISE = """
CREATE FUNCTION count_promise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('promise_times'), 0);
    INSERT INTO promise_times AS counted (promise_at, kept, broken, refused)
    SELECT
        at,
        coalesce(sum(weight) FILTER (WHERE outcome = 'kept'), 0),
        coalesce(sum(weight) FILTER (WHERE outcome = 'broken'), 0),
        coalesce(sum(weight) FILTER (WHERE outcome = 'refused'), 0)
    FROM (VALUES
        (NEW.promise_at, promise_outcome(NEW.state, NEW.late, NEW.done_at, NEW.promise_at), 1),
        (OLD.promise_at, promise_outcome(OLD.state, OLD.late, OLD.done_at, OLD.promise_at), -1)
    ) AS change (at, outcome, weight)
    WHERE outcome IS NOT NULL
    GROUP BY at
    ON CONFLICT (promise_at) DO UPDATE SET
        kept = counted.kept + excluded.kept,
        broken = counted.broken + excluded.broken,
        refused = counted.refused + excluded.refused;
    RETURN NULL;
END $$
"""

# At commit: many updates share a promise time, and nobody waits for its row, or the lock, longer than a commit takes.
TRIGGERS = (
    """
    CREATE CONSTRAINT TRIGGER license_updates_counted_when_inserted AFTER INSERT ON license_updates
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state <> 'pending') EXECUTE FUNCTION count_promise()
    """,
    """
    CREATE CONSTRAINT TRIGGER license_updates_counted_when_closed
    AFTER UPDATE OF state, late, done_at, promise_at ON license_updates
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state <> 'pending' OR OLD.state <> 'pending')
    EXECUTE FUNCTION count_promise()
    """,
)

COUNT_ALL = """
INSERT INTO promise_times (promise_at, kept, broken, refused)
SELECT
    promise_at,
    count(*) FILTER (WHERE outcome = 'kept'),
    count(*) FILTER (WHERE outcome = 'broken'),
    count(*) FILTER (WHERE outcome = 'refused')
FROM (
    SELECT promise_at, promise_outcome(state, late, done_at, promise_at) AS outcome
    FROM license_updates WHERE state <> 'pending'
) AS closed
GROUP BY promise_at
"""

# The words are what stands between ASCII punctuation, so that parts of an address are words too.
WORDS = (
    "to_tsvector('simple'::regconfig, regexp_replace((name || ' '::text) || email, "
    "'[!-/:-@[-`{-~]+'::text, ' '::text, 'g'::text))"
)


def upgrade() -> None:
    """Old code goes on: its updates are counted too. Writers wait while it runs: seconds for 100,000 rows."""
    op.create_index("ix_customers_words", "customers", [sa.text(WORDS)], postgresql_using="gin")
    op.create_table(
        "promise_times",
        sa.Column("promise_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("broken", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("promise_at", name=op.f("pk_promise_times")),
    )
    # The triggers come first: making them keeps writers out until this commits, so none is missed or counted twice.
    for statement in (PROMISE_OUTCOME, COUNT_PROMISE, *TRIGGERS, COUNT_ALL):
        op.execute(statement)


def downgrade() -> None:
    """Drop them; the triggers go with their function."""
    op.execute("DROP FUNCTION count_promise() CASCADE")
    op.drop_table("promise_times")
    op.execute("DROP FUNCTION promise_outcome(text, boolean, timestamptz, timestamptz)")
    op.drop_index("ix_customers_words", "customers")
