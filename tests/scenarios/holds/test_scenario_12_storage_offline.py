"""Scenario 12: the NAS of one group of cameras is away while a hold on it is placed.

The hold is accepted and its footage pending, none of it called lost or deleted; when the
NAS is back the hold is there before the first cycle, also for what it recorded meanwhile.
"""

import subprocess

from retention.model.values import DAY
from tests.support import needs
from tests.support.room import POLICE, instant, there

pytestmark = needs.root


def test_a_hold_on_storage_that_is_away_is_in_force_before_its_first_cycle(
    directory, mount, room, people
):
    for name in ("disk", "nas"):
        (directory / name).mkdir()
    mount(directory / "disk", "-t", "tmpfs", "none")
    mount(directory / "nas", "--bind", directory / "disk")
    place = room("25/10/2026 12:00", roots=("nvr1", "nas"))
    known = place.film("1003", "24/10/2026 20:00", "24/10/2026 22:00", root="disk")
    place.install()
    subprocess.run(["umount", "-l", directory / "nas"], check=True)
    place.wait(lambda: place.entries("guard.tripped"))
    # Seen by nobody yet: it goes on recording.
    place.pass_until("26/10/2026 09:00")
    unseen = place.film("1003", "25/10/2026 20:00", "25/10/2026 22:00", root="disk")

    words = ("--from", "24/10/2026 21:00", "--to", "25/10/2026 21:00", *POLICE)
    place_it = ("hold", "place", "1003", "--margin", "0", *words)
    answer = place.ask(people.olga, *place_it, status=7)
    (one,) = answer["cameras"]
    assert answer["in_force_since"]
    assert not answer["all_preserved"]
    why = "root nas unavailable"
    *_, away = (stretch for stretch in one["pending"] if stretch["why"] == why)
    assert instant(away["since"]) < instant("25/10/2026 12:01")
    assert away["until"] == "2026-10-25T21:00:00Z"
    assert one["deleted"] == one["lost"] == one["no_recording_seen"] == []
    # Nor is it said that all is well with what was catalogued before.
    words = ("--from", "24/10/2026 21:00", "--to", "24/10/2026 22:00", *POLICE)
    trial = place.by(people.olga, "hold", "place", "1003", *words, "--dry-run")
    assert trial.status == 7, trial
    assert "root nas unavailable" in trial.out

    # A month later all of it is long due; then the NAS comes back.
    place.pass_until(instant("25/10/2026 22:00") + 30 * DAY)
    place.cycle()
    assert all(there(known + unseen))
    subprocess.run(
        ["mount", "--bind", directory / "disk", directory / "nas"], check=True
    )
    # What nobody had seen was due when it was found: that waits for a supervisor.
    place.wait(lambda: place.entries("plan.proposed"))
    assert all(there(known + unseen))
    place.ask(people.sue, "deletion", "approve", "1")
    place.wait_gone(known[:4] + unseen[4:])
    place.cycle()
    assert all(there(known[4:] + unseen[:4]))
    assert place.entries("recordings.lost") == []
    assert place.ask(people.olga, "status")["deleting"]
    (line,) = place.ask(people.olga, "plan")["blocked"]
    assert (line["root"], line["recordings"]) == ("nas", 8)
    place.stop_service()
    assert place.verify().ok
