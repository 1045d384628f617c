"""`report foi`: the founding question, answered from a log whose truth is known."""

import pytest

from retention.model.errors import VerificationError, WithheldError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, SECOND
from retention.publication.copy import PublicCopy
from retention.reports import foi
from retention.reports.forms.markdown import markdown_of
from tests.support.reported import table


def answers(report):
    return {
        row["question"]: (row["answer"], row["check"])
        for row in table(report, "answers")
    }


def leicester(site):
    """Two street cameras and eight for number plates, watched all the time."""
    site.add(
        "site.described", controller="leicester", monitored_hours="24/7",
        published_list="https://data.example/cctv", published_list_day="2026-06-01",
    )  # fmt: skip
    for key in range(3, 11):
        site.add(
            "camera.added", camera=key, id=f"A{key}", kind="anpr", custody="police",
            source="test", location="Ring Road",
        )  # fmt: skip
    return site


def test_the_founding_answer_is_one_command(site, reported):
    leicester(site)
    site.recorded(site.row(age=HOUR, length=HOUR))
    site.delete(site.row(), site.row(2))
    report = reported(site).both("foi")
    said = answers(report)
    assert said["How many public-space cameras are there?"] == (
        "2", "anyone can recompute",
    )  # fmt: skip
    anpr = said["How many ANPR cameras are there?"]
    assert anpr == ("8", "an auditor can")  # their places are on record
    assert "365 days in" in said["When do people watch them?"][0]
    assert "24 hours a day (24/7)" in said["When do people watch them?"][0]
    kept = said["How long is footage kept?"]
    assert kept == ("28 days from the end of each recording", "anyone can recompute")
    assert said["Whose data is not the council's?"][0] == "police: 8"
    theirs = said["Does the council hold any of it?"]
    assert theirs == ("no file of theirs was seen here", "an auditor can")
    assert said["Where is the list of cameras published?"][0] == (
        "https://data.example/cctv, as of 2026-06-01"
    )
    assert said["How much was deleted?"][0].startswith("2 recordings, 2 min of footage")
    assert said["Was any deleted before its time?"][0] == "none"


def test_where_number_plate_cameras_stand_is_told_only_if_it_is_published(
    site, reported
):
    leicester(site)
    report = reported(site).both("foi")
    rows = [tuple(row.values()) for row in table(report, "locations")]
    assert rows == [
        ("High Street", 1, 0), ("Market Place", 1, 0), ("not published", 0, 8),
    ]  # fmt: skip
    assert "Ring Road" not in str(report)


def test_footage_of_the_polices_cameras_is_not_kept_quiet(site, reported):
    leicester(site)
    site.add("alarm.raised", alarm="custody", scope="A3", detail="1 file", cameras=[3])
    said = answers(reported(site).both("foi"))
    assert (
        said["Does the council hold any of it?"][0]
        == "FILES OF THEIRS WERE SEEN HERE (A3)"
    )


def test_what_was_recorded_is_a_number(site, reported):
    site.now += 3 * DAY
    half = site.row(age=DAY, length=12 * HOUR)
    site.recorded(half)
    day = format_utc(half[2])[:10]
    said = answers(reported(site).both("foi", on=day))
    recorded = said["When do the council's cameras record?"]
    assert recorded[1] == "an auditor can"
    assert recorded[0] == (
        "1 of 1 days; 25.00% of all hours of 2 cameras; once a camera was without any "
        "for a whole day, whatever the reason"
    )
    assert said[STOPPED] == ("never", "an auditor can")


STOPPED = (
    "How often did the alarm sound that a camera had recorded without a gap, and then no "
    "more?"
)


def test_one_councils_answer_counts_the_alarms_of_its_cameras_alone(site, reported):
    """Camera 1002 is Oadby's; so is a police camera of which there are files."""
    site.add(
        "camera.added", camera=3, id="A3", kind="anpr", custody="police", source="test",
        location="Ring Road", controller="oadby",
    )  # fmt: skip
    site.add(
        "camera.added", camera=4, id="A4", kind="anpr", custody="police", source="test",
        location="Ring Road",
    )  # fmt: skip
    for name, scope, keys in (
        ("silent", "nvr1", [1]), ("silent", "nvr2", [1, 2]), ("custody", "nvr1/A3", [3]),
    ):  # fmt: skip
        site.add("alarm.raised", alarm=name, scope=scope, detail="d", cameras=keys)
    log = reported(site)
    here = "Does the council hold any of it?"
    for whose, times, seen in (
        (None, "2 times", "FILES OF THEIRS WERE SEEN HERE"),
        ("oadby", "once", "FILES OF THEIRS WERE SEEN HERE"),
        ("leicester", "2 times", "no file of theirs was seen here"),
    ):
        said = answers(log.both("foi", controller=whose))
        assert said[STOPPED][0] == times, whose
        assert said[here][0].startswith(seen), whose


def test_holds_are_counted_by_who_asks_and_small_numbers_suppressed(site, reported):
    for hold in (1, 2):
        site.place(site.now - DAY, site.now, hold=hold)
    site.release(site.ask(2), 2)
    site.now += 9 * DAY
    site.add("hold.cooled", hold=2)
    log = reported(site)
    assert table(log.both("foi"), "holds") == [
        {"kind": "court", "placed": 2, "released": 1, "standing": 1}
    ]
    few = "fewer than 5"
    assert table(log.both("foi", suppress=True), "holds") == [
        {"kind": "court", "placed": few, "released": few, "standing": few}
    ]


def test_as_markdown_nothing_of_a_name_is_mark_up(site, reported):
    site.add(
        "camera.added", camera=3, id="3", kind="public_space", custody="council",
        source="test", location="a | b <script> *c*",
    )  # fmt: skip
    site.now += SECOND
    text = markdown_of(reported(site).both("foi"))
    assert r"a \| b \<script\> \*c\*" in text
    assert text.startswith("# CCTV: what is asked under the Freedom of Information Act")
    assert "| 28 days from the end of each recording | anyone can recompute |" in text


@pytest.mark.parametrize("place", [None, "Ring Road"])
@pytest.mark.parametrize("kind", ["anpr", "public_space"])
@pytest.mark.parametrize("published", [None, "number", "full", "no"])
def test_what_anyone_can_recompute_comes_out_the_same_of_a_public_copy(
    site, reported, kind, place, published
):
    """And nothing else is said to: not the number of cameras that are withheld."""
    for key in range(3, 11):
        site.add(
            "camera.added", camera=key, id=f"A{key}", kind=kind, source="test",
            custody="police" if kind == "anpr" else "council", location=place,
            published=published,
        )  # fmt: skip
    site.add(
        "site.described", controller="leicester", monitored_hours="24/7",
        published_list="https://data.example/cctv", published_list_day="2026-06-01",
    )  # fmt: skip
    site.recorded(site.row(age=HOUR, length=HOUR))
    site.delete(site.row(), site.row(2))
    log = reported(site)
    public = log.directory / "public"
    PublicCopy(log.copy, public).to_head(lambda done, size: None)
    truth, found = answers(log.both("foi")), answers(log.copied("foi", public))
    said = {what: one for what, one in truth.items() if one[1] == foi.ANYONE}
    assert len(said) >= 4
    assert said.items() <= found.items()
    others = {what for what in found if found[what] != truth[what]}
    assert not others or published in (None, "no", "number")
    assert {check for _, check in found.values()} == {foi.ANYONE}


def test_a_public_copy_counts_the_cameras_that_are_published_and_says_so(
    site, reported
):
    leicester(site)
    site.delete(site.row())
    log = reported(site)
    public = log.directory / "public"
    PublicCopy(log.copy, public).to_head(lambda done, size: None)
    report = log.copied("foi", public)
    assert [one.name for one in report.tables] == ["answers", "locations"]
    assert "How many ANPR cameras are there?" not in answers(report)
    assert any("those that are not published" in note for note in report.notes)
    assert any("number alone" in note for note in report.notes)
    with pytest.raises(WithheldError, match="public copy"):
        log.copied("deletions", public)
    file = next((public / "public").rglob("*.p/*"))
    data = file.read_bytes()
    file.write_bytes(data.replace(b"public_space", b"public_place"))
    with pytest.raises(VerificationError, match="other entries than its head signs"):
        log.copied("foi", public)
