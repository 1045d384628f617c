"""What may happen to the files of a site, drawn by dice."""

from contextlib import suppress
from random import Random

from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.model.errors import RetentionError
from tests.support.bookkeeping import DAY, HOUR, MINUTE, NOW, Bookkeeper

SLOTS = range(40)


def start_of(slot: int) -> int:
    """Minutes around four midnights at the end of the period: some are due."""
    midnight = NOW // DAY * DAY - (30 - slot % 4) * DAY
    return midnight + (slot // 4 - 5) * MINUTE


class History:
    """What may happen, each with the odds of the dice."""

    def __init__(self, keeper: Bookkeeper, dice: Random) -> None:
        self.keeper, self.dice = keeper, dice
        self.acts = [
            *[self.files_come] * 3,
            *[self.files_grow, self.files_vanish, self.scan] * 2,
            *(self.reconcile, self.delete, self.wait, self.rule, self.roll_up),
            *(self.start_anew, self.hold),
        ]

    def some(self):
        """A few files, by camera and start."""
        for slot in self.dice.sample(SLOTS, self.dice.randint(1, 8)):
            yield self.dice.choice("ab"), start_of(slot)

    def files_come(self):
        """New ones, those that were deleted again, others over those that are there."""
        for camera, start in self.some():
            off = self.dice.choice([0, 0, 0, 0, 3 * HOUR, -2 * HOUR])
            self.keeper.write(camera, start, self.dice.randint(1, 50), off=off)

    def files_grow(self):
        for camera, start in self.some():
            path = self.keeper.path(camera, start)
            if path.exists():
                path.write_bytes(path.read_bytes() + b"y" * self.dice.randint(0, 9))
                late = self.dice.choice([MINUTE, 2 * MINUTE, 5 * HOUR])
                self.keeper.touch(path, start + late)

    def files_vanish(self):
        for camera, start in self.some():
            self.keeper.remove(self.keeper.path(camera, start))

    def scan(self):
        self.keeper.scan()

    def reconcile(self):
        self.keeper.reconcile()

    def delete(self):
        self.keeper.cycle()

    def wait(self):
        self.keeper.now += self.dice.randint(1, 30) * HOUR

    def rule(self):
        """Of a camera: its times are right, or everything in doubt is moved."""
        shift = self.dice.choice([None, "1h", "-1h", "-2m", "25h"])
        with suppress(RetentionError):  # nothing is in doubt, or the future
            word = "times_right" if shift is None else "shift"
            self.keeper.rule(self.dice.choice("ab"), word, shift)

    def hold(self):
        """Placed and released by its row: the holds in the log are others."""
        camera = self.dice.choice("ab")
        hold = self.keeper.site.hold(camera, start_of(self.dice.choice(SLOTS)))
        self.keeper.cycle()
        with self.keeper.site.catalogue.write(Priority.HOLD) as tx:
            holds.release(tx, hold, self.keeper.now, self.keeper.now + 1)

    def roll_up(self):
        self.keeper.roll_up()

    def start_anew(self):
        self.keeper.restart()
        self.keeper.settle_books()
