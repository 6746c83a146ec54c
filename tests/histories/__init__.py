"""Recorded histories that must replay."""
