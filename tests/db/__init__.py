"""Tables, ledger and their guards, on a real PostgreSQL."""
