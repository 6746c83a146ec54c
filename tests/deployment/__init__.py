"""Drills: deploy, rotate keys, restore, stop under load; on the stack of `make up`."""
