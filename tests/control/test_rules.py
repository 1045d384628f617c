"""Settings may make the rules that guard evidence stronger, never weaker by themselves."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from retention.catalogue import schema
from retention.control import rules
from retention.control.rules import Rules
from retention.model.values import DAY
from retention.site.caller import UNSET_LOGIN
from retention.site.settings import RetentionSettings
from tests.support.site_ import ACTOR, NOW

WEAKER = {
    "release_requires_two_people": False,
    "require_login_uid": False,
    "cooling_off": "1d",
    "deletion_limit": "50%",
    "deletion_floor": 1_000,
}
NAMES = {name: at for at, name in enumerate(WEAKER)}


def in_force(desk) -> Rules:
    with desk.site.catalogue.read() as tx:
        return rules.effective(tx, desk.settings)


def test_the_first_start_adopts_what_the_settings_say_on_record(desk):
    (entry,) = desk.fields("rules.changed")
    assert entry == {
        "old": {},
        "new": {
            "release_requires_two_people": "true",
            "require_login_uid": "true",
            "cooling_off": "7 days",
            "deletion_limit": "2%",
            "deletion_floor": "100",
        },
        "proposal": None,
    }


@pytest.mark.parametrize("rule", WEAKER)
def test_a_weaker_rule_waits_and_the_one_before_stays_in_force(desk, rule):
    before = in_force(desk)
    desk.start(**{rule: WEAKER[rule]})
    assert in_force(desk) == before
    assert desk.proposals() == [(1, rule, "waiting")]
    (entry,) = desk.fields("rules.proposed")
    assert (entry["proposal"], entry["rule"]) == (1, rule)
    assert entry["old"] != entry["new"]


@pytest.mark.parametrize("rule", WEAKER)
def test_an_approved_weaker_rule_is_in_force_on_record_and_no_other(desk, rule):
    before = in_force(desk)
    desk.start(**WEAKER)
    number = next(n for n, subject, _ in desk.proposals() if subject == rule)
    desk.approve(number)
    after = in_force(desk)
    moved = [at for at in range(len(after)) if after[at] != before[at]]
    assert moved == [NAMES[rule]]
    entry = desk.entries("rules.changed")[-1]
    assert list(entry["fields"]["new"]) == list(entry["fields"]["old"]) == [rule]
    assert entry["fields"]["proposal"] == number
    assert entry["actor"]["role"] == "supervisor"
    assert len(desk.proposals()) == len(WEAKER) - 1


def test_a_stronger_rule_applies_at_once_on_record(desk):
    desk.start(cooling_off="14d", deletion_floor=10)
    assert (in_force(desk).cooling_off, in_force(desk).deletion_floor) == (14 * DAY, 10)
    assert desk.fields("rules.changed")[-1] == {
        "old": {"cooling_off": "7 days", "deletion_floor": "100"},
        "new": {"cooling_off": "14 days", "deletion_floor": "10"},
        "proposal": None,
    }
    assert desk.proposals() == []


def test_a_weaker_rule_taken_back_from_the_settings_is_withdrawn(desk):
    desk.start(release_requires_two_people=False)
    desk.start()
    assert desk.proposals() == []
    assert desk.fields("policy.withdrawn") == [{"proposal": 1}]


def test_a_rejected_weaker_rule_stays_as_it_was(desk):
    desk.start(release_requires_two_people=False)
    desk.reject(1, "there are two of us")
    desk.start(release_requires_two_people=False)
    assert in_force(desk).two_people
    assert desk.proposals() == [(1, "release_requires_two_people", "rejected")]


def test_the_volume_guard_goes_by_the_limit_in_force_not_by_the_settings(desk):
    site = desk.site
    site.settings = RetentionSettings(deletion_floor=1_000_000)
    site.root.close()
    site.open()
    files = [site.record("1001", NOW - 450 * DAY + n * 60_000_000) for n in range(200)]
    assert "allowed without approval: 100" in site.cycle().blocked
    assert all(file.exists() for file in files)


@given(
    st.lists(
        st.tuples(st.booleans(), st.booleans(), st.integers(0, 9), st.integers(0, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_no_order_of_settings_weakens_a_rule_without_an_approval(history):
    engine = sa.create_engine("sqlite://")
    schema.fact.create(engine)
    strongest = None
    with engine.begin() as tx:
        for two, login, cooling, floor in history:
            own = RetentionSettings(
                release_requires_two_people=two,
                require_login_uid=login,
                cooling_off=f"{cooling}d",
                deletion_floor=floor,
            )
            asked = rules.of(tx, own)
            rules.adopt(tx, own)
            assert rules.of(tx, own) == asked  # also before a start adopted it
            if strongest is not None:
                assert asked.two_people >= strongest.two_people
                assert asked.require_login_uid >= strongest.require_login_uid
                assert asked.cooling_off >= strongest.cooling_off
                assert asked.deletion_floor <= strongest.deletion_floor
            strongest = asked
    engine.dispose()


BOTH = Rules(True, True, 7 * DAY, 0.02, 100)
LAX = BOTH._replace(require_login_uid=False)


@pytest.mark.parametrize(
    ("in_force", "uid", "login", "refused"),
    [
        (BOTH, 2002, 2002, None),
        (BOTH, 2001, 2002, "same account"),
        (BOTH, 2002, 2001, "same person"),
        (LAX, 2002, 2001, "same person"),
        (BOTH, 2002, UNSET_LOGIN, "your session has no login"),
        (LAX, 2002, UNSET_LOGIN, None),
        (LAX, 2001, UNSET_LOGIN, "same account"),
    ],
)
def test_the_second_person_is_another_in_account_and_in_login(
    in_force, uid, login, refused
):
    second = replace(ACTOR, uid=uid, login=login)
    why = rules.not_another(in_force, 2001, 2001, second)
    assert why is None if refused is None else refused in why


def test_a_first_person_without_a_login_uid_can_not_be_told_from_the_second():
    second = replace(ACTOR, uid=2002, login=2002)
    why = rules.not_another(BOTH, 2001, UNSET_LOGIN, second)
    assert "first person's session has no login," in why
