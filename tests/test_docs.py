"""What is written for people is true: commands, options, files, settings, names."""

import csv
import grp
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from retention.cli import retention
from retention.cli.local import init
from retention.control.guards import GUARDS
from retention.control.verbs import VERBS
from retention.model.layouts.presets import PRESETS
from retention.service.api.arguments import checked
from retention.site import unit
from retention.site.settings import Settings, load

TREE = Path(__file__).parents[1]
README = (TREE / "README.md").read_text(encoding="utf-8")
CI = TREE / ".ci" / "run"

TRY = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/retention demo"
TEST = (
    "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && "
    ".venv/bin/python -m pytest"
)

BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```$", README, re.MULTILINE | re.DOTALL)
LINES = [line.strip() for block in BLOCKS for line in block.splitlines()]
INLINE = re.findall(r"`(retention [^`]+)`", README)

PLACES = r"retention|config|systemd|tests|\.ci"


def _arguments(line: str) -> list[str] | None:
    """What a shell line gives to `retention`; None where it calls something else."""
    words = shlex.split(line)
    if words[:3] == ["sudo", "-u", "cctv-retention"]:
        words = words[3:]
    return words[1:] if words and words[0] == "retention" else None


TYPED = [line for line in LINES if _arguments(line) is not None]


def _parsed(arguments: list[str], *, whole: bool) -> click.Command:
    """The command that click finds; UsageError where it would refuse the line.

    `whole`: also what must be given is there, and every value is one that can be.
    """
    command, context = retention, click.Context(retention, info_name="retention")
    if arguments[-1:] == ["--help"]:
        arguments, whole = arguments[:-1], False
    while isinstance(command, click.Group) and arguments:
        name, *arguments = arguments
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"no command {name!r} in {context.command_path}")
        command = found
        context = click.Context(command, parent=context, info_name=name)
    if not isinstance(command, click.Group):
        command.make_context(
            command.name, arguments, parent=context.parent, resilient_parsing=not whole
        )
    return command


def _commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name)


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in text if not line.lstrip().startswith("#")]


@pytest.mark.parametrize("line", TYPED)
def test_a_command_line_of_the_readme_is_one_that_the_program_takes(line):
    arguments = _arguments(line)
    assert arguments is not None
    _parsed(arguments, whole=True)


@pytest.mark.parametrize("text", INLINE)
def test_a_command_named_in_the_readmes_text_exists_with_its_options(text):
    _parsed(shlex.split(text)[1:], whole=False)


def test_a_command_or_option_that_is_not_there_would_be_noticed():
    for wrong in ("hold lock 1001", "plan --until 7d", "deletion approve"):
        with pytest.raises(click.UsageError):
            _parsed(shlex.split(wrong), whole=True)
    assert len(TYPED) >= 15
    assert len(INLINE) >= 10


@pytest.mark.parametrize("path", sorted(_commands(retention)), ids=" ".join)
def test_every_command_is_in_the_readme_or_in_the_programs_own_overview(path):
    overview = CliRunner().invoke(retention, ["--help"]).output
    noun = re.search(
        rf"^  {path[0]} (.*?)(?=^  \w|^\w|\Z)", overview, re.MULTILINE | re.DOTALL
    )
    assert noun is not None
    listed = re.split(r"[\s|:.]+", noun.group(1))
    assert path[-1] in (*listed, path[0]) or f"retention {' '.join(path)}" in README


def test_the_two_set_up_commands_are_there_as_one_line_each():
    assert TRY in LINES
    assert TEST in LINES


def test_ci_runs_the_test_command_of_the_readme_and_fails_by_it():
    commands = _lines(CI)
    assert os.access(CI, os.X_OK)
    assert "set -euo pipefail" in commands
    assert [line for line in commands if "pytest" in line][-1:] == ["python -m pytest"]
    assert any("pip\" install -q -e '.[test]'" in line for line in commands)
    assert subprocess.run(["bash", "-n", CI]).returncode == 0


@pytest.mark.parametrize(
    "path", sorted((TREE / "config").glob("*.toml")), ids=lambda path: path.name
)
def test_an_example_configuration_can_be_used_as_it_is(path):
    assert load(path, {}).root


def test_the_trial_s_commands_are_ones_that_the_program_takes():
    text = (TREE / "config" / "demo.toml").read_text(encoding="utf-8")
    lines = re.findall(r"^#   (retention .+)$", text, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        _parsed(shlex.split(line)[1:], whole="hold place" not in line)


def test_the_trial_is_for_the_group_that_its_comment_puts_in(tmp_path):
    source = TREE / "config" / "demo.toml"
    (line,) = re.findall(r"^#   (sed .+) >", source.read_text(), re.MULTILINE)
    made = subprocess.run(
        ["bash", "-c", line], cwd=TREE, capture_output=True, text=True, check=True
    )
    (tmp_path / "retention.toml").write_text(made.stdout)
    settings = load(tmp_path / "retention.toml", {})
    own = grp.getgrgid(os.getgid()).gr_name
    assert {names for _, names in settings.access} == {(own,)}
    assert (
        settings.socket.parent == settings.spool.parent == Path("/var/tmp/cctv-trial")
    )
    assert not settings.retention.release_requires_two_people


@pytest.mark.parametrize("key", ["socket", "spool", "access"])
def test_every_setting_is_explained(key):
    """What the example does not set itself (`load` refuses unknown keys)."""
    text = (TREE / "config" / "retention.toml").read_text(encoding="utf-8")
    assert re.search(rf"^(\[{key}\]|{key} = )", text, re.MULTILINE)


def test_the_example_hold_is_for_cameras_of_the_example_list():
    with (TREE / "config" / "cameras.csv").open(encoding="utf-8") as file:
        known = {row["camera_id"] for row in csv.DictReader(file)}
    placed = next(line for line in TYPED if "hold place" in line)
    assert set(re.findall(r"\b\d{4}\b(?= )", placed.partition("--from")[0])) <= known


@pytest.mark.parametrize(
    "name",
    sorted(set(re.findall(rf"(?<![\w/.-])(?:{PLACES})/[\w./-]*\w", README))),
)
def test_a_file_that_the_readme_names_is_in_the_tree(name):
    assert (TREE / name).exists()


def test_the_service_section_installs_every_file_of_systemd():
    for file in (TREE / "systemd").iterdir():
        assert f"systemd/{file.name} " in README


def test_the_program_is_linked_to_where_the_unit_starts_it():
    unit = _lines(TREE / "systemd" / "cctv-retention.service")
    started = next(line for line in unit if line.startswith("ExecStart="))
    program = started.removeprefix("ExecStart=").split()[0]
    assert f"ln -sf /opt/cctv-retention/bin/retention {program}" in LINES


def test_rights_and_drop_in_are_those_that_init_prints_for_the_example():
    settings = load(TREE / "config" / "retention.toml", {})
    (root,) = settings.root
    assert init.rights(str(root.path)) in LINES
    mount = unit.mount_unit(root.path)
    for line in (f"Wants={mount}", f"After={mount}", f"ReadWritePaths=-{root.path}"):
        assert line in LINES
    assert any(line.endswith(f"{unit.DROP_IN} <<'END'") for line in LINES)


def test_every_guard_has_its_row_with_what_to_do():
    section = README.partition("## When a guard holds")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \|", section, re.MULTILINE)
    assert sorted(rows[1:]) == sorted(GUARDS)


def test_only_what_needs_no_service_is_typed_as_its_user():
    """Who is in no group may ask for nothing: the service's own user is one of them."""
    typed = [line for line in TYPED if line.startswith("sudo")]
    commands = {tuple((_arguments(line) or [])[:1]) for line in typed}
    assert commands == {("init",), ("check",), ("schema",)}


def test_the_roles_have_the_groups_of_the_settings():
    section = README.partition("## People and roles")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| `([\w-]+)` \|", section, re.MULTILINE)
    default = Settings.model_fields["access"].default
    assert rows == [(role.removesuffix("s"), group) for role, (group,) in default]


def test_every_exit_status_is_that_of_the_programs_own_help():
    rows = re.findall(r"^\| (\d) \| (\w+ ?\w*)", README, re.MULTILINE)
    overview = CliRunner().invoke(retention, ["--help"]).output
    assert [number for number, _ in rows] == list("012345678")
    for number, words in rows:
        assert re.search(rf"\b{number}  (the daemon|{words.split()[0]})", overview)


def test_an_example_request_is_one_that_the_api_takes():
    lines = [shlex.split(line) for line in LINES if line.startswith("curl ")]
    socket = Settings.model_fields["socket"].default
    assert {line[2] for line in lines} == {str(socket)}
    (described, asked) = (line[3:] for line in lines)
    assert described == ["http://localhost/v1"]
    verb = asked[0].removeprefix("http://localhost/v1/")
    assert verb in VERBS
    assert checked(verb, asked[2].encode()) == {"state": "active"}


def test_presets_defaults_and_settings_are_those_of_the_program():
    retention_settings = Settings.model_fields["retention"].annotation
    assert retention_settings is not None
    for key in ("release_requires_two_people", "deletion_limit"):
        assert key in retention_settings.model_fields
        assert key in README
    layouts = next(line for line in README.splitlines() if line.startswith("| layout"))
    assert set(re.findall(r"`(\w+)`", layouts)) == set(PRESETS)
    assert retention_settings().days == 28
    assert "28 days unless you say otherwise" in README


def test_the_changelog_has_news_for_the_next_version():
    text = (TREE / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = text.partition("\n## [Unreleased]\n")[2].partition("\n## ")[0]
    assert re.search(r"^- \S", unreleased, re.MULTILINE)


GLOSSARY = (TREE / "retention" / "GLOSSARY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line", [line for line in GLOSSARY.splitlines() if line.count("`") > 1]
)
def test_the_glossary_names_modules_that_are_there(line):
    where = line.split("|")[3]
    place = ""
    for name in re.findall(r"`([\w./]+)`", where):
        # A bare name lies beside the one before it.
        place = name if "/" in name else f"{place.rpartition('/')[0]}/{name}"
        assert (TREE / "retention" / place).exists(), place
