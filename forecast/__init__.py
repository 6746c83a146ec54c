"""The book of subscriptions, run ahead in time on servers of its own: what will happen before it does."""
