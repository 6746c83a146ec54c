"""What we know: tables and the questions and commands about them, one file per noun.

Functions here take an `AsyncSession` and never commit: the transaction belongs to the edge, in `activities/`.
"""
