"""The process that is killed: appends and publishes, over the edge of a full tile.

Served as `crash.cycle` is; what it prints is what somebody else had seen by then.
"""

import os
from pathlib import Path

from retention.model.errors import RetentionError
from retention.model.values import DAY
from retention.publication.copy import Copy
from tests.support.crash_cycle import main
from tests.support.press import NOW, Press, intent, rows

BEFORE = 252
"""Entries that are there, and published, before the process begins."""

APPENDED = 6
BESIDE = "worm"


def say(text: str) -> None:
    """In one write: a kill leaves the whole line or nothing."""
    os.write(1, f"{text}\n".encode())


def make(directory: Path) -> None:
    """What the process finds."""
    press = Press(directory)
    for size in (1, 100, 200, BEFORE):
        press.append_at_once(size - press.size) if size > press.size else None
        press.publish()
    (directory / BESIDE).mkdir()
    press.close()


def steps(press: Press):
    """Each is done at once again where it fails."""
    copy = Copy(press.published, press.directory / BESIDE)

    def append(*entries, count=0):
        before = press.size

        def act():
            if press.size == before:  # else the commit was one after all
                press.append(*entries, count=count)
            say(f"appended {press.size}")

        return act

    yield append(intent(rows(3)))
    yield press.publish
    yield append(count=1)
    yield press.publish
    for _ in range(APPENDED - 2):
        yield append(count=1)
    yield lambda: press.publish(now=NOW + DAY)
    yield copy.follow


def work(directory: Path, *, twice: bool) -> None:
    """To be killed in here."""
    press = Press(directory)
    press.start()
    press.publisher._told = lambda signed: say(f"signed {signed.size} {signed.note!r}")
    for act in steps(press):
        try:
            act()
        except RetentionError as error:
            if not twice:
                raise
            say(f"error: {error}")
            press.catalogue.close()  # as the daemon does after an error
            act()
    press.close()


if __name__ == "__main__":
    main(work)
    os._exit(0)
