"""What `schema.successor` answers: a log that goes on where entries are lost for good."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class SuccessorAsked(Changed):
    """A successor log, which one of the `approvers` must agree to until then.

    Lost are the entries from `lost_first` (null: not known from where on) to
    `lost_last`, as a signed head at `known_from` shows.
    """

    lost_first: int | None
    lost_last: int
    known_from: str
    requested: str
    until: str
    approvers: list[str]
    entry: int


@dataclass(frozen=True, slots=True)
class SuccessorApproved(Changed):
    """Two people agreed to it; `next` is what is to be done for it to be opened."""

    lost_first: int | None
    lost_last: int
    next: str
    entry: int


@dataclass(frozen=True, slots=True)
class SuccessorRejected(Changed):
    """It is not to be."""

    entry: int


@dataclass(frozen=True, slots=True)
class LostHoldsRecorded(Changed):
    """The holds that stand for those in what is lost; nothing is deleted before then."""

    holds: list[int]
    paused_until: str
    entry: int
