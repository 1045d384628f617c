"""What every answer to a change says besides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Something was changed.  `published`: the audit log was published under a signed
    head before the answer, else `not_published` says why; both are left out where it was
    not tried."""

    published: bool | None = None
    not_published: str | None = None
