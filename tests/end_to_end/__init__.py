"""Subscriptions that live on the real servers, paid from credit."""
