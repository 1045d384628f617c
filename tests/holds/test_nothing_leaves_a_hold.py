"""Whatever one person does, in any order: what a hold covered it goes on to cover."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from retention.catalogue import cover, recordings, ruling_requests, streams
from retention.model.errors import RetentionError
from retention.model.layouts.layout import path_of
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE
from tests.support.control_room import BEN
from tests.support.json_schema import verb
from tests.support.plant import T0, Plant

NAMES = ("1001", "1002")
START = T0 - 2 * DAY
FILES = [(name, START + n * 6 * HOUR) for name in NAMES for n in range(4)]

names = st.sampled_from(NAMES)
files = st.integers(0, len(FILES) - 1)
hours = st.integers(-40, 40)


class OnePerson(RuleBasedStateMachine):
    """Everything that somebody with every role can ask for, and hands on the disk; but
    never a second person."""

    @initialize(lengths=st.lists(st.integers(-30, 60), min_size=8, max_size=8))
    def begin(self, lengths):
        self.directory = Path(tempfile.mkdtemp(prefix="one-person-"))
        self.plant = Plant(self.directory, deletion_limit="100%", deletion_floor=100)
        self.covered: dict[int, set[bytes]] = {}
        self.away: dict[int, Path] = {}
        self.paths = [
            self.plant.film(start, length * HOUR, folder=name)
            for (name, start), length in zip(FILES, lengths, strict=True)
        ]
        self.plant.watch()
        self.scan()

    def teardown(self):
        if hasattr(self, "plant"):
            self.plant.close()
            shutil.rmtree(self.directory)

    def ask(self, asked, **given):
        """Refused or not, it is one person's act."""
        plant = self.plant
        context = plant.asked(plant.settings(), BEN)
        with suppress(RetentionError):
            verb(asked)(context, **given)

    def scan(self):
        """Twice, for what may still be written."""
        for _ in range(2):
            self.plant.round(self.plant.now + MINUTE)

    # -- what a person can do -----------------------------------------------------

    @rule(name=names, since=st.integers(-6, 30), length=st.integers(1, 12))
    def place(self, name, since, length):
        start = START + since * HOUR
        self.plant.place(name, start, start + length * HOUR)

    @rule(file=files, by=hours, again=st.booleans())
    def rule_on_a_file(self, file, by, again):
        path = str(self.paths[file].relative_to(self.directory))
        self.resolve(by, again, path=path)

    @rule(name=names, by=hours, again=st.booleans())
    def rule_on_a_camera(self, name, by, again):
        self.resolve(by, again, camera=name)

    def resolve(self, by, again, **what):
        ruling, shift = ("shift", f"{by}h") if by else ("times_right", None)
        self.ask("recording.resolve", ruling=ruling, shift=shift, reason="r",
                 again=again, **what)  # fmt: skip

    @rule()
    def approve_it_himself(self):
        with self.plant.catalogue.read() as tx:
            waiting = [one.number for one in ruling_requests.everyone(tx)]
        for number in waiting:
            self.ask("recording.approve", request=number)

    @rule(name=names, camera=names, since=st.none() | st.integers(-6, 30))
    def assign(self, name, camera, since):
        at = None if since is None else format_utc(START + since * HOUR)
        self.ask("camera.assign", name=f"nvr1/{name}", camera=camera, reason="r",
                 since=at)  # fmt: skip

    @rule(name=names)
    def retire(self, name):
        self.ask("camera.retire", id=name)

    @rule(name=names)
    def replace(self, name):
        self.ask("camera.replace", id=name, location="elsewhere")

    @rule(names=st.permutations(NAMES), zone=st.sampled_from(("UTC", "Europe/London")))
    def write_other_settings(self, names, zone):
        """And start the service again."""
        mapping = dict(zip(NAMES, names, strict=True))
        self.plant.watch(cameras=mapping, timezone=zone)
        self.scan()

    @rule(file=files, by=hours)
    def touch(self, file, by):
        if self.paths[file].exists():
            self.plant.touch(self.paths[file], FILES[file][1] + by * HOUR)
            self.scan()

    @rule(file=files)
    def take_away(self, file):
        if self.paths[file].exists():
            aside = self.directory / f"aside-{file}"
            os.rename(self.paths[file], aside)
            self.plant.settle(self.paths[file].parent)
            self.away[file] = aside
            self.scan()

    @rule(file=files, by=st.none() | hours)
    def put_back(self, file, by):
        if file in self.away:
            self.paths[file].parent.mkdir(exist_ok=True)
            os.rename(self.away.pop(file), self.paths[file])
            at = self.paths[file].stat().st_mtime_ns // 1000
            self.plant.touch(
                self.paths[file], at if by is None else FILES[file][1] + by * HOUR
            )
            self.scan()

    @rule(days=st.integers(1, 40))
    def wait(self, days):
        """The periods pass, and what is due is deleted."""
        self.plant.now += days * DAY
        self.scan()
        self.plant.scanners["nvr1"].reconcile(self.plant.now, lambda: False)

    # -- and what follows -----------------------------------------------------------

    @invariant()
    def what_a_hold_covered_it_covers(self):
        if not hasattr(self, "plant"):
            return
        now: dict[int, set[bytes]] = {}
        there = set()
        with self.plant.catalogue.read() as tx:
            for stream in streams.everyone(tx):
                rows = recordings.page(tx, stream.key, None, 1_000)
                feet = [
                    recordings.footing(stream, row, recordings.doubt(tx, row.key))
                    for row in rows
                ]
                for row, holding in zip(
                    rows, cover.covering(tx, feet, self.plant.now), strict=True
                ):
                    there.add(path_of(stream, row))
                    for hold in holding:
                        now.setdefault(hold, set()).add(path_of(stream, row))
        for hold, paths in self.covered.items():
            assert paths & there <= now.get(hold, set())
            for path in paths:
                file = self.directory / "nvr1" / os.fsdecode(path)
                assert file.exists() or self.paths.index(file) in self.away
        for hold, paths in now.items():
            self.covered.setdefault(hold, set()).update(paths)


OnePerson.TestCase.settings = settings(
    max_examples=10, stateful_step_count=12, deadline=None, phases=[Phase.generate]
)
TestOnePerson = OnePerson.TestCase
