"""Help: every command explains itself, shows an example, and loads nothing heavy."""

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from retention.cli import SECTIONS, retention

HEAVY = ("sqlalchemy", "pydantic", "pydantic_settings", "structlog", "rich")


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        yield (*path, name)


COMMANDS = sorted(_commands(retention))
assert len(COMMANDS) > 40


def _help(path: tuple[str, ...]) -> str:
    answer = CliRunner().invoke(retention, [*path, "--help"], prog_name="retention")
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_shows_an_example_of_itself(path):
    examples = _help(path).partition("Example:\n")[2]
    assert f"retention {' '.join(path)}" in examples.replace("--json ", "")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_is_explained(path):
    command = retention
    for name in path:
        command = command.commands[name]
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


@pytest.mark.parametrize(
    "path",
    [path for path in COMMANDS if path[-1] in {"list", "show", "status", "plan"}],
    ids=" ".join,
)
def test_every_reading_command_offers_json(path):
    assert "--json" in _help(path)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_keeps_to_the_words_of_the_design(path):
    forbidden = re.compile(
        r"\b(purg|prun|expir|clean up|lock(ed)? hold)", re.IGNORECASE
    )
    assert forbidden.search(_help(path)) is None


def test_the_programs_help_names_each_command_once_and_the_exit_statuses():
    text = _help(())
    for names in SECTIONS.values():
        for name in names:
            assert len(re.findall(rf"^  {name}  ", text, re.MULTILINE)) == 1
    assert all(re.search(rf"\b{status}  [a-z]", text) for status in range(8))


def test_help_imports_no_database_no_settings_and_no_logging():
    program = (
        "import sys\nfrom retention.cli import run\nrun(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "Deletes CCTV footage" in done.stdout
    assert done.stderr == "[]\n"


def test_help_of_a_verb_of_a_noun_imports_nothing_heavy_either():
    program = (
        "import sys\nfrom retention.cli import run\nrun(['hold', 'place', '--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"


def test_a_report_of_a_copy_loads_no_other_report():
    """Who types one waits for it."""
    others = ("foi", "certificate", "coverage_report", "seizures", "access_report")
    program = (
        "import sys\nfrom retention.reports import by_name\n"
        "assert by_name.made('deletions').__name__ == 'deletions'\n"
        f"print([one for one in {others!r} if f'retention.reports.{{one}}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
