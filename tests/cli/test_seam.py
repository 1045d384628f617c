"""The seam: who may ask, who is asked, and who the kernel says it was."""

import grp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from retention import cli
from retention.catalogue import db
from retention.catalogue.entries import listing
from retention.cli.local.init import initialise
from retention.control.verbs import VERBS
from retention.model.errors import RetentionError
from retention.service import client
from retention.site import reserve
from retention.site.caller import caller, login_of
from retention.site.settings import load
from tests.support import needs
from tests.support.served import served

NOBODY = 65_534
GROUP = grp.getgrgid(os.getgid()).gr_name


@pytest.fixture
def open_directory():
    """A directory that every user can reach, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="retention-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _config(directory: Path) -> Path:
    config = directory / "retention.toml"
    config.write_text(
        f"""site = "leicester"
contact = "IT on call 0116 000 0000"
state_directory = "{directory}/state"
socket = "{directory}/api.sock"
spool = "{directory}/spool"
[access]
operators = ["{GROUP}"]
[[root]]
name = "nvr1"
path = "{directory}/footage"
layout = "{{camera}}/%Y-%m-%d_%H-%M-%S.mp4"
timezone = "UTC"
"""
    )
    return config


def _as_nobody(config: Path, *arguments: str) -> subprocess.CompletedProcess:
    # Imported as the user who may read the interpreter's files, run as one who may not.
    program = (
        "import os, sys\n"
        "from retention import cli\n"
        "from retention.cli import camera, service\n"
        "from retention.cli.audit import commands\n"
        "from retention.cli.hold import commands\n"
        "from retention.cli.local import offline\n"
        "from retention.service import client\n"
        "from retention.site import clock, instance, settings\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"sys.exit(cli.run({['--config', str(config), *arguments]!r}))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@needs.root
def test_a_stranger_is_answered_by_the_service_and_goes_on_record(open_directory):
    """The catalogue is closed to him, the socket is not: roles decide."""
    config = _config(open_directory)
    (open_directory / "footage").mkdir()
    initialise(load(config, {}))
    os.truncate(open_directory / "state" / reserve.NAME, 0)
    with served(config) as desk:
        done = _as_nobody(config, "hold", "list")
        with desk.core.catalogue.read() as tx:
            (entry,) = listing(tx, limit=1)
    assert done.returncode == 4, done
    assert "has no role here" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert entry["kind"] == "access.denied"
    assert entry["actor"]["uid"] == NOBODY


@needs.root
@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755])
def test_a_stranger_is_told_whom_to_be_for_what_opens_the_catalogue(
    open_directory, mode
):
    config = _config(open_directory)
    (open_directory / "state").mkdir(mode=mode)
    (open_directory / "state").chmod(mode)
    (open_directory / "state" / db.NAME).touch(0o600)
    done = _as_nobody(config, "schema", "upgrade")
    assert done.returncode == 4, done
    assert "sudo -u cctv-retention retention" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@needs.root
def test_a_configuration_that_can_not_be_read_is_one_sentence(open_directory):
    config = _config(open_directory)
    config.chmod(0o600)
    done = _as_nobody(config, "hold", "list")
    assert done.returncode == 1
    assert str(config) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_configuration_names_the_place(site):
    done = site.run("--config", "/nowhere/retention.toml", "status")
    assert done.status == 1
    assert "/nowhere/retention.toml" in done.err


def test_the_configuration_may_come_from_the_environment(site, monkeypatch, capsys):
    monkeypatch.setenv("RETENTION_CONFIG", str(site.config))
    with served(site.config):
        assert cli.run(["camera", "list"]) == 0
    assert capsys.readouterr().out.startswith("0 cameras")


def test_the_socket_may_be_named_in_place_of_the_configuration(site, capsys):
    with served(site.config):
        assert (
            cli.run(["--socket", f"{site.directory}/api.sock", "camera", "list"]) == 0
        )
    assert capsys.readouterr().out.startswith("0 cameras")


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("plan",),
        ("camera", "list"),
        ("camera", "add", "1101", "--location", "Market Place"),
        ("hold", "list"),
        ("hold", "release", "1", "--reason", "copy handed over"),
        ("deletion", "pause", "--for", "4h", "--reason", "array repair"),
        ("audit", "verify"),
    ],
)
def test_without_the_service_nothing_is_answered_and_status_3_says_whom_to_call(
    site, words
):
    before = site.json("audit", "verify")["entries"]
    done = site.alone(*words)
    assert (done.status, done.out) == (3, "")
    assert "nothing is being deleted by this program" in done.err
    assert "systemctl start cctv-retention" in done.err
    assert "IT on call 0116 000 0000" in done.err
    assert len(done.err.splitlines()) == 1
    assert site.json("audit", "verify")["entries"] == before


def test_a_missing_catalogue_says_what_to_run_and_no_other_is_made(site):
    """The service does not start without one: see test_service_commands.py."""
    (site.state / db.NAME).unlink()
    assert site.run("status").status == 3
    done = site.run("schema", "upgrade")
    assert done.status == 1
    assert "retention init" in done.err
    assert not (site.state / db.NAME).exists()


def test_reading_changes_nothing(site):
    before = site.json("audit", "verify")["entries"]
    for words in (("camera", "list"), ("hold", "list"), ("root", "list"), ("plan",)):
        site.ok(*words)
    assert site.json("audit", "verify")["entries"] == before


def test_the_log_says_who_the_kernel_saw(site):
    site.ok("camera", "add", "1101", "--location", "Market Place")
    (entry,) = site.json("audit", "list", "--limit", "1")["entries"]
    assert entry["actor"]["uid"] == os.getuid()
    assert entry["actor"]["pid"] == os.getpid()
    assert entry["actor"]["role"] == "administrator"
    assert entry["actor"]["login"] == login_of(Path("/proc/self"))


def test_what_a_command_was_given_goes_to_the_verb_as_it_was_typed(site):
    site.ok("camera", "add", "1101", "--location", "Market Place")
    site.run(
        *("hold", "place", "1101", "--from", "yesterday  21:00", "--until-released"),
        *("--kind", "court", "--reference", "16*1", "--reason", "assault"),
    )
    (entry,) = site.json("audit", "list", "--kind", "hold.placed")["entries"]
    assert entry["fields"]["typed"] == "yesterday  21:00 to its release"


def test_every_verb_that_is_named_is_there():
    missing = [name for name, verb in VERBS.items() if not callable(verb.resolve())]
    assert missing == []


def test_an_unknown_verb_is_refused_before_anybody_is_asked():
    with pytest.raises(RetentionError, match="does not know"):
        client.Client(Path("/nowhere")).call("hold.delete")


WHY = "it stands and is in the audit log, but not yet published: the disk is full"


@pytest.mark.parametrize(
    "words",
    [
        "camera add 1101 --location Market",
        "camera retire 1001",
        "deletion pause --for 1h --reason repair",
    ],
)
def test_a_command_says_that_its_change_is_not_published_yet(site, words):
    site.ok("camera", "add", "1001", "--location", "Station")
    with served(site.config, publish=lambda mend: WHY):
        done = site.alone(*words.split())
        shown = site.alone("camera", "list")
    assert (done.status, done.err.count(f"Note: {WHY}.\n")) == (0, 1)
    assert WHY not in done.out + shown.err


def test_publishing_itself_says_so_once_and_fails(site):
    with served(site.config, publish=lambda mend: WHY if mend else None):
        done = site.alone("audit", "publish")
    assert (done.status, WHY in done.out, WHY in done.err) == (1, True, False)


def test_every_answer_is_plain_json(site):
    """As a verb gives it, before the service writes it out."""
    site.ok("camera", "add", "1101", "--location", "Market Place")
    reading = [
        *("status", "plan", "camera.list", "root.list", "recording.list"),
        *("hold.list", "policy.show", "audit.list", "audit.verify"),
    ]
    with served(site.config) as desk:
        for verb in reading:
            answer = desk.perform(verb, {}, caller())
            assert json.loads(json.dumps(answer)) == answer


def _on_a_terminal(config: Path, *arguments: str, **environment: str) -> bytes:
    """What the program writes where standard output and error are a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "retention", "--config", str(config), *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65_536):
            shown += chunk
    except OSError:  # Linux says so when the last writer has gone
        process.wait()
    os.close(ours)
    return shown


def test_colour_is_for_terminals_only(site):
    red = b"\x1b[31m"
    site.ok("deletion", "pause", "--for", "4h", "--reason", "array repair")
    with served(site.config):
        assert red in _on_a_terminal(site.config, "status")
        assert red not in _on_a_terminal(site.config, "status", NO_COLOR="1")
        piped = site.alone("status").out
    assert "\x1b" not in piped
