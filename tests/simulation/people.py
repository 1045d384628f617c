"""People who hold footage by the true time of what they want, release it, and rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from retention.catalogue import plans
from retention.control.approvals import deletion_approve
from retention.footage.ingest.ruling_approvals import recording_approve
from retention.footage.ingest.ruling_requests import (
    recording_reject,
    recording_requests,
)
from retention.footage.ingest.rulings import recording_resolve
from retention.holds.change import hold_extend
from retention.holds.place import hold_place
from retention.holds.release import hold_approve, hold_reject, hold_release
from retention.model.errors import CatalogueError, RetentionError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, Actor, Micros
from tests.simulation.program import FULL, LOCKED
from tests.simulation.recorders import AlwaysBehind
from tests.support.control_room import ANNA, BEN, CARA
from tests.support.premises import Crash

if TYPE_CHECKING:
    from tests.simulation.disk import Take
    from tests.simulation.simulation import Simulation

MARGIN: Micros = 5 * MINUTE
COOLING: Micros = 7 * DAY


@dataclass(slots=True)
class Hold:
    """What somebody wants kept: the time that was asked for, without its margin."""

    number: int
    camera: str
    since: Micros
    until: Micros
    placed: Micros
    free_at: Micros | None = None

    def keeps(self, now: Micros) -> bool:
        """In force, or cooling off."""
        return self.free_at is None or now < self.free_at

    def covers(self, take: Take) -> bool:
        return take.camera == self.camera and take.overlaps(self.since, self.until)


class People:
    """Those of a control room; `busy`: holds a camera and year."""

    def __init__(self, sim: Simulation, busy: float) -> None:
        self.sim = sim
        self.holds: list[Hold] = []
        self.busy = busy
        self.call()
        self.sim.at(self.sim.now + 7 * DAY, self.look_at_doubts)
        self.sim.at(self.sim.now + 8 * HOUR, self.look_at_requests)
        self.sim.at(self.sim.now + 6 * HOUR, self.look_at_plans)

    def call(self) -> None:
        """The police ring now and then, about something that was, or will be."""
        sim, dice = self.sim, self.sim.dice
        mean = 365 * DAY / (self.busy * len(sim.cameras))
        sim.at(sim.now + int(dice.expovariate(1 / mean)), self.call)
        if sim.now == sim.begun:
            return
        since = sim.now - dice.randint(-2 * DAY, 26 * DAY) // MINUTE * MINUTE
        until = since + dice.randint(10, dice.choice([30, 120, 600])) * MINUTE
        # Of the last camera nobody asks: nothing of it may be kept for a hold.
        self.place(dice.choice(sim.cameras[:-1]), since, until)

    def ask(self, verb: Callable[..., Any], who: Actor, **given: Any) -> Any:
        """Somebody's request.  The process may die in it, or what it writes fails: then
        it happened whole or not at all, and is asked again; None where it had happened."""
        sim, steps = self.sim, self.sim.program.steps
        if sim.mischief.random() < sim.slips:
            before = sim.oracle.begin(who)
            steps.left = sim.mischief.randrange(6)
            steps.trouble = sim.mischief.choice((None, LOCKED, FULL))
            try:
                return verb(sim.program.context(who), **given)
            except (Crash, CatalogueError) as error:
                steps.left = steps.trouble = None
                sim.slipped += 1
                sim.told(f"{verb.__name__} broke off: {error}")
                happened = sim.oracle.broke_off(verb.__name__, before)
                sim.program.die()
                if happened and "request" not in given:
                    return None
            finally:
                steps.left = steps.trouble = None
        return verb(sim.program.context(who), **given)

    def place(self, camera: str, since: Micros, until: Micros) -> Any:
        """A hold as it is asked for, and what becomes of it; the answer."""
        sim, dice = self.sim, self.sim.dice
        since, until = (at // 1_000_000 * 1_000_000 for at in (since, until))
        answer = self.ask(
            hold_place, ANNA, cameras=[camera], since=format_utc(since),
            until=format_utc(until), kind="court", reference="r", reason="r",
            margin="5m", request=str(UUID(int=sim.mischief.getrandbits(128))),
        )  # fmt: skip
        assert answer.hold is not None
        hold = Hold(answer.hold, camera, since, until, sim.now)
        self.holds.append(hold)
        sim.told(f"hold {hold.number} on {camera}, kept: {answer.all_preserved}")
        sim.oracle.answered(hold, answer)
        if dice.random() < 0.3:
            sim.at(sim.now + dice.randint(1, 5) * DAY, partial(self.extend, hold))
        if dice.random() < 0.7:
            sim.at(sim.now + dice.randint(6, 90) * DAY, partial(self.release, hold))
        return answer

    def extend(self, hold: Hold) -> None:
        """The detective wants another hour."""
        hold.until += HOUR
        self.ask(
            hold_extend, ANNA, hold=hold.number, reason="longer",
            until=format_utc(hold.until),
        )  # fmt: skip
        self.sim.told(f"hold {hold.number} extended")

    def rule(self, resolve: Callable[..., Any], **given: Any) -> bool:
        """A supervisor rules; what is refused is refused."""
        try:
            self.ask(resolve, BEN, reason="so it is", **given)
        except RetentionError as error:
            self.sim.told(f"refused: {error}")
            return False
        self.sim.told(f"ruled {given}")
        return True

    def look_at_doubts(self) -> None:
        """A supervisor who knows the recorders rules on what is right, once a week."""
        sim = self.sim
        sim.at(sim.now + 7 * DAY, self.look_at_doubts)
        for recorder in sim.recorders:
            if recorder.ruling and self.rule(
                recording_resolve, camera=recorder.camera, **recorder.ruling
            ):
                recorder.vouched = sim.now
                for take in sim.disk.there.values():
                    if take.camera == recorder.camera and take.whole:
                        take.ruled = sim.now

    def look_at_requests(self) -> None:
        """Another supervisor decides what the first one's word did not suffice for."""
        sim, context = self.sim, self.sim.program.context
        sim.at(sim.now + DAY, self.look_at_requests)
        for one in recording_requests(context(CARA)).requests:
            sim.told(f"request {one.request}: {one.ruling}")
            if one.ruling in ("times are right", f"shifted by +{AlwaysBehind.by}"):
                recording_approve(context(CARA), request=one.request)
            else:
                recording_reject(context(CARA), request=one.request, reason="mistyped")

    def release(self, hold: Hold) -> None:
        """Somebody asks to let it go; another decides the day after, and may refuse."""
        self.ask(hold_release, ANNA, hold=hold.number, reason="done")
        self.sim.at(self.sim.now + DAY, partial(self.decide, hold))

    def decide(self, hold: Hold) -> None:
        """Until then it is in force, and once refused it stays so."""
        if self.sim.mischief.random() < 0.2:
            self.ask(hold_reject, BEN, hold=hold.number, reason="still needed")
            return
        hold.free_at = self.sim.now + COOLING
        self.ask(hold_approve, BEN, hold=hold.number)
        self.sim.told(f"hold {hold.number} released")

    def look_at_plans(self) -> None:
        """A supervisor looks at the plans that wait, twice a day, and approves those in
        which nothing was filmed lately: nobody here is careless."""
        sim, program = self.sim, self.sim.program
        sim.at(sim.now + 12 * HOUR, self.look_at_plans)
        with program.catalogue.read() as tx:
            waiting = [plan.key for plan in plans.waiting(tx)]
            rows = {
                key: tx.exec_driver_sql(
                    "SELECT s.name, r.start FROM plan_row r JOIN stream s ON s.key = "
                    "r.stream WHERE r.plan = ?", (key,),
                ).fetchall()
                for key in waiting
            }  # fmt: skip
        for key in waiting:
            if all(sim.is_old(folder, start) for folder, start in rows[key]):
                deletion_approve(program.context(BEN), plan=key)
                sim.told(f"plan {key} approved")
