"""The API for programs: JSON under /api/v1, with tokens, and nothing of the pages."""
