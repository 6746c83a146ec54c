"""Telling people: letters as pure text (`letters`), the way out (`mailer`), and the sender of the outbox (`sender`)."""
