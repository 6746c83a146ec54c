"""No clock and no dice where workflows are decided: a replay must come to the same decisions."""

from __future__ import annotations

import pytest

from tests.architecture.clocks_and_dice import found_in, uses
from tests.architecture.source import ROOT, files, imports, part_of, shown, tree, within

ATTRIBUTES = "activities/attributes.py"
"""The one file of the activities whose functions workflows call; of the others they only use the names."""

PLANTED = {
    "from datetime import datetime\nat = datetime.now()": "datetime.datetime.now",
    "from datetime import UTC, datetime as d\nat = d.now(tz=UTC)": "datetime.datetime.now",
    "import datetime\nat = datetime.datetime.utcnow()": "datetime.datetime.utcnow",
    "import datetime as dt\nat = dt.datetime.today()": "datetime.datetime.today",
    "from datetime import date\non = date.today()": "datetime.date.today",
    "from datetime import date as day\non = day.today()": "datetime.date.today",
    "import datetime\nkind = datetime.date\non = kind.today()": "datetime.date.today",
    "import time\nat = time.time()": "time.time",
    "import time as clock\nat = clock.time_ns()": "time.time_ns",
    "from time import time\nat = time()": "time.time",
    "from time import monotonic as ticks\nat = ticks()": "time.monotonic",
    "import time\nat = time.monotonic()": "time.monotonic",
    "import time\nat = time.perf_counter()": "time.perf_counter",
    "import time\ndef wait():\n    time.sleep(1)": "time.sleep",
    "import random\nn = random.random()": "random",
    "import random as dice\nn = dice.choice([1])": "random",
    "from random import Random\nn = Random().random()": "random",
    "import secrets\nn = secrets.token_hex()": "secrets",
    "from secrets import token_bytes as t\nn = t(8)": "secrets",
    "from uuid import uuid4\nn = uuid4()": "uuid.uuid4",
    "import uuid\nn = uuid.uuid1()": "uuid.uuid1",
    "import uuid as u\nn = u.uuid4().hex": "uuid.uuid4",
    "import os\nn = os.urandom(8)": "os.urandom",
    "from os import urandom\nn = urandom(8)": "os.urandom",
    # not called here, but handed on
    "from datetime import datetime\nfrom pydantic import Field\nat = Field(default_factory=datetime.now)": (
        "datetime.datetime.now"
    ),
    # inside a function, inside an import block, behind getattr
    "def f():\n    from datetime import date\n    return date.today()": "datetime.date.today",
    "with workflow.unsafe.imports_passed_through():\n    from random import randint": "random",
    "import datetime\nat = getattr(datetime.datetime, 'now')()": "datetime.datetime.now",
    # the ways around
    "from time import *": "time.time",
    "import importlib\nimportlib.import_module('random')": "importlib",
    "m = __import__('random')": "builtins.__import__",
}

INNOCENT = (
    "from temporalio import workflow\nat = workflow.now()\nn = workflow.uuid4()\nr = workflow.random()",
    "from datetime import date, datetime, time\nopens = time(9, 0)\non = date(2027, 8, 31)",
    "from datetime import datetime\nat = datetime.combine(on, time(9))\nthen = datetime.fromisoformat('2027-08-31')",
    "class RowCheck:\n    today: object\n    def f(self):\n        return self.today",
    "def f(now, random, time):\n    return now + random.time + time.monotonic",
    "import uuid\nknown = uuid.UUID('0' * 32)\nnamed = uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
    "import os\npath = os.path.join('a', 'b')",
)


@pytest.mark.parametrize(("source", "name"), PLANTED.items(), ids=lambda text: text.splitlines()[-1].strip())
def test_each_clock_and_each_die_is_found_however_it_is_named(source, name):
    assert name in found_in(source)


@pytest.mark.parametrize("source", INNOCENT, ids=lambda text: text.splitlines()[-1].strip())
def test_what_only_looks_like_a_clock_is_left_alone(source):
    assert not list(found_in(source))


def test_neither_rules_nor_workflows_have_a_clock_or_dice():
    """The sandbox does not see into modules that are passed through it."""
    bound = [path for path in files(".py") if part_of(path) in ("domain", "workflows")]
    bound.append(ROOT / ATTRIBUTES)

    assert len(bound) > 20
    assert not [f"{shown(path)}, {use}" for path in bound for use in uses(tree(path))]


def test_of_the_activities_workflows_use_only_names_and_the_search_attributes():
    """What else a workflow called there would run inside it, beyond the search above."""
    called = [
        f"{shown(path, found.line)} imports {found.name}"
        for path in files(".py")
        if part_of(path) == "workflows"
        for found in imports(tree(path))
        if within(found.name, "activities")
        and not within(found.name, "activities.attributes")
        and not found.name.endswith("Activities")
    ]

    assert not called
