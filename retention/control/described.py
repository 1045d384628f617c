"""What a site says of itself in its settings, on record in clear: whose its cameras are,
when they are watched, where their list is published.  Answers to the public rest on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.entries import listing

if TYPE_CHECKING:
    from retention.catalogue.log import Author
    from retention.site.settings import Settings

_KIND = "site.described"


def note(catalogue: Catalogue, author: Author, settings: Settings) -> None:
    """Put it on record, unless the log's last word is the same."""
    said = {
        "controller": settings.own_controller,
        "monitored_hours": settings.monitored_hours,
        "published_list": settings.published_list,
        "published_list_day": settings.published_list_day,
    }
    with catalogue.read() as tx:
        last = listing(tx, kind=_KIND, limit=1)
    if not last or last[0]["fields"] != said:
        with catalogue.write(Priority.SCAN, author) as tx:
            tx.append(_KIND, said)
