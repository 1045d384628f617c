"""A site without a daemon whose verbs about holds people ask by name."""

from pathlib import Path
from typing import Any

from retention.catalogue import cameras
from retention.catalogue.db import Priority
from retention.control.gate import Gate
from retention.control.verbs import VERBS
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, Actor, Camera, Custody
from tests.support.json_schema import answered
from tests.support.premises import OPERATOR as ANNA
from tests.support.premises import SUPERVISOR as BEN
from tests.support.site_ import NOW, Site

CARA = Actor(61003, 61003, 12, "supervisor", "cara")
EVENING = NOW - 2 * DAY
"""A time of which there is footage, as most requests are about."""


COURT: dict[str, Any] = {
    "kind": "court", "reference": "A/1", "reason": "proceedings", "margin": "0",
}  # fmt: skip


class ControlRoom:
    """A site with cameras a and b (ours), p (the police's), t (a shop's)."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        access = settings.pop("access", {"supervisors": ["daemon"]})
        self.site = Site(directory, **settings)
        self.now = NOW
        self.look: Any = None
        self.clock: Any = None
        self.gate: Gate | None = self.site.gate
        self.settings = self.site.whole(access=access)
        self.keys = {
            "a": self.site.stream("a").camera,
            "b": self.site.stream("b").camera,
        }
        for id, place, custody in (
            ("p", "ring road", Custody.POLICE),
            ("t", "arcade", Custody.THIRD_PARTY),
        ):
            self.add(Camera(0, id, place, custody=custody))

    def add(self, camera: Camera) -> int:
        """Register one more camera; its key."""
        with self.site.catalogue.write(Priority.SCAN) as tx:
            self.keys[camera.id] = cameras.insert(tx, camera, self.now)
        return self.keys[camera.id]

    def ask(self, verb: str, by: Actor = ANNA, **arguments: Any) -> dict[str, Any]:
        """The answer to a verb (`place` is hold.place), asked for by somebody."""
        context = self.site.asked(
            self.settings, by, now=self.now, gate=self.gate, rescan=self.look,
            clock=self.clock,
        )  # fmt: skip
        name = f"hold.{verb}"
        return answered(name, VERBS[name].resolve()(context, **arguments))

    def place(self, *ids: str, by: Actor = ANNA, **changes: Any) -> dict[str, Any]:
        """A hold of an hour on that evening."""
        given: dict[str, Any] = {
            "cameras": list(ids or "a"), "since": format_utc(EVENING),
            "until": format_utc(EVENING + HOUR), **COURT,
        }  # fmt: skip
        return self.ask("place", by, **(given | changes))

    def released(self, by: Actor = ANNA, second: Actor = BEN) -> int:
        """A hold that two people released just now."""
        number: int = self.place()["hold"]
        self.ask("release", by, hold=number, reason="done")
        self.ask("approve", second, hold=number)
        return number

    def show(self, hold: int = 1) -> dict[str, Any]:
        return self.ask("show", hold=hold)

    def state(self, hold: int = 1) -> str:
        return str(self.show(hold)["state"])

    def numbers(self, **filters: Any) -> list[int]:
        """The numbers of the holds that are listed."""
        return [one["hold"] for one in self.ask("list", **filters)["holds"]]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Entries of a kind, oldest first, what is committed to opened."""
        return self.site.opened(kind)

    def size(self) -> int:
        """How many entries there are."""
        return self.site.size
