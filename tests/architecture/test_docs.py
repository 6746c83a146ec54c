"""The pages say what the code has: no setting, command, message or target is left out, and no link leads nowhere."""

from __future__ import annotations

import re

import pytest

from activities import attributes
from domain.messages import TASK_QUEUE, State
from tests.architecture import pages
from tests.architecture.source import ROOT, files, shown

MACHINE = {
    # written so that this file does not find itself
    "a path of somebody's machine": r"(?<![\w./-])/(?:hom[e]|roo[t]|wor[k]|User[s])/[\w.-]",
    "a package registry": r"(?:pyp[i]\.org|pythonhoste[d]\.|registry\.npmj[s]|index-ur[l][ =]+http|proxy\.golan[g])",
}
BRITISH = r"\b(?:[Ll]icenc[e]s?|[Hh]onou[r]\w*|[Cc]olou[r]\w*|[Bb]ehaviou[r]\w*|[Ff]avou[r]\w*)\b"
TEXT = (
    ".md",
    ".py",
    ".toml",
    ".yml",
    ".yaml",
    ".txt",
    ".html",
    ".css",
    ".js",
    ".csv",
    ".mako",
    ".sh",
    ".run",
)
BARE = (
    "Makefile",
    "Dockerfile",
    "requirements.lock",
    "requirements-runtime.lock",
    ".env.example",
    ".gitignore",
    ".dockerignore",
    ".ci/run",
)
LONGEST_DECISION = 40


def test_every_setting_is_on_its_page_with_its_default_and_meaning():
    page = pages.page("docs/settings.md")
    missing = [row for row in pages.setting_rows() if row not in page]

    assert not missing, "docs/settings.md lacks:\n" + "\n".join(missing)


def test_no_setting_is_on_its_page_that_does_not_exist():
    known = {re.findall(r"EVERGREEN_\w+", row)[0] for row in pages.setting_rows()} | {"EVERGREEN_FOLDER"}

    assert not set(re.findall(r"EVERGREEN_[A-Z_]+[A-Z]", pages.page("docs/settings.md"))) - known


@pytest.mark.parametrize("name", pages.commands())
def test_every_command_is_on_its_page_as_its_help_describes_it(name):
    """If not: `python -m tests.architecture.pages` writes the page anew."""
    assert pages.commands()[name] in pages.page("docs/command-line.md")


def test_no_command_is_on_its_page_that_does_not_exist():
    described = re.findall(r"^### `([a-z-]+)", pages.page("docs/command-line.md"), re.MULTILINE)

    assert sorted(described) == sorted(pages.commands())


def test_every_make_target_is_in_the_readme():
    readme = pages.page("README.md")

    assert "test" in pages.targets()
    assert not [name for name in pages.targets() if name != "help" and f"make {name}" not in readme]


@pytest.mark.parametrize("kind", ["signal", "update", "query"])
def test_every_message_of_the_subscription_workflow_is_explained(kind):
    names = list(pages.messages(kind))
    page = pages.page("docs/temporal.md")

    assert names
    assert not [name for name in names if f"`{name}`" not in page and f"--type {name}" not in page]


def test_search_attributes_states_and_the_task_queue_are_explained():
    page = pages.page("docs/temporal.md")

    assert not [key.name for key in attributes.ALL if f"`{key.name}`" not in page]
    assert not [state for state in State if state not in page]
    assert f"`{TASK_QUEUE}`" in page


def test_every_link_leads_somewhere():
    assert not list(pages.broken_links())


def test_every_page_can_be_found_from_the_readme():
    readme = pages.page("README.md")
    found = [path for path in (ROOT / "docs").glob("*.md") if f"docs/{path.name}" not in readme]

    assert not [shown(path) for path in found]


def test_decisions_are_numbered_in_a_row_and_short():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]

    assert numbers == list(range(1, len(numbers) + 1))
    for path in decisions:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {path.name[:4]} ")
        assert len(lines) <= LONGEST_DECISION, path.name


@pytest.mark.parametrize("what", MACHINE)
def test_nothing_names_the_machine_it_was_written_on(what):
    found = [
        f"{shown(path, number)}: {line.strip()[:80]}"
        for path in (*files(*TEXT), *(ROOT / name for name in BARE))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if re.search(MACHINE[what], line)
    ]

    assert not found


def test_the_search_for_the_machine_finds_what_it_looks_for():
    path, registry = MACHINE.values()

    assert re.search(path, "see /" + "home/jo/evergreen")
    assert re.search(registry, "https://pypi" + ".org/simple")
    assert not re.search(path, "http://127.0.0.1:8000/work" + "flows/ and tests/work" + "/x")


def test_the_pages_are_written_in_american_spelling():
    """As the vendor writes it: license."""
    wrong = [(shown(path), re.findall(BRITISH, path.read_text(encoding="utf-8"))) for path in files(".md")]

    assert not [found for found in wrong if found[1]]
