"""A site whose settings a test changes, as an administrator with an editor does."""

from dataclasses import replace

import pytest

from retention.catalogue import policies
from retention.control import periods
from retention.control.approvals import policy_approve, policy_reject
from retention.control.context import Context
from retention.model import codec
from retention.site.settings import (
    AccessSettings,
    CameraSettings,
    RetentionSettings,
    Settings,
)
from tests.support.site_ import ACTOR, NOW, Site

SUPERVISOR = replace(ACTOR, uid=2001, login=2001, role="supervisor", name="sue")


class SettingsDesk:
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
        return periods.apply(
            site.catalogue, site.log.by(ACTOR, self.now), self.settings
        )

    @property
    def context(self) -> Context:
        return self.site.asked(self.settings, SUPERVISOR, now=self.now, gate=None)

    def show(self):
        return codec.to_json(periods.policy_show(self.context))

    def proposals(self):
        """(number, subject, state) of each proposal that people see."""
        return [
            (one["proposal"], one["subject"], one["state"])
            for one in self.show()["proposals"]
        ]

    def approve(self, number=1):
        return codec.to_json(policy_approve(self.context, proposal=number))

    def reject(self, number=1, reason="the auditor wants 28"):
        answer = policy_reject(self.context, proposal=number, reason=reason)
        return codec.to_json(answer)

    def current(self):
        """The policy in force."""
        with self.site.catalogue.read() as tx:
            return policies.current(tx)

    def days(self, camera):
        """Of one camera."""
        return self.current().days_of(self.site.stream(camera).camera)

    def entries(self, kind):
        """Those of a kind, oldest first, what is committed to in clear."""
        return self.site.opened(kind)

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
    return SettingsDesk(site)
