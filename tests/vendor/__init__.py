"""The vendor's client on the sandbox vendor."""
