"""`retention demo` as somebody who has just installed the program runs it."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from retention.cli.local import demo_archive
from retention.cli.local.demo import Demo
from retention.cli.local.demo_archive import AskedHold, archive, at, data, witness
from retention.model.errors import RetentionError
from retention.model.layouts.layout import compile_layout
from retention.model.layouts.presets import PRESETS
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from tests.support import needs

NOW = 1_790_000_000 * SECOND
AUTUMN, SPRING = 1_792_890_000 * SECOND, 1_806_195_600 * SECOND  # 01:00Z of the nights


NOBODY = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    # The tests' own Python may lie where only root can go.
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
)  # fmt: skip
"""A command that runs another one as the user nobody, whose group is nogroup."""


def begin(*options: str, home: Path, who=()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*who, sys.executable, "-B", "-m", "retention", "demo", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(home), "RETENTION_RETENTION__DAYS": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def nobody():
    """A run as the user nobody, beside the other one: most of the time both wait."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        process = None
        if os.geteuid() == 0:
            os.chown(home, 65534, 65534)
            process = begin(home=Path(home), who=NOBODY)
        yield process
        if process is not None:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def kept(tmp_path_factory, nobody):
    """One run that leaves its directory: what it said, where, and its processor time."""
    home = tmp_path_factory.mktemp("demo")
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    said, why = (process := begin("--keep", home=home)).communicate(timeout=600)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    assert process.returncode == 0, f"{said}\n{why}"
    (directory,) = home.iterdir()
    return said, directory, took


@pytest.fixture(scope="module")
def hints(kept):
    """The lines that the demo says to type next, once the first of them was typed."""
    said, directory, _ = kept
    lines = re.findall(r"^    (.+)$", said[said.index("Try what") :], re.MULTILINE)
    assert lines[0] == f"export RETENTION_CONFIG={directory}/retention.toml"
    assert " run " in lines[1]
    service = shell(f"{lines[0]}; {lines[1]}\necho $!; wait")
    assert service.stdout is not None
    number = int(service.stdout.readline())
    until = time.monotonic() + 120
    while typed(f"{lines[0]}; {lines[2]}").returncode == 3:
        assert time.monotonic() < until
        time.sleep(0.2)
    yield lines
    os.kill(number, signal.SIGTERM)
    service.communicate(timeout=120)


def shell(line: str) -> subprocess.Popen[str]:
    """A line as somebody types it who has installed the program."""
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.Popen(
        ["bash", "-c", line], env=env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def typed(line: str) -> subprocess.CompletedProcess[str]:
    """What a line said, and how it ended."""
    out, err = (process := shell(line)).communicate(timeout=120)
    return subprocess.CompletedProcess(line, process.returncode, out, err)


def test_the_demo_takes_less_than_a_minute(kept):
    """By what it has to do: how long that takes is up to the machine."""
    assert kept[2] < 60


def test_the_demo_shows_what_was_deleted_what_was_held_and_that_the_log_is_intact(kept):
    said = kept[0]
    assert re.search(r"1001  Market Place, east side +744 +[1-9]\d* +[34] +\d+\n", said)
    assert re.search(r"1003  Station Approach +279 +[1-9]\d* +(9|1[0-2]) +\d+\n", said)
    assert "The audit log is intact" in said
    assert "was seen gone at" in " ".join(said.split())


def test_the_police_s_file_and_the_stranger_s_are_untouched_and_reported(kept):
    said, directory, _ = kept
    (police,) = (directory / "footage/nvr1/anpr-mill-lane").iterdir()
    assert police.read_bytes() == data("seed.mp4")
    assert (directory / "footage/nvr2/copied by hand.mp4").read_bytes() == data(
        "seed.mp4"
    )
    assert re.search(r"alarm\.raised .*anpr-mill-lane", said)
    assert "(one is copied by hand.mp4," in " ".join(said.split())


def test_no_recording_of_the_police_s_camera_is_catalogued(hints):
    done = typed(f"{hints[0]}; retention recording list --camera 9001")
    assert done.stdout == "No recording is catalogued there.\n"


def test_what_the_demo_says_to_type_next_works_as_it_stands(hints):
    assert len(hints) > 6
    for line in hints[2:]:
        done = typed(f"{hints[0]}; {line}")
        # 7: of the camera that the hold is extended to, the footage was deleted.
        # 8: the police's file, and the one copied there, want a person.
        ends = {"hold extend": 7, "retention status": 8}
        end = next((ends[words] for words in ends if words in line), 0)
        assert done.returncode == end, done.stderr


@needs.root
def test_root_can_run_it_all_and_yet_release_nothing(kept):
    assert re.search(r"hold release 2 .*\n.*not as root", kept[0])


@needs.root
def test_anybody_can_run_it_and_release_a_hold_whose_footage_stays(kept, nobody):
    """Without root, without a group of one's own, without a second person."""
    said, why = nobody.communicate(timeout=600)
    assert nobody.returncode == 0, f"{said}\n{why}"
    assert "Hold 2 is released. Its footage stays until" in said
    assert "1 active, 1 cooling off" in said
    assert re.search(r"1003  Station Approach +279 +[1-9]\d* +(9|1[0-2]) +\d+\n", said)


@needs.root
def test_a_group_without_a_name_is_said(tmp_path):
    done = subprocess.run(
        ["setpriv", "--regid=54321", "--clear-groups", sys.executable, "-m",
         "retention", "demo"],
        env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "your group 54321 has no name on this machine" in done.stderr


def test_ended_early_the_demo_leaves_no_directory_and_no_service(tmp_path):
    process = begin(home=tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if "retention run" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=100)
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []
    assert services_of(tmp_path) == []


def services_of(home: Path) -> list[str]:
    """Processes of a demo below `home`, found by their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"RETENTION_CONFIG={home}" in (process / "environ").read_text():
                found.append(process.name)
        except OSError:
            continue
    return found


class Meddled(Demo):
    """Somebody else is at the footage, just before the demo looks at it."""

    def _compare(self, logged) -> None:
        held = next(f for f in self._files if any(h.keeps(f) for h in self._holds))
        (self._footage / held.path).unlink()
        (self._footage / "nvr2/copied by hand.mp4").write_text("something else")
        gone = next(file for file in self._files if file.goes(self._now, self._holds))
        shutil.copy(self._place / "cameras.csv", self._footage / gone.path)
        (self._footage / "nvr1/new.mp4").touch()
        super()._compare(logged + 1)


def test_a_demo_that_ends_other_than_it_must_fails_and_says_where(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(demo_archive, "WITNESS", 0)
    said: list[str] = []
    with pytest.raises(RetentionError) as failure:
        Meddled(tmp_path, said.append).run()
    text = str(failure.value)
    assert "in 5 points" in text
    for what in (
        "is gone",
        "is still there",
        "was changed",
        "was not there before",
        "the log knows of",
    ):
        assert what in text


def test_a_service_that_can_t_start_shows_its_last_words(tmp_path):
    demo = Demo(tmp_path, list[str]().append)
    demo.config.write_text('site = "demo"\n')
    with (
        pytest.raises(RetentionError, match=r"(?s)last words:.*root is missing"),
        demo.service(),
    ):
        pass


def test_a_command_that_fails_is_named_with_its_reason(tmp_path):
    demo = Demo(tmp_path, list[str]().append)
    with pytest.raises(RetentionError, match=r"`retention status` ended .* 1: .*toml"):
        demo.type("status")


@pytest.mark.parametrize(
    "now", [NOW, AUTUMN + 2 * DAY, AUTUMN + 29 * DAY, SPRING + DAY]
)
def test_recorders_would_have_named_the_files_so(now):
    layouts = {
        "nvr1": compile_layout(PRESETS["mediamtx"].template, demo_archive.ZONE),
        "nvr2": compile_layout(PRESETS["frigate"].template, "UTC"),
    }
    files = archive(now)
    assert len({file.path for file in files}) == len(files)
    for file in files:
        if file.why != "stranger":
            root, _, path = file.path.partition("/")
            parsed = layouts[root].parse(path.encode())
            assert parsed is not None
            assert file.start in parsed.starts


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_nothing_but_the_witness_falls_due_while_the_demo_runs(hour):
    now = NOW + hour * HOUR + 123_457
    soon = [f for f in archive(now) if now < f.due <= now + 20 * MINUTE]
    assert soon == [witness(now)]


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_the_holds_keep_footage_that_is_past_its_period(hour):
    now = NOW + hour * HOUR
    holds = [
        AskedHold("1001", at(now, 30, 21), at(now, 30, 23, 30)),
        AskedHold("1003", at(now, 30, 12), at(now, 29, 12)),
    ]
    held = [file for file in archive(now) if any(h.keeps(file) for h in holds)]
    assert {file.camera for file in held} == {"1001", "1003"}
    assert 3 + 9 <= len(held) <= 4 + 12
    assert all(file.goes(now, ()) and not file.goes(now, holds) for file in held)


def test_the_seed_clip_is_small_and_can_be_played_while_it_is_loaded():
    clip = data("seed.mp4")
    assert clip[4:8] == b"ftyp"
    assert clip.index(b"moov") < clip.index(b"mdat")
    assert len(clip) < 60_000


@needs.ffmpeg
def test_every_frame_of_the_seed_clip_can_be_decoded(tmp_path):
    (tmp_path / "seed.mp4").write_bytes(data("seed.mp4"))
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-xerror", "-i", "seed.mp4", "-f", "null",
         "-progress", "-", "-"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "frame=50\n" in done.stdout
