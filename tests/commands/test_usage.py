"""What every command keeps to, whatever it does."""

from __future__ import annotations

import asyncio

import pytest

from commands.program import program
from tests.commands.program import CommandLine

COMMANDS = [command.name or "" for command in program.registered_commands]
MISUSED = {
    "no such command": ("renew",),
    "no such option": ("list", "--all"),
    "an argument is missing": ("show",),
    "a state that does not exist": ("list", "--state", "asleep"),
    "a day that does not exist": ("list", "--renews-before", "2027-02-30"),
    "a file that does not exist": ("import", "not_there.csv"),
    "a file of another kind": ("import", "licenses.xls"),
}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """The command line where no stack is."""
    folder = tmp_path_factory.mktemp("alone")
    return CommandLine(folder, {"EVERGREEN_FOLDER": str(folder / "none")})


async def all_at_once(program, calls):
    """Run the calls together; their answers by name."""
    answers = await asyncio.gather(*(program(*arguments) for arguments in calls.values()))
    return dict(zip(calls, answers, strict=True))


async def test_every_command_teaches_itself_with_an_example(alone):
    for name, answer in (await all_at_once(alone, {name: (name, "--help") for name in COMMANDS})).items():
        assert answer.code == 0, answer.said
        assert f"Example: evergreen {name}" in answer.said
        assert "--json" in answer.said


async def test_misuse_is_told_on_standard_error_and_ends_with_2(evergreen):
    for what, answer in (await all_at_once(evergreen, MISUSED)).items():
        assert (answer.code, answer.out) == (2, ""), f"{what}: {answer.said}"
        assert answer.err, what
        assert "Traceback" not in answer.err, what


async def test_without_arguments_the_commands_are_listed(alone):
    answer = await alone()

    assert all(name in answer.said for name in COMMANDS)
    assert (
        "Exit codes: 0 done; 1 refused by a rule; 2 bad input or usage; 3 a server cannot be reached"
        in answer.said
    )


async def test_where_there_is_no_stack_a_command_says_what_to_do(alone):
    answer = await alone("list")

    assert answer.code == 2
    assert "EVERGREEN_DATABASE_URL" in answer.said
    assert "make up" in answer.said
