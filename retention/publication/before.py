"""What an offline command asks before it appends: is this catalogue an old backup?

The service brings it up to its published log at its next start; whatever is appended
before that would fork the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.audit.directory import Published
from retention.audit.note import SIZE_LIMIT
from retention.publication.compare import Case, compare, is_refused
from retention.publication.publisher import BESIDE_KEY

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.settings import Settings


def obstacle(catalogue: Catalogue, settings: Settings) -> str | None:
    """Why nothing may be appended to this catalogue's log now; None where it may."""
    beside = Published(settings.state_directory).read(BESIDE_KEY, SIZE_LIMIT)
    where = str(settings.state_directory / BESIDE_KEY)
    found = compare(
        catalogue,
        settings.published_log,
        settings.log_copy,
        [] if beside is None else [(where, beside)],
    )
    if found.case is Case.RESTORED:
        return (
            f"{found.case}; start the service, which reads the missing entries back "
            f"from {settings.published_log}. Nothing was added"
        )
    return f"{found.case}: {found.detail}" if is_refused(found) else None
