"""Who may import whom, said once. `docs/decisions/` and the README tell why; this holds it."""

from __future__ import annotations

import ast
import sys
import tomllib

import pytest

from tests.architecture.source import ROOT, Import, files, imports, part_of, shown, tree, within

DOES = ("db", "domain", "vendor", "payments", "notices")

ASKS = ("starter", "db", "domain", "config", "connection", "logs")

MAY_IMPORT = {
    # what is true
    "domain": (),
    # what we know, and those we deal with
    "sealing": (),
    "db": ("domain", "domain.card", "sealing"),  # the card is a value; it belongs into domain/
    "vendor": ("domain",),
    "payments": ("domain",),
    "notices": ("domain", "db.outbox", "db.webhook_outbox"),
    "papers": ("domain", "db.invoice_papers"),
    # how it is done
    "activities": DOES,
    # what must happen
    "workflows": ("domain", "activities"),
    # who asks
    "connection": ("activities.attributes", "domain", "sealing"),
    "config": (
        "domain",
        "db.license_keys",
        "db.sign_in_links",
        "notices",
        "papers.receipt",
        "payments",
        "sealing",
    ),
    "starter": ("workflows", "domain", "connection", "config"),
    # what staff and programs bring, received in one way whoever brings it
    "reception": ("starter", "db", "domain"),
    "commands": (*ASKS, "reception", "forecast", "papers", "payments", "sandbox"),
    "portal": (
        *ASKS,
        "reception",
        "forecast.shelf",
        "health",
        "notices",
        "papers",
        "payments",
        "sealing",
        "telemetry",
    ),
    # the same workflows, run ahead in time on servers of their own
    "forecast": ("starter", "activities", "db", "domain", "config", "connection", "papers", "sandbox"),
    # the composition root, and what only it needs
    "telemetry": ("db", "notices.tally"),
    "worker": (
        *DOES,
        "telemetry",
        "activities",
        "workflows",
        "config",
        "connection",
        "health",
        "logs",
        "readiness",
        "schedule",
    ),
    "readiness": ("connection", "db.schema"),
    "schedule": ("domain",),
    "health": (),
    "logs": (),
    # what stands in for the outside world knows nothing of us
    "sandbox": (),
}
"""A part of the program → what of ours it may import, besides itself."""

LAZILY = {"starter": ("commands",)}
"""The same, but only inside a function: the commands stand on the starter."""

ANYTHING = ("tests", "benchmarks", "chaos")
"""These stand outside and may import all parts, `worker` too."""

LIBRARIES = {
    "domain": ("pydantic", "holidays"),
    "workflows": ("temporalio", "pydantic"),
}
"""Parts that may import only these libraries, besides Python's own."""

OURS = {part_of(path) for path in files(".py")}
WORKFLOW_FILES = [path for path in files(".py") if part_of(path) == "workflows"]


def of_ours(path):
    """What a file imports of our other parts; an import that begins with a dot counts, for we write whole names."""
    for found in imports(tree(path)):
        if found.name.startswith(".") or (
            within(found.name, *OURS) and not within(found.name, part_of(path))
        ):
            yield found


def is_allowed(part: str, found: Import) -> bool:
    lazily = LAZILY.get(part, ()) if found.lazy else ()
    return within(found.name, *MAY_IMPORT.get(part, ()), *lazily)


def test_every_part_of_the_program_is_in_the_table():
    """A new folder or file at the top is a decision: say in the table what it may import."""
    assert OURS - set(ANYTHING) <= MAY_IMPORT.keys()


def test_nobody_imports_what_the_table_does_not_allow():
    wrong = [
        f"{shown(path, found.line)} imports {found.name}"
        for path in files(".py")
        if part_of(path) not in ANYTHING
        for found in of_ours(path)
        if not is_allowed(part_of(path), found)
    ]

    assert not wrong


def test_the_table_allows_nobody_the_worker():
    """The composition root is where everything meets: whoever imported it would import everything."""
    assert not [part for part, allowed in (MAY_IMPORT | LAZILY).items() if "worker" in allowed]


def test_the_table_is_a_tree_without_circles():
    """An import in a function is not counted: it is there because there would be a circle."""

    def reached(part, seen=()):
        assert part not in seen, " → ".join((*seen, part))
        for allowed in MAY_IMPORT.get(part, ()):
            if "." not in allowed:
                reached(allowed, (*seen, part))

    for part in MAY_IMPORT:
        reached(part)


@pytest.mark.parametrize("part", LIBRARIES)
def test_rules_and_workflows_stand_on_few_libraries(part):
    wrong = [
        f"{shown(path, found.line)} imports {found.name}"
        for path in files(".py")
        if part_of(path) == part
        for found in imports(tree(path))
        if not within(found.name, *sys.stdlib_module_names, *OURS, *LIBRARIES[part])
    ]

    assert not wrong


def test_only_one_file_of_the_rules_knows_the_library_of_holidays():
    knows = {
        path.name
        for path in files(".py")
        if part_of(path) == "domain" and any(within(i.name, "holidays") for i in imports(tree(path)))
    }

    assert knows <= {"working_days.py"}


@pytest.mark.parametrize("path", WORKFLOW_FILES, ids=lambda path: path.stem)
def test_a_workflow_file_imports_our_modules_in_one_passed_through_block_at_its_top(path):
    """Whatever else it imported would be loaded anew for every workflow: ten milliseconds and 155 KB each."""
    blocks, others = blocks_and_others(tree(path))
    outside = [
        found.name for found in others if not within(found.name, *sys.stdlib_module_names, "temporalio")
    ]
    inside = [found for block in blocks for found in imports(ast.Module([block], []))]

    assert not outside, "belongs into the pass-through block"
    assert len(blocks) <= 1
    assert not [found.name for found in inside if within(found.name, *sys.stdlib_module_names)]
    assert not [found.name for found in inside if found.lazy]


def test_the_rule_about_workflow_files_finds_what_it_forbids():
    late = ast.parse(
        "import asyncio\nX = 1\nwith workflow.unsafe.imports_passed_through():\n    import domain.term"
    )
    inside = ast.parse("def f():\n    from domain import term")
    in_block_too = ast.parse(
        "with workflow.unsafe.imports_passed_through():\n    from domain import term\n    f()"
    )

    assert [found.name for found in blocks_and_others(late)[1]] == ["asyncio", "domain.term"]
    assert [found.name for found in blocks_and_others(inside)[1]] == ["domain.term"]
    assert not blocks_and_others(in_block_too)[0]


def blocks_and_others(module):
    """The pass-through blocks among the imports at the top of a module, and all other imports in it."""
    blocks, rest, at_top = [], [], True
    for statement in module.body:
        is_block = (
            isinstance(statement, ast.With)
            and ast.unparse(statement.items[0]) == "workflow.unsafe.imports_passed_through()"
            and all(isinstance(inner, ast.Import | ast.ImportFrom) for inner in statement.body)
        )
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        at_top = at_top and (is_block or is_docstring or isinstance(statement, ast.Import | ast.ImportFrom))
        (blocks if is_block and at_top else rest).append(statement)
    return blocks, list(imports(ast.Module(rest, [])))


def test_every_file_of_the_program_is_in_the_package():
    """Else it runs from this folder only, and the installed `evergreen` does not start."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {f"{part}*" for part in MAY_IMPORT if (ROOT / part).is_dir()}

    assert {path.stem for path in ROOT.glob("*.py")} <= set(setuptools["py-modules"])
    assert folders <= set(setuptools["packages"]["find"]["include"])
