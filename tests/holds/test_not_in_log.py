"""What only the catalogue's rows have of a hold is shown as not in the log, and is in force
until two people release it."""

import sqlite3

import pytest

from retention.catalogue.db import Priority
from retention.catalogue.log_check import verify_catalogue
from retention.cli import policy as policy_texts
from retention.cli.hold import texts
from retention.control.periods import policy_show
from retention.control.repair import schema_repair
from retention.holds.change import hold_extend
from retention.holds.release import hold_approve, hold_reject, hold_release
from retention.holds.views import hold_list, hold_show, releases_waiting
from retention.model import codec
from retention.model.errors import MismatchError, RetentionError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, Actor
from retention.tlog.lawful.laws import RELEASE
from tests.support.plant import PERIOD, T0, Plant
from tests.support.world import ACTOR

HELD = T0 - DAY
ANNA = Actor(uid=1001, login=1001, pid=1, role="operator", name="anna")
ADA = Actor(uid=1003, login=1003, pid=1, role="administrator", name="ada")
BEN = Actor(uid=1002, login=1002, pid=1, role="supervisor", name="ben")

ROW = f"""insert into hold (key, kind, reference, reason, requester, since, until, typed,
    margin, placed, placed_by, review) values
    (7, 'court', '', '', '', {HELD}, {HELD + DAY}, '', 0, {HELD}, 0, {T0 + DAY})"""

PARTS = {
    (ROW, "insert into hold_camera values (2, 7)"): (7, ["hold"], "all of it"),
    ("update hold set until = until + 1",): (1, ["window"], "its window"),
    ("update hold set since = since - 1",): (1, ["window"], "its window"),
    ("insert into hold_camera values (2, 1)",): (1, ["cameras"], "its cameras"),
    ("update hold set until = until + 1", "insert into hold_camera values (2, 1)"): (
        1, ["window", "cameras"], "its window and its cameras",
    ),
}  # fmt: skip


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.film(HELD)
    made.other = made.film(HELD, folder="1002")
    made.round(T0)
    with made.catalogue.write(Priority.HOLD, made.log.by(ACTOR, T0)) as tx:
        tx.exec_driver_sql("UPDATE policy SET days = 28")
        tx.append("policy.changed", version=1, days=28, cameras={})
    made.place("1001", HELD, HELD + HOUR)
    made.now = T0
    yield made
    made.close()


def alter(plant, *statements):
    with sqlite3.connect(plant.catalogue.path) as other:
        for statement in statements:
            assert other.execute(statement).rowcount != 0, statement
    other.close()


def by(plant, actor):
    return plant.asked(plant.settings(), by=actor)


def shown(plant, hold):
    """Of the list and of the hold itself: JSON and text."""
    listed, one = hold_list(by(plant, ANNA)), hold_show(by(plant, ANNA), hold=hold)
    rows = {row.hold: row for row in listed.holds}
    return (codec.to_json(rows[hold])["not_in_log"], texts.holds(listed, "UTC")), (
        codec.to_json(one)["not_in_log"], texts.hold(one, "UTC"),
    )  # fmt: skip


def unlawful(plant):
    """What breaks the law of releases, by the log alone."""
    found = verify_catalogue(plant.catalogue, deep=True).verdict.violations
    return [one.sentence for one in found if one.law is RELEASE]


def test_what_the_log_has_too_is_not_marked(plant):
    for data, text in shown(plant, 1):
        assert data == []
        assert "NOT IN THE LOG" not in text


LESS = {
    "update hold set until = until - 600000000": "hold 1 covers ",
    "update hold set since = since + 600000000": "hold 1 covers ",
    "delete from hold_camera where hold = 1": "hold 1 covers cameras less than the log",
    f"update hold set released = {T0}, free_at = {T0 + DAY}": "hold 1 ends before its",
}


@pytest.mark.parametrize("statement", LESS)
def test_what_a_row_says_less_than_the_log_is_marked(plant, statement):
    """Else an officer is told a window that is not what is in force."""
    alter(plant, statement)
    listed, one = hold_list(by(plant, ANNA)), hold_show(by(plant, ANNA), hold=1)
    for data, text in (
        (codec.to_json(listed)["holds"][0], texts.holds(listed, "UTC")),
        (codec.to_json(one), texts.hold(one, "UTC")),
    ):
        assert data["by_log_alone"][0].startswith(LESS[statement])
        assert f"THE LOG SAYS OTHERWISE: {LESS[statement]}" in text
        assert "nothing is deleted (guard mismatch)" in text


def test_a_release_that_nobody_asked_for_waits_for_nobody(plant):
    """Neither status nor the sums name it beside those that people asked for."""
    alter(
        plant,
        f"insert into release_request values (1, {T0}, 1001, 1001, 'anna', 'x', 1)",
    )
    with plant.catalogue.read() as tx:
        assert releases_waiting(by(plant, ANNA), tx) == []


@pytest.mark.parametrize("statements", PARTS)
def test_list_and_show_say_what_is_not_in_the_log(plant, statements):
    alter(plant, *statements)
    hold, parts, words = PARTS[statements]
    for data, text in shown(plant, hold):
        assert data == parts
        assert f"NOT IN THE LOG: {words}. Only the catalogue's rows" in " ".join(
            text.split()
        )
    assert "1 not in the log" in texts.holds(hold_list(by(plant, ANNA)), "UTC")


def test_a_cooling_off_that_is_longer_by_the_row_alone_is_marked(plant):
    plant.release(1, T0, T0 + DAY)
    alter(plant, f"update hold set free_at = {T0 + 9 * DAY}")
    assert [data for data, _ in shown(plant, 1)] == [["end"], ["end"]]
    plant.now = T0 + 2 * DAY
    assert [data for data, _ in shown(plant, 1)] == [["hold"], ["hold"]]


def test_a_hold_of_the_rows_alone_is_in_force_until_two_people_release_it(plant):
    alter(plant, ROW, "insert into hold_camera values (2, 7)")
    due = HELD + PERIOD + 2 * HOUR
    plant.round(due)
    assert plant.other.exists()
    hold_release(by(plant, ANNA), hold=7, reason="nobody knows it")
    plant.round(due + DAY)
    assert plant.other.exists()
    freed = hold_approve(by(plant, BEN), hold=7)
    assert freed.state == "cooling off"
    plant.round(due + 2 * DAY)
    assert plant.other.exists()
    plant.round(due + 9 * DAY)
    assert not plant.other.exists()
    asked, released = (
        plant.entries(f"hold.{kind}")[-1] for kind in ("release_requested", "released")
    )
    assert asked["unlogged"] is released["unlogged"] is True
    assert unlawful(plant) == []


def test_one_that_was_asked_for_and_rejected_and_extended_is_lawful_too(plant):
    alter(plant, ROW, "insert into hold_camera values (2, 7)")
    plant.now = T0 + 3 * HOUR
    hold_release(by(plant, ANNA), hold=7, reason="nobody knows it")
    hold_reject(by(plant, BEN), hold=7, reason="somebody does")
    hold_extend(by(plant, ANNA), hold=7, until=format_utc(T0 + DAY), reason="longer")
    assert [data for data, _ in shown(plant, 7)] == [["cameras"], ["cameras"]]
    hold_release(by(plant, ANNA), hold=7, reason="over")
    hold_approve(by(plant, BEN), hold=7)
    assert plant.entries("hold.released")[-1]["unlogged"] is None
    assert unlawful(plant) == []


@pytest.mark.parametrize("hold", [1, 7])
def test_a_request_that_only_the_rows_have_is_nobodys_to_decide(plant, hold):
    """Somebody wrote it into the catalogue; by the log nobody asked for it."""
    alter(
        plant, ROW, "insert into hold_camera values (2, 7)",
        f"insert into release_request values ({hold}, {T0}, 1001, 9, 'carl', 'x', 3)",
    )  # fmt: skip
    plant.now = T0 + 3 * HOUR
    for data, text in shown(plant, hold):
        assert data == ([] if hold == 1 else ["hold"])
        assert "The log knows of no such request" in " ".join(text.split())
        assert f"retention hold approve {hold}" not in text
    with pytest.raises(MismatchError, match="nobody asked for by the log"):
        hold_approve(by(plant, BEN), hold=hold)
    with pytest.raises(RetentionError, match="the log knows of no such request"):
        hold_reject(by(plant, BEN), hold=hold, reason="nobody asked")
    hold_extend(by(plant, ANNA), hold=hold, until=format_utc(T0 + DAY), reason="longer")
    assert not plant.entries("hold.release_rejected")
    for who in (ADA, BEN):
        schema_repair(by(plant, who), reason="somebody wrote into it")
    assert hold_show(by(plant, ANNA), hold=hold).state == "active"
    assert unlawful(plant) == []


def test_a_period_that_is_longer_by_the_row_alone_is_shown_and_kept(plant):
    alter(plant, """update policy set cameras = '{"1": 60}'""")
    answer = policy_show(by(plant, ANNA))
    assert codec.to_json(answer)["not_in_log"] == [
        {"camera": "1001", "days": 60, "logged_days": 28}
    ]
    assert "NOT IN THE LOG: camera 1001 is kept 60 days, the log says 28" in " ".join(
        policy_texts._shown(answer, "UTC").split()
    )
    plant.free(1)
    plant.round(HELD + PERIOD + 2 * HOUR)
    assert "nvr1/1001" in "".join(plant.there())
