"""At 3 a.m. an operator places a hold in one command while a backlog is being deleted:
from the instant in its answer nothing can delete what it covers.

Where in a batch the command comes is left to chance here; holds/test_race.py tries
thousands of such moments with the program's parts.
"""

import os
import threading
import time

from retention.model.localtime import format_utc
from retention.model.values import DAY, SECOND
from tests.support.room import POLICE, instant

COUNT = 6000
"""Files of each camera: to delete them all takes several times what a command takes."""

ENDS = COUNT // 20
"""So many of them, the first and the last, nobody asks for."""

LENGTH = 15 * SECOND

CAMERAS = ("1001", "1002", "1003")


class Watch(threading.Thread):
    """Lists directories over and over: when each listing began, and what was there."""

    def __init__(self, place, folders):
        super().__init__()
        self.place, self.folders = place, folders
        self.listings = []
        self.over = threading.Event()

    def look(self):
        return {f"{one}/{name}" for one in self.folders for name in os.listdir(one)}

    def run(self):
        while not self.over.is_set():
            began = self.place.now
            self.listings.append((began, self.look()))
            time.sleep(0.02)

    def since(self, then):
        """What was there in any listing that began at `then` or later."""
        return set().union(*(files for began, files in self.listings if began >= then))


def test_from_the_instant_in_the_answer_nothing_held_goes_from_a_running_backlog(
    room, people
):
    due = instant("03/11/2026 03:00")
    end = due - 28 * DAY
    start = end - COUNT * LENGTH
    since, until = start + ENDS * LENGTH, end - ENDS * LENGTH
    place = room(format_utc(start + 28 * DAY - 1000 * SECOND))
    filmed = [place.film(camera, start, end, LENGTH) for camera in CAMERAS]
    place.install()
    asked = {str(file) for files in filmed for file in files[ENDS:-ENDS]}
    rest = {str(file) for files in filmed for file in files} - asked

    # The backlog: all that was filmed is due from one moment to the next.
    watch = Watch(place, [files[0].parent for files in filmed])
    watch.start()
    try:
        place.pass_until(due)
        place.wait(lambda: asked - watch.look())
        answer = place.ask(
            people.olga, "hold", "place", *CAMERAS, "--margin", "0",
            "--from", format_utc(since), "--to", format_utc(until), *POLICE, status=7,
        )  # fmt: skip
        after = watch.look()
        place.wait(lambda: not rest & watch.look())
        place.cycle()
    finally:
        watch.over.set()
        watch.join()
    kept = asked & watch.look()
    assert 0 < len(kept) < len(asked)  # it did come into the middle

    # From the instant on no unlink began; one may have been under way.
    then = watch.since(instant(answer["in_force_since"]))
    assert len((then & asked) - kept) <= 1
    assert after & asked == kept
    # And the deletion of what nobody asked for went on, a witness aside.
    (placed,) = place.entries("hold.placed")
    later = [
        e for e in place.entries("recordings.deleted") if e["index"] > placed["index"]
    ]
    assert sum(one["fields"]["deleted"] for one in later) > 1

    assert answer["outcome_follows"] == 0
    assert answer["total"]["recordings"] == len(kept)
    assert answer["total"]["seconds"] == len(kept) * LENGTH // SECOND
    deleted = [span for one in answer["cameras"] for span in one["deleted"]]
    assert sum(one["recordings"] for one in deleted) == len(asked) - len(kept)
    for one in answer["cameras"]:
        assert one["lost"] == one["pending"] == one["no_recording_seen"] == []
    place.stop_service()
    assert place.verify().ok
