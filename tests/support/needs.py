"""What a test needs of its machine: it skips with a reason on a laptop, fails in CI."""

import os
import shutil
from pathlib import Path

import pytest

CI = os.environ.get("CI") == "true"


def _needs(there: bool, what: str) -> pytest.MarkDecorator:
    # In CI nothing is skipped: the test runs and fails by what it misses.
    return pytest.mark.skipif(not there and not CI, reason=f"needs {what}")


def _command(name: str) -> pytest.MarkDecorator:
    return _needs(shutil.which(name) is not None, f"the command {name}")


root = _needs(os.geteuid() == 0, "to run as root")
ffmpeg = _command("ffmpeg")
motion = _command("motion")
strace = _command("strace")
mkfs_ext4 = _command("mkfs.ext4")
spin = _command("spin")
cc = _command("cc")
systemd_analyze = _command("systemd-analyze")
systemd_nspawn = _command("systemd-nspawn")
setfacl = _command("setfacl")
sshd = _command("sshd")
cron = _command("cron")
tmux = _command("tmux")
sudo = _command("sudo")
chromium = _command("chromium")
firefox = _command("firefox-esr")
go = _needs(
    shutil.which("go") is not None
    and Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/note").is_dir(),
    "Go and golang.org/x/mod (Debian: golang-go, golang-golang-x-mod-dev)",
)
