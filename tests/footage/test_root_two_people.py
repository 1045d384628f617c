"""Another disk in a root's place, where that takes two people."""

from dataclasses import replace

import pytest

from retention.catalogue import roots
from retention.catalogue.entries import listing
from retention.catalogue.roots import replacements_waiting
from retention.control import periods
from retention.footage.identity import create_identity
from retention.model.errors import NotPermittedError, RetentionError, UsageError
from retention.model.values import DAY, HOUR, SECOND, Actor
from retention.site.caller import UNSET_LOGIN
from retention.site.settings import load
from tests.support.json_schema import verb
from tests.support.premises import CATALOGUE_UUID, Premises

root_adopt = verb("root.adopt")
root_replace = verb("root.replace")

NOON = 1_795_521_600 * SECOND
ADA = Actor(uid=2001, login=2001, pid=2, role="administrator", name="ada")
BOB = Actor(uid=2002, login=2002, pid=3, role="administrator", name="bob")
SUE = Actor(uid=2003, login=2003, pid=4, role="supervisor", name="sue")
OTHER = "ffffffff-0000-4000-8000-000000000000"


class Control(Premises):
    """A site with one root, whose disk is then another one."""

    SITE, START = "leicester", NOON

    def __init__(self, directory):
        super().__init__(directory, ADA)
        (directory / "nvr1").mkdir()
        self.configure()
        self.old = root_adopt(self.context(ADA), name="nvr1")["uuid"]
        self.exchange("old")

    def configure(self, more=""):
        (self.directory / "retention.toml").write_text(
            f'site = "leicester"\n[retention]\n{more}\n[[root]]\nname = "nvr1"\n'
            f'path = "{self.directory / "nvr1"}"\nlayout = "mediamtx"\n'
            'timezone = "Europe/London"\n'
        )
        self.settings = load(self.directory / "retention.toml", {})

    def exchange(self, kept):
        """An empty disk comes into the root's place."""
        (self.directory / "nvr1").rename(self.directory / kept)
        (self.directory / "nvr1").mkdir()

    def context(self, actor):
        return self.asked(self.settings, actor)

    def say(self, actor, reason="disk failed"):
        return root_replace(self.context(actor), name="nvr1", reason=reason)

    def uuid(self):
        with self.catalogue.read() as tx:
            return roots.by_name(tx, "nvr1").uuid

    def waiting(self):
        with self.catalogue.read() as tx:
            return [one.by for one in replacements_waiting(tx, self.now)]

    def entries(self, kind):
        with self.catalogue.read() as tx:
            return listing(tx, kind=kind)[::-1]


@pytest.fixture
def control(tmp_path):
    made = Control(tmp_path)
    yield made
    made.catalogue.close()


def test_the_first_person_asks_and_nothing_is_replaced(control):
    answer = control.say(ADA)
    assert answer["replaced"] is False
    assert (answer["requested"], answer["until"]) == (
        "2026-11-24T12:00:00Z",
        "2026-11-25T12:00:00Z",
    )
    assert control.uuid() == control.old
    (entry,) = control.entries("root.replace_requested")
    assert (entry["fields"]["root"], entry["actor"]["uid"]) == ("nvr1", 2001)
    assert control.waiting() == ["ada"]


@pytest.mark.parametrize("second", [SUE, BOB])
def test_a_second_person_does_it_and_both_are_on_record(control, second):
    asked = control.say(ADA)
    answer = control.say(second, "seen it")
    assert (answer["replaced"], answer["uuid"]) == (True, control.uuid())
    assert control.uuid() != control.old
    (entry,) = control.entries("root.replaced")
    assert entry["fields"]["request"] == asked["entry"]
    assert entry["actor"]["uid"] == second.uid
    assert control.waiting() == []


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (ADA, "same account"),
        (replace(SUE, login=2001), "same person"),
        (replace(SUE, uid=2001), "same account"),
        (replace(SUE, login=UNSET_LOGIN), "has no login"),
    ],
)
def test_the_same_person_can_not_agree_with_himself(control, second, why):
    control.say(ADA)
    with pytest.raises(NotPermittedError, match=why):
        control.say(second)
    assert control.uuid() == control.old
    assert control.waiting() == ["ada"]


def test_a_supervisor_is_not_the_first_to_ask(control):
    with pytest.raises(NotPermittedError, match="an administrator asks"):
        control.say(SUE)
    assert control.waiting() == []


def test_somebody_without_a_login_uid_can_not_ask(control):
    with pytest.raises(NotPermittedError, match="not known who logged in"):
        control.say(replace(ADA, login=UNSET_LOGIN))
    control.configure("require_login_uid = false")
    assert control.say(replace(ADA, login=UNSET_LOGIN))["replaced"] is False
    assert control.say(SUE)["replaced"] is True


def test_after_a_day_the_second_person_is_the_first_again(control):
    control.say(ADA)
    control.now = NOON + DAY
    assert control.waiting() == []
    assert control.say(BOB)["replaced"] is False
    assert control.waiting() == ["bob"]
    assert control.uuid() == control.old


def test_within_the_day_it_is_done(control):
    control.say(ADA)
    control.now = NOON + DAY - 1
    assert control.say(BOB)["replaced"] is True


def test_a_disk_that_came_after_the_request_is_another_request(control, monkeypatch):
    control.say(ADA)
    real = (control.directory / "nvr1").stat().st_dev
    monkeypatch.setattr(
        "retention.deletion.replacements.device_of", lambda setting: real + 1
    )
    assert control.say(BOB)["replaced"] is False
    assert control.uuid() == control.old


def test_a_crash_between_identity_and_row_is_healed_by_the_second_person(control):
    control.say(ADA)
    create_identity(control.directory / "nvr1", OTHER, CATALOGUE_UUID)
    assert control.say(BOB)["uuid"] == OTHER


def test_where_one_person_is_enough_it_is_done_at_once(control):
    control.configure("release_requires_two_people = false")
    assert control.say(ADA)["replaced"] is True
    assert control.entries("root.replaced")[0]["fields"]["request"] is None


def test_settings_alone_do_not_make_one_person_enough(control):
    """They only propose, once a start has adopted the stronger rule."""
    periods.apply(control.catalogue, control.log.by(ADA, NOON), control.settings)
    control.configure("release_requires_two_people = false")
    assert control.say(ADA)["replaced"] is False


@pytest.mark.parametrize("reason", ["", " ", "a\nb", "x" * 501])
def test_neither_asks_without_a_reason_that_can_go_on_record(control, reason):
    with pytest.raises(UsageError, match="reason"):
        control.say(ADA, reason)
    control.say(ADA)
    control.now += HOUR
    with pytest.raises(UsageError, match="reason"):
        control.say(SUE, reason)
    assert control.uuid() == control.old


def test_what_is_done_is_not_done_twice(control):
    control.say(ADA)
    control.say(BOB)
    for actor in (ADA, BOB):
        with pytest.raises(RetentionError, match="nothing to replace"):
            control.say(actor)
