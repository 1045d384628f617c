"""What `audit.list` and `audit.show` answer: entries of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryShown:
    """An entry, what is committed to in clear where it is known; digests are left out.

    `fields` and `rows` have what its kind declares (`retention audit kinds`): instants
    as text, durations in seconds; a row of an intent also what became of the file.  A
    completion that is listed by camera has the rows of its intent, with that.
    `withheld`: what is committed to and not in clear.  `signed`: whether a signed head
    covers it; false also where it came back under none (`came_back`), so that anybody
    may have written it.  `fault`: what opens it is not what was committed to.
    """

    number: int
    actor: dict[str, Any]
    at: str
    correlation: str | None = None
    fields: dict[str, Any]
    host: str
    kind: str
    policy: int
    program: str
    site: str
    subject: str | None = None
    withheld: list[str]
    row_count: int
    rows: list[dict[str, Any]] | None = None
    fault: str | None = None
    signed: bool | None = None
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class EntryList:
    """Entries, newest first; `before` gives the next ones.

    `signed`: how many entries the checkpoint of a published copy covers; `beyond`: how
    many lie behind those, which are not signed yet and left out unless asked for;
    `withheld`: how many are not in a copy for the public.
    """

    entries: list[EntryShown]
    before: int | None
    signed: int | None = None
    beyond: int | None = None
    withheld: int | None = None
