"""What `schema.*` answers: the catalogue's rows against its log."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class SchemaRepaired(Changed):
    """`restored`: what the log has in force and the rows lacked, one sentence each: it is
    in them again, or will be once a second person asks for it (`repaired` is false;
    `until` then, by one of the `approvers`).  `unlogged`: what the rows alone keep; it
    stays in force until two people release it.
    """

    repaired: bool
    restored: list[str]
    unlogged: list[str]
    until: str | None
    approvers: list[str]
    entry: int
