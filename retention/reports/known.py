"""What is known of a site beside the entries of its log: its cameras' ids and how times are meant there;
of the catalogue also what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from retention.model.answers.books import CataloguedAs, UnnamedTime
from retention.model.localtime import Moment
from retention.model.values import Micros, Window
from retention.reports.find import Finder, Key, Wanted
from retention.tlog.balance import Balance, Place, RecordingSum


class KnownSite(Protocol):
    """A site as its catalogue knows it, or as a published copy of its log tells."""

    complete: bool
    """Whether it is known what is there."""

    def moment(self, now: Micros) -> Moment:
        """By which the times are read that somebody asks for at `now`."""

    def meant(self, id: str, window: Window) -> set[int]:
        """Every camera that the id meant in that time, and the one of today; UsageError
        where there is none."""

    def names(self, keys: Collection[int] | None = None) -> Mapping[int, str]:
        """The id of each camera key, or at least of these."""

    def at_path(self, path: str) -> Wanted:
        """The recordings that a file at that path would be."""

    def there(self, finder: Finder) -> Mapping[Key, CataloguedAs] | None:
        """More of each recording that is there, each of which gets its life; None where
        that is not known."""

    def waiting(self) -> Mapping[Place, RecordingSum]:
        """What is in no roll-up yet."""

    def paths(self, finder: Finder) -> Mapping[Key, str]:
        """Where files were that the log names without a path."""

    def gaps(self, finder: Finder, window: Window) -> Iterable[UnnamedTime]:
        """What is no recording's time, and why."""

    def add_to(
        self, books: Balance, cameras: Collection[int] | None, days: range | None
    ) -> None:
        """Enter what waits, and what is there."""
