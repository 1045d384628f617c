"""What a hold says of real files, as a tired person is told it: nothing that is there is
said to come, nothing that is gone goes unsaid."""

import click

from retention.cli.hold.answers import placed as told_of
from retention.model import codec
from retention.model.answers.hold import HoldPlaced
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from tests.support.plant import T0


def told(answer):
    return click.unstyle(told_of(codec.from_json(HoldPlaced, answer), "Europe/London"))


def test_what_vanished_is_told_beside_what_came_late_and_says_it_is_of_that_time(
    watched,
):
    """The police hear of both: the file that is lost, and that another one may be it."""
    gone = watched.film(T0 - 3 * HOUR, 10 * MINUTE)
    watched.round(T0)
    gone.unlink()
    watched.settle(gone.parent)
    watched.round(T0 + MINUTE)
    watched.film(T0 - 3 * HOUR + SECOND, 9 * MINUTE)
    watched.round(T0 + 2 * MINUTE)
    answer = watched.place("1001", T0 - 3 * HOUR, T0 - 3 * HOUR + 10 * MINUTE)
    (line,) = answer["cameras"]
    assert line["protected"]["in_doubt"] == 1
    (lost,) = line["lost"]
    assert lost["since"] == format_utc(T0 - 3 * HOUR)
    assert lost["until"] == format_utc(T0 - 3 * HOUR + 10 * MINUTE)
    said = told(answer)
    assert "NONE of it for certain: 1 recording, 10 B protected" in said
    assert "Lost: it vanished, and not by this program:" in said
    assert "Kept, but its times are in doubt" in said
    assert "Not there yet" not in said


def test_a_file_that_is_written_on_for_days_is_being_written_and_not_unknown(watched):
    start = T0 - 3 * DAY
    file = watched.film(start, HOUR)
    for seconds in range(0, 120, 20):
        now = T0 + seconds * SECOND
        watched.touch(file, now)
        watched.round(now)
    assert watched.rows() == []
    (line,) = watched.place("1001", start, start + HOUR)["cameras"]
    assert [one["why"] for one in line["pending"]] == ["being written"]
    assert (line["not_known"], line["no_recording_seen"]) == ([], [])
    (before,) = watched.place("1001", start - HOUR, start)["cameras"]
    assert before["pending"] == []
