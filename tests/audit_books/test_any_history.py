"""P3 as a property: whatever happened to the files of a site, its books balance."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from bookkeeping import DAY, HOUR, MINUTE, NOW, Bookkeeper
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from retention.errors import RetentionError

slots = st.integers(0, 40)
cameras = st.sampled_from("ab")
sizes = st.integers(1, 50)


def start_of(slot: int) -> int:
    """Forty slots around midnights and the end of the period: some are due."""
    return (
        NOW // DAY * DAY - 29 * DAY + (slot % 4) * DAY - 5 * MINUTE + slot // 4 * MINUTE
    )


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp())
        self.keeper = Bookkeeper(self.place / "site")

    def teardown(self) -> None:
        self.keeper.close()
        shutil.rmtree(self.place)

    @rule(camera=cameras, slot=slots, size=sizes, off=st.sampled_from([0, 0, 0, 3, -3]))
    def a_file_comes_or_comes_again(self, camera, slot, size, off):
        self.keeper.write(camera, start_of(slot), size, off=off * HOUR)

    @rule(camera=cameras, slots=st.sets(slots, max_size=12), size=sizes)
    def several_come(self, camera, slots, size):
        for slot in slots:
            self.keeper.write(camera, start_of(slot), size + slot)

    @rule(camera=cameras, slot=slots, more=sizes, later=st.integers(0, 3))
    def a_file_grows(self, camera, slot, more, later):
        path = self.keeper.path(camera, start_of(slot))
        if path.exists():
            path.write_bytes(path.read_bytes() + b"y" * more)
            self.keeper.touch(path, start_of(slot) + (later + 1) * MINUTE)

    @rule(camera=cameras, slot=slots)
    def a_file_vanishes(self, camera, slot):
        self.keeper.remove(self.keeper.path(camera, start_of(slot)))

    @rule()
    def a_scan(self):
        self.keeper.scan()

    @rule()
    def a_look_at_every_file(self):
        self.keeper.reconcile()

    @rule()
    def a_cycle_of_deletion(self):
        self.keeper.cycle()

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours):
        self.keeper.now += hours * HOUR

    @rule(camera=cameras, shift=st.sampled_from([None, "1h", "-1h", "-2m", "25h"]))
    def a_person_rules(self, camera, shift):
        word = "times_right" if shift is None else "shift"
        with suppress(RetentionError):  # nothing is in doubt, or the future
            self.keeper.rule(camera, word, shift)

    @rule()
    def an_hour_is_rolled_up(self):
        self.keeper.roll_up()

    @rule()
    def the_service_starts_anew(self):
        self.keeper.restart()
        self.keeper.settle_books()

    @invariant()
    def nothing_needs_correcting(self):
        for one in self.keeper.entries("recordings.recorded"):
            assert one["fields"]["origin"] == "catalogued"

    @invariant()
    def the_books_balance(self):
        answer = self.keeper.balance()
        assert answer["balanced"], (answer["differences"], answer["faults"])


Histories.TestCase.settings = settings(
    max_examples=30, stateful_step_count=30, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
TestHistories = Histories.TestCase
