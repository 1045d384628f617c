"""What `root.*` answers: the directory trees that recorders write to."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class RootShown:
    """A footage root of the configuration or the catalogue.

    `state` is "available", "not scanned yet", or why nothing in it is deleted;
    `adopted`: its first complete scan, `scanned` and `reconciled` the last ones.
    """

    name: str
    path: str
    configured: bool
    available: bool
    state: str
    uuid: str | None
    adopted: str | None
    scanned: str | None
    reconciled: str | None


@dataclass(frozen=True, slots=True)
class RootList:
    """Every footage root."""

    roots: list[RootShown]


@dataclass(frozen=True, slots=True)
class RootTakenIn(Changed):
    """A root that was taken in: the identity that it was given, and the entry."""

    name: str
    path: str
    uuid: str
    entry: int


@dataclass(frozen=True, slots=True)
class ReplacementAsked(Changed):
    """Another disk in a root's place, which one of the `approvers` must agree to until
    then; `replaced` is false."""

    name: str
    path: str
    replaced: bool
    requested: str
    until: str
    approvers: list[str]
    entry: int


@dataclass(frozen=True, slots=True)
class RootReplaced(Changed):
    """Another disk, or (`same_disk`) the same one met again, is the root from now on;
    what became of the files of `abandoned_batches` is not known."""

    name: str
    path: str
    replaced: bool
    uuid: str
    same_disk: bool
    abandoned_batches: int
    entry: int
