"""A site whose settings a test changes, as an administrator with an editor does."""

from dataclasses import replace

import pytest
from site_ import ACTOR, NOW, Site

from retention import periods
from retention.approvals import policy_approve, policy_reject
from retention.audit.listing import listing
from retention.audit.log import opened
from retention.catalogue import policies
from retention.context import Context
from retention.settings import (
    AccessSettings,
    CameraSettings,
    RetentionSettings,
    Settings,
)

SUPERVISOR = replace(ACTOR, uid=2001, login=2001, role="supervisor", name="sue")


class Desk:
    """The daemon starts with some settings; a supervisor looks and decides."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.now = NOW
        self.start()

    def start(self, cameras=None, **retention):
        """A start of the daemon with these settings."""
        self.settings = Settings(
            site="test",
            retention=RetentionSettings(**retention),
            camera={
                id_: CameraSettings(days=days) for id_, days in (cameras or {}).items()
            },
            access=AccessSettings(supervisors=["no-such-group"]),
        )
        return self.note()

    def note(self):
        """What the daemon does about its settings."""
        site = self.site
        return periods.apply(site.catalogue, site.log, self.now, ACTOR, self.settings)

    @property
    def context(self) -> Context:
        return Context(
            self.settings, self.site.catalogue, self.site.log, self.now, SUPERVISOR
        )

    def show(self):
        return periods.policy_show(self.context)

    def proposals(self):
        """(number, subject, state) of each proposal that people see."""
        return [
            (one["proposal"], one["subject"], one["state"])
            for one in self.show()["proposals"]
        ]

    def approve(self, number=1):
        return policy_approve(self.context, proposal=number)

    def reject(self, number=1, reason="the auditor wants 28"):
        return policy_reject(self.context, proposal=number, reason=reason)

    def current(self):
        """The policy in force."""
        with self.site.catalogue.read() as tx:
            return policies.current(tx)

    def days(self, camera):
        """Of one camera."""
        return self.current().days_of(self.site.stream(camera).camera)

    def entries(self, kind):
        """Those of a kind, oldest first, what is committed to in clear."""
        with self.site.catalogue.read() as tx:
            found = listing(tx, kind=kind)[::-1]
            return [opened(tx, entry["index"]) for entry in found]

    def fields(self, kind):
        return [entry["fields"] for entry in self.entries(kind)]


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    made.stream("1001")
    yield made
    made.close()


@pytest.fixture
def desk(site):
    """Started once with the settings that nobody changed yet."""
    return Desk(site)
