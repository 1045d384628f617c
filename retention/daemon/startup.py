"""What is compared before the daemon takes anything up: the log, the site, the roots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retention.audit import log as audit
from retention.catalogue import roots
from retention.catalogue.db import get_meta
from retention.errors import CatalogueError, SettingsError

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.settings import Settings


def check_head(catalogue: Catalogue, settings: Settings) -> None:
    """The log ends where its head says, and is this site's; CatalogueError and
    SettingsError say what to do."""
    with catalogue.read() as tx:
        size = audit.size(tx)
        site = get_meta(tx).get("site", settings.site)
        if size == 0:
            raise CatalogueError(
                f"{catalogue.path} has no audit log yet: `retention init` was "
                "interrupted, run it again"
            )
        last = audit.read(tx, size - 1)
    if last["index"] != size - 1:
        raise CatalogueError(
            f"the audit log's head is {size} and its last entry {last['index']}: run "
            "`retention audit verify`; nothing is deleted"
        )
    if site != settings.site:
        raise SettingsError(
            f"the catalogue is that of site {site}, the configuration says "
            f"{settings.site}: correct `site`, or state_directory; a second site is a "
            "second installation"
        )


def forgotten_roots(
    catalogue: Catalogue, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Roots of the catalogue that the settings do not name: name, and what to do."""
    names = {root.name for root in settings.root}
    with catalogue.read() as tx:
        found = [row for row in roots.everyone(tx) if row.name not in names]
    for row in found:
        yield (
            row.name,
            f"footage root {row.name} ({row.path}) is not in the configuration, so "
            "nothing in it is deleted: add its [[root]] again",
        )
