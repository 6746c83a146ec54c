"""What keeps the ledger true whoever writes to it (R17): triggers, no Python."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Shared by all append-only tables; the trigger's argument is the rule it stands for.
REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: the table is append-only (%)', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$
"""

# A balance follows the entries; the table's own checks then refuse one that would pass zero.
KEEP_BALANCES = """
CREATE FUNCTION keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET balance_minor = accounts.balance_minor + added.amount_minor
    FROM (
        SELECT account_id, sum(amount_minor)::bigint AS amount_minor FROM new_entries GROUP BY account_id
    ) AS added
    WHERE accounts.id = added.account_id AND accounts.balance_minor IS NOT NULL;
    RETURN NULL;
END $$
"""

# Only the function above may change an account, and only its balance: it runs one trigger deep.
GUARD_ACCOUNTS = """
CREATE FUNCTION guard_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept accounts;
BEGIN
    IF TG_OP = 'INSERT' AND coalesce(NEW.balance_minor, 0) = 0 THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND pg_trigger_depth() > 1 THEN
        kept := OLD;
        kept.balance_minor := NEW.balance_minor;
        IF kept IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% of account % refused: only entries change it (R17)', TG_OP, coalesce(NEW.id, OLD.id)
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_by_entries_only';
END $$
"""

# At commit: as many entries as the movement said, at least two, and each currency sums to zero.
CHECK_MOVEMENT = """
CREATE FUNCTION check_movement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked text;
BEGIN
    IF TG_TABLE_NAME = 'movements' THEN checked := NEW.id; ELSE checked := NEW.movement_id; END IF;
    IF (SELECT entry_count FROM movements WHERE id = checked)
        <> (SELECT count(*) FROM entries WHERE movement_id = checked) THEN
        RAISE EXCEPTION 'movement % refused: it has more or fewer entries than it says (R17)', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'movements_complete';
    END IF;
    IF EXISTS (
        SELECT FROM entries WHERE movement_id = checked GROUP BY currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'movement % refused: its entries do not sum to zero (R17)', checked
            USING ERRCODE = 'check_violation', CONSTRAINT = 'movements_balanced';
    END IF;
    RETURN NULL;
END $$
"""

TRIGGERS = (
    """
    CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R17')
    """,
    """
    CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R17')
    """,
    """
    CREATE TRIGGER accounts_append_only BEFORE TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R17')
    """,
    """
    CREATE TRIGGER credit_grants_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_grants
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('R17')
    """,
    """
    CREATE TRIGGER accounts_by_entries_only BEFORE INSERT OR UPDATE OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION guard_accounts()
    """,
    """
    CREATE TRIGGER entries_keep_balances AFTER INSERT ON entries
    REFERENCING NEW TABLE AS new_entries
    FOR EACH STATEMENT EXECUTE FUNCTION keep_balances()
    """,
    """
    CREATE CONSTRAINT TRIGGER movements_balance AFTER INSERT ON movements
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_movement()
    """,
    """
    CREATE CONSTRAINT TRIGGER entries_balance AFTER INSERT ON entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_movement()
    """,
)


def upgrade() -> None:
    """Make the functions and the triggers."""
    for statement in (REFUSE_CHANGE, KEEP_BALANCES, GUARD_ACCOUNTS, CHECK_MOVEMENT, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """Drop the functions; their triggers go with them."""
    for function in ("check_movement", "guard_accounts", "keep_balances", "refuse_change"):
        op.execute(f"DROP FUNCTION {function}() CASCADE")
