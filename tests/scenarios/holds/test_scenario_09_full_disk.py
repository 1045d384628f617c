"""Scenario 9: the footage disk is full, and 40 % of it is held.

Nothing held and nothing younger than 28 days goes to make room: what is due is deleted
when it is due, and the rest is the recorder's trouble, not hidden by deleting early.
"""

from contextlib import suppress
from pathlib import Path

from tests.support import needs
from tests.support.room import POLICE, there

pytestmark = needs.root

BLOCK = 64 << 10


def fill(path: Path) -> None:
    """Take all that is free, as a recorder does."""
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


def test_on_a_full_disk_only_what_is_due_and_not_held_goes(
    directory, mount, room, people
):
    (directory / "nvr1").mkdir()
    mount(directory / "nvr1", "-t", "tmpfs", "-o", "size=4m", "none")
    place = room("20/11/2026 09:00")
    held = place.film("1001", "24/10/2026 12:00", "24/10/2026 18:00", size=BLOCK)
    due = place.film("1002", "24/10/2026 12:00", "24/10/2026 13:30", size=BLOCK)
    young = place.film("1002", "10/11/2026 12:00", "10/11/2026 19:00", size=BLOCK)
    later = place.film("1003", "24/10/2026 21:45", "24/10/2026 22:00", size=BLOCK)
    place.install()
    fill(directory / "nvr1" / "recorder.part")
    answer = place.ask(
        people.olga, "hold", "place", "1001", "--margin", "0",
        "--from", "24/10/2026 12:00", "--to", "24/10/2026 18:00", *POLICE,
    )  # fmt: skip
    assert answer["total"]["recordings"] == len(held) == 24

    place.pass_until("21/11/2026 20:00")  # the clocks went back: an hour to the good
    place.wait_gone(due)
    assert all(there(held + young + later))

    fill(directory / "nvr1" / "recorder.part")
    place.pass_until("21/11/2026 23:00")
    place.wait_gone(later)
    assert all(there(held + young))
    assert (directory / "nvr1" / "recorder.part").exists()
    assert (
        sum(one["fields"]["deleted"] for one in place.entries("recordings.deleted"))
        == 7
    )
    assert place.entries("guard.tripped") == []
    assert place.ask(people.olga, "status")["deleting"]
