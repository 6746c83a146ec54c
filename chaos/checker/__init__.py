"""Decides whether a run went well, from what the vendor, the payment provider, the mail server and our tables recorded.

It shares no code with the program that it checks: Python, asyncpg and the calendar of bank holidays are all it imports.
"""
