"""`retention audit`, as typed."""

import sqlite3

import pytest

from retention.catalogue import db

ENTRY_KEYS = {
    "number", "kind", "at", "site", "host", "program", "policy", "actor", "fields",
    "row_count", "withheld", "subject", "signed", "came_back",
}  # fmt: skip


@pytest.fixture
def busy(site):
    site.ok("camera", "add", "1101", "--location", "Market Place")
    site.ok("camera", "add", "1102", "--location", "High Street")
    return site


def _last(site):
    return site.json("audit", "list", "--limit", "1")["entries"][0]["number"]


def test_the_list_is_newest_first_and_names_who(busy):
    lines = busy.ok("audit", "list").splitlines()
    assert lines[0].split() == ["entry", "time", "kind", "by", "what"]
    assert lines[1].split()[0] == str(_last(busy))
    assert "camera.added" in lines[1]
    assert "id 1102" in lines[1]
    assert "log.opened" in lines[-1]


def test_a_list_that_was_cut_says_how_to_go_on(busy):
    last = _last(busy)
    text = busy.ok("audit", "list", "--limit", "1")
    assert text.endswith(f"add --before {last}\n")
    (one,) = busy.json("audit", "list", "--limit", "1", "--before", str(last))[
        "entries"
    ]
    assert one["number"] == last - 1


def test_words_of_a_person_that_look_like_a_time_break_no_list(busy):
    words = "2026-99-99T99:99:99Z"
    placed = busy.run(
        "hold", "place", "1101", "--from", "2026-10-24 21:00", "--to",
        "2026-10-24 21:30", "--kind", "court", "--reference", words, "--reason", words,
    )  # fmt: skip
    assert placed.status == 7  # there is no footage
    shown = ("show", str(_last(busy)))
    for asked in (("list",), ("list", "--subject", "hold:1"), shown):
        assert words in busy.ok("audit", *asked)


def test_nothing_found_is_said(busy):
    assert busy.ok("audit", "list", "--kind", "hold.placed") == (
        "No entry of the audit log is about that.\n"
    )


def test_json_of_entries_keeps_its_shape(busy):
    answer = busy.json("audit", "list")
    assert set(answer) == {"entries", "before"}
    assert all(set(one) == ENTRY_KEYS for one in answer["entries"][:2])
    assert set(busy.json("audit", "show", str(_last(busy)))) == ENTRY_KEYS


def test_one_entry_shows_when_who_and_what(busy):
    text = busy.ok("audit", "show", str(_last(busy)))
    assert "camera.added" in text
    assert "login" in text
    assert "administrator" in text


def test_an_entry_that_does_not_exist_is_one_sentence(busy):
    done = busy.run("audit", "show", "99")
    assert done.status == 1
    assert "there is no entry 99" in done.err


def test_an_intact_log_verifies(busy):
    text = busy.ok("audit", "verify", "--deep")
    assert text.startswith(
        f"The audit log is intact to entry {_last(busy)} and lawful;"
    )
    assert "\nLawful to entry " in text
    assert busy.json("audit", "verify")["ok"] is True


def test_with_sums_it_says_how_many_rows_were_read_and_where(busy):
    with busy.running():
        busy.ok("audit", "publish")
        text = busy.ok("audit", "verify", "--sums")
    assert "rows checked          0, in the published copy" in text


def test_json_of_the_verification_keeps_its_shape(busy):
    assert set(busy.json("audit", "verify")) == {
        "ok", "entries", "intact", "root", "deep", "rows", "withheld", "open_intents",
        "fault", "published", "summary", "lawful", "law", "mismatches", "unlogged",
        "stands",
    }  # fmt: skip


def test_a_changed_entry_fails_the_verification_with_status_5(busy):
    last = _last(busy)
    with sqlite3.connect(busy.state / db.NAME) as raw:
        raw.execute("DROP TRIGGER entry_update")
        raw.execute(
            "UPDATE entry SET bytes = CAST(replace(bytes, '1102', '1109') AS BLOB) "
            "WHERE number = ?",
            (last,),
        )
    raw.close()
    done = busy.run("audit", "verify")
    assert done.status == 5
    assert done.out.startswith(f"The audit log is NOT what was written: entry {last} ")


def test_wrong_times_are_wrong_usage(busy):
    done = busy.run("audit", "list", "--from", "25/10/2026 01:30")
    assert done.status == 2
    assert "twice in Europe/London" in done.err
