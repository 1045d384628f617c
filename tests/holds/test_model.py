"""Any order of what people do to holds, and of time, against a tiny model.

The model knows of each hold its cameras, its window and when it is free.  What the
catalogue holds is that and nothing else; what the log says is enough to tell it again.
"""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from retention.catalogue import holds
from retention.catalogue.entries import listing
from retention.catalogue.log_check import verify_catalogue
from retention.holds.release import note_cooled
from retention.model.errors import RetentionError
from retention.model.localtime import format_utc
from retention.model.values import DAY, FOREVER, HOUR
from tests.support import campaign
from tests.support.control_room import ANNA, BEN, CARA, ControlRoom
from tests.support.site_ import ACTOR, NOW

COOLING = 7 * DAY
HOURS = 12
BASE = NOW - DAY
EVERYBODY = (ANNA, BEN, CARA)
CAMERAS = ("a", "b")

span = st.tuples(st.integers(0, HOURS - 1), st.integers(1, HOURS))
some = st.lists(st.sampled_from(CAMERAS), min_size=1, max_size=2, unique=True)
person = st.sampled_from(EVERYBODY)


class Model:
    """One hold: cameras, first hour, hour after the last (None: open), who asked for
    its release, when it is free."""

    def __init__(self, cameras, first, last):
        self.cameras, self.first, self.last = set(cameras), first, last
        self.asked_by = None
        self.free_at = None

    def holds(self, camera, hour, now):
        inside = hour >= self.first and (self.last is None or hour < self.last)
        free = self.free_at is not None and self.free_at <= now
        return camera in self.cameras and inside and not free


class Holds(RuleBasedStateMachine):
    numbers = Bundle("numbers")

    @initialize()
    def begin(self):
        self.directory = Path(tempfile.mkdtemp(prefix="holds-"))
        self.room = ControlRoom(self.directory)
        self.model = {}

    def teardown(self):
        if hasattr(self, "room"):
            assert verify_catalogue(self.room.site.catalogue).ok
            self.room.site.close()
            shutil.rmtree(self.directory)

    def at(self, hour):
        return format_utc(BASE + hour * HOUR)

    def attempt(self, allowed, verb, by, number, **arguments):
        """Ask; what the model does not allow must be refused and change nothing."""
        before, refused, answer = self.said_of_holds(), None, None
        try:
            answer = self.room.ask(verb, by, hold=number, **arguments)
        except RetentionError as error:
            refused = error
        assert (refused is None) == allowed, f"{verb} of hold {number}: {refused}"
        if refused is not None:
            assert self.said_of_holds() == before
        return answer

    def said_of_holds(self):
        return self.room.size() - len(self.room.entries("access.changed"))

    @rule(target=numbers, cameras=some, span=span, open_=st.booleans())
    def place(self, cameras, span, open_):
        first, length = span
        end = {"until": None, "until_released": True} if open_ else {
            "until": self.at(first + length)
        }  # fmt: skip
        answer = self.room.place(*cameras, since=self.at(first), **end)
        last = None if open_ else first + length
        self.model[answer["hold"]] = Model(cameras, first, last)
        return answer["hold"]

    @rule(target=numbers, wrong=numbers, by=person, cameras=some, span=span)
    def place_instead(self, wrong, by, cameras, span):
        first, length = span
        answer = self.room.place(
            *cameras, by=by, since=self.at(first), until=self.at(first + length),
            replaces=wrong,
        )  # fmt: skip
        old = self.model[wrong]
        asked = old.free_at is None and old.asked_by is None
        assert answer["replaced"]["release_requested"] == asked
        if asked:
            old.asked_by = by
        self.model[answer["hold"]] = Model(cameras, first, first + length)
        return answer["hold"]

    @rule(number=numbers, span=span, cameras=st.none() | some)
    def extend(self, number, span, cameras):
        first, last = span[0], sum(span)
        hold = self.model[number]
        wider = first <= hold.first and hold.last is not None and last >= hold.last
        answer = self.attempt(
            hold.free_at is None and wider, "extend", ANNA, number, reason="more",
            since=self.at(first), until=self.at(last), cameras=cameras,
        )  # fmt: skip
        if answer is None:
            return
        added = set(cameras or ()) - hold.cameras
        changed = bool(added) or (first, last) != (hold.first, hold.last)
        assert answer["extended"] == changed
        hold.first, hold.last, hold.cameras = first, last, hold.cameras | added
        if changed:
            hold.asked_by = None

    @rule(number=numbers)
    def keep_open(self, number):
        hold = self.model[number]
        allowed = hold.free_at is None
        answer = self.attempt(
            allowed, "extend", ANNA, number, reason="more", until_released=True
        )
        if answer is not None:
            hold.asked_by = None if hold.last is not None else hold.asked_by
            hold.last = None

    @rule(number=numbers, by=person)
    def release(self, number, by):
        hold = self.model[number]
        allowed = hold.free_at is None and hold.asked_by is None
        if self.attempt(allowed, "release", by, number, reason="done"):
            hold.asked_by = by

    @rule(number=numbers, by=person)
    def approve(self, number, by):
        hold = self.model[number]
        allowed = hold.asked_by not in (None, by)
        if self.attempt(allowed, "approve", by, number):
            hold.asked_by, hold.free_at = None, self.room.now + COOLING

    @rule(number=numbers, by=person)
    def reject(self, number, by):
        hold = self.model[number]
        if self.attempt(hold.asked_by is not None, "reject", by, number, reason="no"):
            hold.asked_by = None

    @rule(number=numbers, by=person)
    def reinstate(self, number, by):
        hold = self.model[number]
        allowed = hold.free_at is not None and hold.free_at > self.room.now
        if self.attempt(allowed, "reinstate", by, number, reason="appeal"):
            hold.free_at = None

    @rule(number=numbers)
    def amend_and_review(self, number):
        self.room.ask("amend", hold=number, reference=f"R/{self.room.size()}")
        self.attempt(
            self.model[number].free_at is None, "review", ANNA, number, reason="needed"
        )

    @rule(hours=st.sampled_from([0, 1, 24, 6 * 24, 7 * 24]))
    def pass_time(self, hours):
        self.room.now += hours * HOUR

    @rule()
    def cool(self):
        site, now = self.room.site, self.room.now
        note_cooled(site.catalogue, site.log.by(ACTOR, now))
        with site.catalogue.read() as tx:
            over = {
                row.key
                for row in holds.listing(tx, now, all_=True)
                if row.cooled is not None
            }
        assert over == {
            number
            for number, hold in self.model.items()
            if hold.free_at is not None and hold.free_at <= now
        }

    @invariant()
    def held_is_what_the_model_says(self):
        now, keys = self.room.now, self.room.keys
        with self.room.site.catalogue.read() as tx:
            found = holds.of_cameras(tx, keys.values(), now)
        for camera in CAMERAS:
            for hour in range(2 * HOURS + 2):
                start = BASE + hour * HOUR
                assert found[keys[camera]].hold(start, start + 1) == any(
                    one.holds(camera, hour, now) for one in self.model.values()
                ), (camera, hour)

    @invariant()
    def the_lists_say_the_same(self):
        pending = {n for n, one in self.model.items() if one.asked_by is not None}
        assert set(self.room.numbers(state="pending")) == pending
        active = {n for n, one in self.model.items() if one.free_at is None}
        assert set(self.room.numbers(state="active")) == active

    @invariant()
    def the_log_tells_the_holds_again(self):
        """What a restored catalogue has to go by: entries and nothing else."""
        told = replayed(self.room)
        names = {key: id for id, key in self.room.keys.items()}
        assert told.keys() == self.model.keys()
        for number, (cameras, since, until, free_at) in told.items():
            hold = self.model[number]
            end = FOREVER if hold.last is None else BASE + hold.last * HOUR
            assert (since, until) == (BASE + hold.first * HOUR, end)
            assert {names[key] for key in cameras} == hold.cameras
            assert free_at == hold.free_at


def replayed(room):
    """Each hold as the entries tell it: cameras, window, when it is free."""
    told = {}
    with room.site.catalogue.read() as tx:
        entries = reversed(listing(tx, limit=10_000))
    for entry in entries:
        said = entry["fields"]
        number = said.get("hold")
        if entry["kind"] == "hold.placed":
            cameras = set(said["cameras"])
            told[number] = (cameras, said["since"], said["until"], None)
        elif entry["kind"] == "hold.extended":
            cameras = told[number][0] | set(said["cameras"])
            told[number] = (cameras, said["since"], said["until"], None)
        elif entry["kind"] == "hold.released":
            told[number] = (*told[number][:3], said["free_at"])
        elif entry["kind"] == "hold.reinstated":
            told[number] = (*told[number][:3], None)
    return told


TestHolds = Holds.TestCase
TestHolds.settings = settings(max_examples=campaign.share(100), stateful_step_count=25)
