"""`retention hold place` on a real terminal, answered line by line as a person would."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest

from tests.support.served import served

CALL = (
    ("Which cameras", "market"),
    ("Which of these", "all"),
    ("More cameras", ""),
    ("From when", "yesterday 21:00"),
    ("To when", "yesterday 23:30"),
    ("Who asks", ""),
    ("Officer", "PC 4321 Singh"),
    ("Police force", "Leicestershire Police"),
    ("reference", ""),
    ("Power used", ""),
    ("Why", "assault"),
    ("Place this hold?", "yes"),
)


class Terminal:
    """A program with a terminal of its own."""

    def __init__(self, *command, **environment):
        self.ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **environment},
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""
        self._read = 0

    def until(self, words, seconds=90):
        """Wait until the program has shown `words` after what was waited for before."""
        end = time.monotonic() + seconds
        while words not in self.shown[self._read :]:
            assert time.monotonic() < end, self.shown
            assert self._more(end - time.monotonic()), self.shown
        self._read = self.shown.index(words, self._read) + len(words)

    def type(self, line):
        os.write(self.ours, f"{line}\n".encode())

    def interrupt(self):
        """Ctrl-C. One that comes just before Python blocks to read waits for a key (as
        in every program that calls `input`), so a person would press it again."""
        for _ in range(6):
            self.process.send_signal(signal.SIGINT)
            if select.select([self.ours], [], [], 20)[0]:
                return
        raise AssertionError(f"Ctrl-C does nothing: {self.shown}")

    def end(self):
        """Read all that is left; the exit status."""
        while self._more(90):
            pass
        os.close(self.ours)
        return self.process.wait(90)

    def _more(self, seconds):
        if not select.select([self.ours], [], [], max(seconds, 0))[0]:
            return False
        try:
            chunk = os.read(self.ours, 65_536)
        except OSError:  # Linux says so when the last writer has gone
            return False
        self.shown += chunk.decode()
        return bool(chunk)


@pytest.fixture
def terminal(site):
    """Starts the program on a terminal; Ctrl-C reaches it even where these tests run in
    the background, with SIGINT ignored: what is handled here is not ignored there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    site.ok("camera", "add", "1101", "--location", "Market Place", "--view", "north")

    def start(*arguments):
        program = (sys.executable, "-m", "retention", "--config", str(site.config))
        return Terminal(*program, *arguments)

    yield start
    signal.signal(signal.SIGINT, before)


def test_a_hold_is_placed_by_answering_the_questions_of_a_phone_call(site, terminal):
    with served(site.config):
        run = terminal("hold", "place")
        for question, answer in CALL:
            run.until(question)
            run.type(answer)
        status = run.end()
    assert status == 7, run.shown  # there is no footage at this site
    assert "NO hold is placed" in run.shown.partition("Place this hold?")[0]
    assert "Hold 1 is in force since" in run.shown.partition("Place this hold?")[2]
    (hold,) = site.json("hold", "list")["holds"]
    assert hold["typed"] == "yesterday 21:00 to yesterday 23:30"
    assert hold["incomplete"] == ["reference"]
    assert [one["camera"] for one in hold["cameras"]] == ["1101"]


def test_ctrl_c_at_the_last_question_stores_nothing(site, terminal):
    with served(site.config):
        run = terminal("hold", "place", "1101")
        for question, answer in CALL[3:-1]:
            run.until(question)
            run.type(answer)
        run.until("Place this hold?")
        run.interrupt()
        status = run.end()
    assert status == 130, run.shown
    assert "No hold was placed." in run.shown
    assert site.json("hold", "list")["holds"] == []


def test_options_on_a_terminal_tell_the_times_before_the_answer(site, terminal):
    with served(site.config):
        run = terminal(
            *("hold", "place", "1101", "--from", "yesterday 21:00"),
            *("--until-released", "--kind", "court", "--reference", "K 4"),
            *("--reason", "trial", "--margin", "0"),
        )
        run.end()
    told, answer = run.shown.index("from yesterday 21:00 = "), run.shown.index("Hold 1")
    assert told < answer


def test_a_pipe_is_never_asked_anything(site):
    with served(site.config):
        command = [sys.executable, "-m", "retention", "--config", str(site.config)]
        done = subprocess.run(
            [*command, "hold", "place"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("retention: Missing: CAMERA or --location, --from")
    assert done.stdout == ""
