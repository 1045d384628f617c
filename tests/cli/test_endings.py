"""How a run ends: one sentence on standard error, the right status, no traceback."""

import os
import subprocess
import sys

import click
import pytest

from retention import cli
from retention.model import errors


@pytest.fixture
def ending(monkeypatch, capsys):
    """A command that ends by raising what it is given; gives (status, stderr)."""

    def end(error: BaseException) -> tuple[int, str]:
        def callback():
            raise error

        monkeypatch.setitem(
            cli.retention.commands, "end", click.Command("end", callback=callback)
        )
        status = cli.run(["end"])
        return status, capsys.readouterr().err

    return end


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.RetentionError, 1),
        (errors.SettingsError, 1),
        (errors.CatalogueError, 1),
        (errors.UsageError, 2),
        (errors.NotPermittedError, 4),
        (errors.VerificationError, 5),
        (errors.GuardError, 6),
        (errors.UnreachableError, 3),
    ],
)
def test_an_error_of_ours_is_its_sentence_and_its_status(ending, kind, status):
    assert ending(kind("the root nvr1 is not there")) == (
        status,
        "retention: the root nvr1 is not there\n",
    )


@pytest.mark.parametrize("kind", [errors.UsageError, click.UsageError])
def test_what_somebody_typed_is_not_echoed_without_end(ending, kind):
    """A camera's name of a megabyte: what is wrong, and at the end what to do."""
    asked = "x" * 1_000_000
    _, text = ending(kind(f"no camera is called {asked!r}: look it up with `list`"))
    assert text.startswith("retention: no camera is called 'xxx")
    assert "look it up with `list`" in text
    assert len(text) < 4_100


def test_an_error_of_the_system_names_the_file(ending):
    status, text = ending(PermissionError(13, "Permission denied", "/srv/footage"))
    assert status == 1
    assert text.startswith("retention: /srv/footage: permission denied")
    assert "sudo -u cctv-retention retention" in text
    assert "retention audit copy DIR" in text  # for who audits
    status, text = ending(OSError(5, "Input/output error", "/srv/footage"))
    assert "RETENTION_DEBUG=1" in text
    status, text = ending(FileNotFoundError(2, "No such file or directory", "/no/x"))
    assert (status, text.strip()) == (
        1, "retention: /no/x: no such file or directory: correct the path",
    )  # fmt: skip


def test_an_interruption_says_where_to_look(ending):
    status, text = ending(KeyboardInterrupt())
    assert status == 130
    assert "interrupted" in text
    assert "retention audit list" in text


def test_a_fault_shows_no_traceback(ending):
    status, text = ending(ZeroDivisionError("division by zero"))
    assert status == 1
    assert "ZeroDivisionError: division by zero" in text
    assert "RETENTION_DEBUG=1" in text
    assert "Traceback" not in text
    assert len(text.splitlines()) == 1


def test_the_details_are_shown_to_whoever_asks_for_them(ending, monkeypatch):
    monkeypatch.setenv("RETENTION_DEBUG", "1")
    _, text = ending(ZeroDivisionError("division by zero"))
    assert "Traceback (most recent call last)" in text


def test_wrong_usage_is_a_sentence_and_points_at_the_help(capsys):
    assert cli.run(["hold", "place", "1001"]) == 2
    text = capsys.readouterr().err
    assert text.startswith(
        "retention: Missing: --from, --to or --until-released, --kind, --reason. "
    )
    assert "Try `retention hold place --help`." in text


def test_a_mistyped_command_is_answered_with_the_nearest(capsys):
    assert cli.run(["hodl"]) == 2
    assert "Did you mean 'hold'?" in capsys.readouterr().err


def test_a_noun_alone_shows_its_verbs(capsys):
    assert cli.run(["hold"]) == 2
    assert "place" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_failure():
    program = (
        "import sys\nfrom retention.cli.display import put\n"
        "put('line\\n' * 200000)\nprint('done', file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == b"done\n"
        assert run.wait() == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_standard_output_is_a_sentence(unbuffered):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "retention", "--help"],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("retention: no space left on device")
    assert "Traceback" not in done.stderr


def test_an_answer_that_has_no_room_says_that_the_work_was_done():
    program = (
        "import sys\nfrom retention.cli.display import put\n"
        "from retention.model.errors import RetentionError\n"
        "try:\n    put('placed')\n"
        "except RetentionError as error:\n    print(error, file=sys.stderr)"
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "what was asked was done" in done.stderr
    assert done.returncode == 0
