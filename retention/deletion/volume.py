"""The volume guard: far more due at once than there should be waits for a person.

A surprise is a recording that was due before the last cycle which left nothing behind,
and yet is there: re-dated, released, adopted.  Ordinary days, long files and catching up
after a stop are none (design, section 10).  What was due when it was first catalogued
always waits.
"""

from collections import Counter
from itertools import chain

from sqlalchemy import Connection

from retention.catalogue import due, plans, roots
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.due import Span
from retention.catalogue.due import scopes as all_scopes
from retention.catalogue.log import Log
from retention.catalogue.plans import pages
from retention.catalogue.policies import policy_of
from retention.control import alarms, guards, rules
from retention.footage.roots import OpenRoot
from retention.model.choice import NO_SURPRISES, Scope, Volume
from retention.model.policy import BEGINNING
from retention.model.values import Actor, Micros
from retention.site.settings import RetentionSettings


class VolumeGuard:
    """Counts the surprises, and asks a person where they are too many."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        actor: Actor,
        settings: RetentionSettings,
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._settings = settings

    def read(
        self,
        tx: Connection,
        root: int,
        scopes: list[Scope],
        early: list[Scope],
        caught_up: Micros,
        now: Micros,
    ) -> Volume:
        """What was due when it was found in streams in which something is due, and what
        was before the root was caught up in those (`early`) in which that may be."""
        plan = plans.of_root(tx, root)
        if plan is not None and plan.state == "approved":
            return Volume(plan=plan.key)
        if due.any_found(tx, root):
            found = sum(due.totals_found(tx, scopes, now, 0).values())
            if found:
                return Volume(found=found)
        number, camera_of = Counter[int](), {one.stream: one.camera for one in early}
        totals = due.totals(tx, early, Span(BEGINNING, caught_up))
        for stream, total in totals.items():
            number[camera_of[stream]] += total.number
        if not number.total():
            return NO_SURPRISES
        whole = Volume(number.total(), self._allowed(tx, root, now))
        for camera, of_camera in number.items():
            one = Volume(of_camera, self._allowed(tx, root, now, camera))
            if one.too_many and not whole.too_many:
                return one
        return whole

    def _allowed(
        self, tx: Connection, root: int, now: Micros, camera: int | None = None
    ) -> int:
        """How many surprises of a root, or of a camera in it, may still go today
        without a person."""
        row = roots.get(tx, root)
        if row is None or row.caught_up == row.adopted:
            return 0  # the first cycle over an adopted archive is always approved
        in_force = rules.of(tx, self._settings)
        there = roots.count_recordings(tx, root, camera)
        most = max(in_force.deletion_floor, int(in_force.deletion_limit * there))
        return max(0, most - plans.taken(tx, root, now, camera))

    def trip(self, root: OpenRoot, why: str, caught_up: Micros, now: Micros) -> str:
        """Propose a plan, unless one that covers all of it waits already; why nothing
        is deleted, and what a person does about it."""
        early = Span(BEGINNING, caught_up)
        with self._catalogue.read() as tx:
            plan = plans.of_root(tx, root.key)
            scopes = all_scopes(tx, root.key, policy_of(tx), now)
            number = plan.key if plan else 0
        totals = due.paged(self._catalogue, scopes, due.totals, early, number)
        found = due.paged(self._catalogue, scopes, due.totals_found, now, number)
        outside = sum(one.number for one in totals.values()) + sum(found.values())
        if plan is None or outside:
            number = self._propose(root, scopes, early, now)
        detail = (
            f"{why}; plan {number} waits for a supervisor: "
            f"`retention deletion approve {number}`"
        )
        author = self._log.by(self._actor, now)
        with self._catalogue.write(Priority.DELETION, author) as tx:
            alarms.trip(tx, now, guards.VOLUME, root.name, detail)
        return detail

    def _propose(
        self, root: OpenRoot, scopes: list[Scope], early: Span, now: Micros
    ) -> int:
        """Write a plan, in bounded transactions; it counts only once it is whole."""
        found = Span(early.until, now)
        with self._catalogue.write(Priority.DELETION) as tx:
            key = plans.begin(tx, root.key, now, now)
        count = size = 0
        for rows in chain(
            pages(self._catalogue, scopes, early),
            pages(self._catalogue, scopes, found, when_found=True),
        ):
            with self._catalogue.write(Priority.DELETION) as tx:
                plans.add(tx, key, rows)
            count += len(rows)
            size += sum(row.size for row in rows)
        with self._catalogue.read() as tx:
            digest = plans.digest(tx, key)
        author = self._log.by(self._actor, now)
        with self._catalogue.write(Priority.DELETION, author) as tx:
            plans.propose(tx, key, count, size, digest)
            tx.append(
                "plan.proposed", plan=key, root=root.name, cutoff=now,
                count=count, bytes=size, digest=digest,
            )  # fmt: skip
        return key

    def clear(self, root: OpenRoot, reason: str, now: Micros) -> None:
        """Nothing waits for a person any more in this root."""
        author = self._log.by(self._actor, now)
        alarms.clear(self._catalogue, author, guards.VOLUME, root.name, reason)

    def finish(self, plan: int) -> None:
        """Nothing of an approved plan is left that may be deleted."""
        with self._catalogue.write(Priority.DELETION) as tx:
            plans.finish(tx, plan)
        while True:
            with self._catalogue.write(Priority.DELETION) as tx:
                if plans.drop_rows(tx) == 0:
                    return
