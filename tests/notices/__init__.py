"""Letters, the outbox and the mail server."""
