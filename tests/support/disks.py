"""What tests of footage do to disks, and to the rights and processes around them."""

import os
import subprocess
import sys
from contextlib import contextmanager

ROOT = "0d9c3b0e-4f0c-4a57-9d3e-1c2a5b6f7a01"
CATALOGUE = "a1b2c3d4-0000-4000-8000-00000000cafe"
LATER = 2**53  # an mtime that nothing exceeds


def unmount(where, *options):
    subprocess.run(["umount", *options, where], check=True)


def remount(where, *options):
    subprocess.run(["mount", "-o", ",".join(("remount", *options)), where], check=True)


@contextmanager
def nobody():
    """Without root's rights to read and write everything."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def locked_elsewhere(path):
    """Another process has the identity file of `path` locked."""
    script = (
        "import fcntl, sys; file = open(sys.argv[1]);"
        "fcntl.flock(file, fcntl.LOCK_EX); print('locked', flush=True);"
        "sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, path / ".cctv-retention-root"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout.readline() == b"locked\n"
        yield
        other.stdin.close()


def under_strace(inject, on, script, *arguments):
    """Run a script in which a system call on the file `on` fails; what it printed."""
    command = [
        "strace", "-qq", "-o", "/dev/null", "-P", on, "-e", f"inject={inject}",
        sys.executable, "-c", script, *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
