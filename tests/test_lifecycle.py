"""Recording, scan, hold, release, time, crash and restart against a simple model.

What must hold after any story: nothing held is deleted (P1), nothing due is left after
a cycle (P2), every file is on the disk or accounted for in the log (P7), and the log
verifies (P4).
"""

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from retention.catalogue import cameras, plans, roots
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.catalogue.log_check import verify_catalogue
from retention.control.context import Context
from retention.deletion import batch as procedure
from retention.footage.ingest.scan import Scanner
from retention.holds.place import hold_place
from retention.holds.release import hold_release
from retention.model.layouts.layout import compile_layout
from retention.model.localtime import format_utc
from retention.model.values import DAY, SECOND, Camera
from tests.support import campaign
from tests.support.premises import Crash
from tests.support.site_ import ACTOR, LAYOUT, NOW, Site, never

PERIOD = 28 * DAY
COOLING = 7 * DAY
PERSON = replace(ACTOR, uid=1000, role="operator")


class Lifecycle(RuleBasedStateMachine):
    """The product on a real directory beside a model of four dictionaries."""

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="lifecycle-"))
        self.site = Site(
            self.directory, deletion_floor=10**6, release_requires_two_people=False
        )
        self.now = NOW
        with self.site.catalogue.write(Priority.SCAN) as tx:
            for camera in "ab":
                cameras.insert(tx, Camera(0, camera, f"at {camera}"), NOW)
            # As after a first scan of the empty directory.
            roots.set_adopted(tx, self.site.root_key, NOW - DAY)
            roots.set_caught_up(tx, self.site.root_key, NOW - DAY + 1)
        self.settings = self.site.whole()
        self.scanner = self.new_scanner()
        self.looked = NOW - 45 * DAY
        self.files: dict[Path, tuple[str, int, int]] = {}
        self.seen: set[Path] = set()
        self.kept: set[Path] = set()  # there, and held ever since
        self.removed: set[Path] = set()  # by somebody else
        self.holds: dict[int, tuple[str, int, int, int | None]] = {}

    def new_scanner(self) -> Scanner:
        return self.site.scanning(self.site.root, self.settings)

    def context(self) -> Context:
        return self.site.asked(self.settings, now=self.now)

    # -- the model ----------------------------------------------------------------

    def held(self, path: Path) -> bool:
        camera, start, end = self.files[path]
        return any(
            camera == on and start < until and end > since
            for on, since, until, free_at in self.holds.values()
            if free_at is None or free_at > self.now
        )

    def due(self, path: Path) -> bool:
        return self.files[path][2] + PERIOD <= self.now

    # -- what happens -------------------------------------------------------------

    @rule(
        camera=st.sampled_from("ab"),
        share=st.floats(0, 1),
        length=st.integers(1, 3600),
        size=st.integers(0, 9),
    )
    def record(self, camera: str, share: float, length: int, size: int) -> None:
        """A recorder finished a file some time after the last look: what had been there
        by then and was not seen would be late."""
        span = (self.now - 45 * SECOND - self.looked) // SECOND
        if span < 1:
            return
        end = self.looked + (1 + int(share * (span - 1))) * SECOND
        start = (end - length * SECOND) // SECOND * SECOND
        name = compile_layout(LAYOUT, "UTC").render(camera, start, ".mp4")
        path = self.site.footage / os.fsdecode(name)
        if path in self.files:
            return
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        end = start + length * SECOND
        os.utime(path, ns=(end * 1000, end * 1000))
        self.files[path] = (camera, start, end)

    @rule(
        seconds=st.one_of(
            st.integers(60, 3600),
            st.integers(3600, 9 * 86_400),
            st.integers(26 * 86_400, 29 * 86_400),
        )
    )
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule()
    def scan(self) -> None:
        result = self.scanner.scan(self.now, never, full=True)
        assert (result.errors, result.quarantined) == ([], 0)
        self.looked = self.now
        self.seen |= {path for path in self.files if path.exists()}

    @rule()
    def reconcile(self) -> None:
        self.scanner.reconcile(self.now, never)

    @rule()
    def cycle(self) -> None:
        """Scan and delete: afterwards nothing that is due and free is left."""
        self.scan()
        before = {path for path in self.files if path.exists()}
        self.deleted(self.site.cycle(self.now).results)
        if self.approved():
            self.deleted(self.site.cycle(self.now).results)
        for path in before:
            if not path.exists():
                assert self.due(path)
                assert not self.held(path)
            else:
                assert self.held(path) or not self.due(path)

    def approved(self) -> bool:
        """A supervisor looks at what was due when it was found; whether any was."""
        author = self.site.log.by(ACTOR, self.now)
        with self.site.catalogue.write(Priority.HOLD, author) as tx:
            waiting = plans.waiting(tx)
            for plan in waiting:
                plans.approve(tx, plan.key)
                tx.append("plan.approved", plan=plan.key, digest=plan.digest)
        return bool(waiting)

    def deleted(self, results) -> None:
        for result in results:
            self.scanner.forget(result.gone)

    @rule(
        camera=st.sampled_from("ab"),
        age=st.integers(0, 45 * 86_400),
        length=st.integers(1, 5 * 86_400),
    )
    def place(self, camera: str, age: int, length: int) -> None:
        self.hold(camera, self.now - age * SECOND, length)

    @precondition(lambda self: self.files)
    @rule(
        data=st.data(), shift=st.integers(-3600, 3600), length=st.integers(1, 2 * 3600)
    )
    def place_near_a_file(self, data, shift: int, length: int) -> None:
        path = data.draw(st.sampled_from(sorted(self.files)))
        camera, start, _ = self.files[path]
        self.hold(camera, start + shift * SECOND, length)

    def hold(self, camera: str, since: int, length: int) -> None:
        until = since + length * SECOND
        answer = hold_place(
            self.context(), cameras=[camera], since=format_utc(since),
            until=format_utc(until), kind="court", reference="r", reason="r",
            margin="0",
        )  # fmt: skip
        self.holds[answer.hold] = (camera, since, until, None)

    @precondition(lambda self: any(h[3] is None for h in self.holds.values()))
    @rule(data=st.data())
    def release(self, data) -> None:
        active = sorted(n for n, h in self.holds.items() if h[3] is None)
        number = data.draw(st.sampled_from(active))
        person = replace(self.context(), actor=PERSON)
        hold_release(person, hold=number, reason="done")
        self.holds[number] = (*self.holds[number][:3], self.now + COOLING)

    @rule(call=st.integers(1, 4), step=st.sampled_from(["delete", "sync", "recheck"]))
    def crash_in_a_cycle(self, call: int, step: str) -> None:
        """The process dies in the middle of a cycle, and starts again."""
        self.scan()
        real, calls = getattr(procedure, step), iter(range(1, 9999))

        def dying(*args):
            if next(calls) == call:
                raise Crash
            return real(*args)

        setattr(procedure, step, dying)
        try:
            self.site.cycle(self.now)
        except Crash:
            pass
        finally:
            setattr(procedure, step, real)
        self.restart()

    @rule()
    def restart(self) -> None:
        self.site.restart()
        self.scanner = self.new_scanner()

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def somebody_removes_a_file(self, data) -> None:
        there = sorted(path for path in self.seen if path.exists())
        if there:
            path = data.draw(st.sampled_from(there))
            path.unlink()
            self.removed.add(path)

    # -- what must hold -----------------------------------------------------------

    @invariant()
    def what_is_held_stays_and_nothing_goes_before_it_is_due(self) -> None:
        """A file that was there while a hold covered it is there while one does."""
        for path in getattr(self, "files", ()):
            if path in self.removed:
                continue
            there, held = path.exists(), self.held(path)
            assert there or self.due(path)
            assert there or not held or path not in self.kept
            if there and held:
                self.kept.add(path)
            elif not held:
                self.kept.discard(path)

    def teardown(self) -> None:
        if not hasattr(self, "site"):
            return
        try:
            self.cycle()
            self.reconcile()
            self.books_balance()
            assert verify_catalogue(self.site.catalogue, deep=True).ok
        finally:
            self.site.close()
            shutil.rmtree(self.directory)

    def books_balance(self) -> None:
        """Recorded = present + deleted + lost, by file and by the log's own count."""
        present = {path for path in self.files if path.exists()}
        assert self.site.rows() == len(present)
        with self.site.catalogue.read() as tx:
            done = listing(tx, kind="recordings.deleted", limit=10_000)
            lost = listing(tx, kind="recordings.lost", limit=10_000)
        ours, open_then = (
            sum(e["fields"][outcome] for e in done)
            for outcome in ("deleted", "absent_after_crash")
        )
        others = sum(e["fields"]["absent"] for e in done)
        others += sum(e["fields"]["count"] for e in lost)
        assert ours + open_then + others == len(self.files) - len(present)
        # Under an open intent nobody can tell whose a removal was.
        assert others <= len(self.removed) <= others + open_then


def test_no_story_loses_evidence_or_keeps_what_is_due():
    run_state_machine_as_test(
        Lifecycle,
        settings=settings(
            max_examples=campaign.share(500),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.reuse, Phase.generate),  # shrinking a story takes minutes
        ),
    )
