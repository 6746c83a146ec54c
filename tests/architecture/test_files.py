"""What files are called and how long they are."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT, files, part_of, shown

ROLES = {"service", "util", "helper", "manager", "base", "common", "misc", "shared"}
"""Names after a role, in one or in several: a file grows for ever when everything can be said to belong in it."""

LONGEST = 400
LONGEST_TEST = 500
"""A list of cases may be long."""
DEBTS: dict[str, int] = {}
"""Files that have grown longer and are to be split, with the length that they may not pass meanwhile."""


def test_no_file_is_named_after_a_role():
    named = {part for path in files(".py") for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    words = {name: set(re.split("[_-]", name)) for name in named}

    assert not [name for name, parts in words.items() if {word.removesuffix("s") for word in parts} & ROLES]


def test_no_file_is_longer_than_a_person_reads():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files(".py")}
    too_long = [
        f"{shown(path)} has {length} lines"
        for path, length in lengths.items()
        if length > DEBTS.get(shown(path), LONGEST_TEST if part_of(path) == "tests" else LONGEST)
    ]

    assert not too_long


def test_a_debt_that_is_paid_is_struck_off():
    lengths = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in DEBTS}

    assert not [name for name, length in lengths.items() if length <= LONGEST]
