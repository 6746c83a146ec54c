"""Add-ons, upgrades, changes at renewal, the promise."""
