"""The log explorer in a real Chromium, served over http: verdict, search, proofs, and
what is refused."""

import re

import pytest
from playwright.sync_api import expect

from retention import cli
from retention.publication import explorer
from retention.tlog import note
from retention.tlog.page import grouped
from tests.explorer.conftest import HOSTILE, Log
from tests.interop import outsider
from tests.support import browser as browsers
from tests.support import needs
from tests.support.audited import AT, HELD
from tests.support.publishing import NAME, OTHER_KEY, VERIFIER, head, public, publish
from tests.support.story import Story

pytestmark = needs.chromium


# -- the verdict -----------------------------------------------------------------------


def test_nothing_is_believed_before_she_gives_the_key(tab, served, real):
    tab.open(served(real))
    tab.says("where", "as far as it is needed")
    assert tab.page.inner_text("#verdict") == "Not checked yet."
    expect(tab.page.locator("#search-section")).to_be_hidden()
    assert not [url for url in tab.asked if "/explorer/" not in url]


def test_the_head_is_signed_with_her_key(tab, served, real):
    tab.open(served(real), real.key)
    size = outsider.open_head((real.directory / "checkpoint").read_bytes(), real.key)[1]
    said = tab.says("verdict", "SIGNED")
    assert f"It covers {size} entries, 0 to {size - 1}." in said
    assert note.fingerprint(real.key) in said
    tab.picture("verdict")


def test_the_fingerprint_on_paper_is_enough(tab, served, real):
    paper = note.fingerprint(real.key).upper().replace(" ", "-")
    tab.open(served(real), paper)
    tab.says("verdict", "SIGNED")


def test_a_log_with_another_key_than_on_paper_is_refused(tab, served, real):
    tab.open(served(real), "0123 4567 89ab cdef")
    said = tab.says("refused", "REFUSED")
    assert "another log, or another key" in said
    expect(tab.page.locator("#search-section")).to_be_hidden()


@pytest.mark.parametrize("key", [note.vkey(NAME, public(OTHER_KEY)), "other name"])
def test_a_log_that_another_key_signed_is_refused(tab, served, long, key):
    if key == "other name":
        key = note.vkey("another/log", VERIFIER.public)
    tab.open(served(long), key)
    assert "is not signed by" in tab.says("refused", "REFUSED")


def test_what_is_no_key_is_said_to_be_none(tab, served, long):
    tab.open(served(long))
    mistyped = VERIFIER.vkey.replace("AQOh", "AQOi")
    for key, why in (
        ("", "Give the log's key"), ("leicester", "no key"), (mistyped, "was mistyped"),
    ):  # fmt: skip
        tab.give(key)
        assert "NOT DONE" in tab.says("refused", why)


def test_a_key_can_be_dropped_on_the_page(tab, served, long):
    tab.open(served(long))
    dropped = tab.page.evaluate_handle(
        """(text) => {
          const all = new DataTransfer();
          all.items.add(new File([text], "key"));
          return all;
        }""",
        f"{long.key}\n",
    )
    tab.page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    tab.says("verdict", "SIGNED")


def test_every_entry_and_row_file_is_checked_when_she_asks_for_it(tab, served, long):
    tab.open(served(long), long.key)
    tab.page.click("#all-form button")
    files = len([p for p in (long.directory / "rows").rglob("*") if p.is_file()])
    said = f"CHECKED: all {long.size} entries and {files} row files"
    tab.says("verdict", said)


# -- an older head ---------------------------------------------------------------------


def test_an_older_head_of_any_size_is_consistent(tab, served, long, story):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    for size in (1, 255, 256, 257, 511, 512, 513, 700):
        tab.bring("head", head(story.entries, size))
        tab.says("older-found", f"exactly the {size:,} entr")


def test_a_head_from_a_mail_and_one_from_paper_are_read(tab, served, long, story):
    signed = head(story.entries, 300)
    root = note.unverified(signed).root
    mail = "Dear Ann,\r\n> " + signed.decode().replace("\n", "\r\n> ") + "\r\nBen"
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.bring("mail.eml", mail).says("older-found", "300 entries")
    tab.page.fill("#older", f"300 {' '.join(grouped(root))}")
    tab.page.click("#older-form button")
    expect(tab.page.locator("#older-found li.good")).to_have_count(2)


def test_a_log_that_was_written_anew_does_not_extend_the_older_head(tab, served, long):
    other = Story()
    while other.size < 300:
        other.beat(8)
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.bring("kept", head(other.entries))
    tab.says("older-found", "NOT CONSISTENT")
    assert "does not extend the older head" in tab.says("refused", "REFUSED")
    tab.says("verdict", "NOT PROVEN")
    tab.picture("not-consistent")


def test_a_log_that_was_cut_does_not_extend_the_older_head(tab, served, long, story):
    longer = [*story.entries, *story.entries[:1]]
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.bring("kept", head(longer))
    assert "rolled back or cut" in tab.says("older-found", "NOT CONSISTENT")


def test_somebody_else_s_head_says_nothing_of_the_log(tab, served, long, story):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.bring("kept", head(story.entries, 300, key=OTHER_KEY))
    tab.says("refused", "can't be compared")
    tab.says("verdict", "SIGNED")


# -- search ----------------------------------------------------------------------------


def test_what_became_of_an_hour_of_a_camera(tab, served, real):
    tab.open(served(real), real.key).says("verdict", "SIGNED")
    said = tab.about("1101", AT[:10], 12)
    assert len(re.findall(r"5 min: deleted \(entry \d+\)", said)) == 3
    assert "No hold covers it." in said
    tab.picture("camera-and-hour")


def test_an_hour_under_a_hold_shows_the_hold(tab, served, real):
    tab.open(served(real), real.key).says("verdict", "SIGNED")
    said = tab.about("1101", HELD[:10], 12)
    assert "Holds that cover some of it: 1." in said
    assert "No entry speaks of a recording in that hour." in said
    assert "hold.placed" in said


def test_a_camera_that_nobody_has_is_said_to_be_none(tab, served, real):
    tab.open(served(real), real.key).says("verdict", "SIGNED")
    tab.page.fill("#camera", "9999")
    tab.page.fill("#camera-day", AT[:10])
    tab.page.click("#camera-form button")
    tab.says("refused", "No entry gives a camera the id 9999.")


def test_both_ids_of_a_renumbered_camera_find_its_footage(tab, served, long, story):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    start = "2025-09-15"
    assert "rescued" in tab.about("1001", start, 11)
    assert "rescued" in tab.about("2001", start, 11)


def test_the_life_of_a_hold(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.page.fill("#hold", "2")
    tab.page.click("#hold-form button")
    tab.says("found-title", "Hold 2: its life")
    kinds = tab.page.locator("#found tbody td:nth-child(3)").all_inner_texts()
    assert kinds == ["hold.placed", "hold.release_requested", "hold.released"]


def test_all_holds_are_listed_where_none_is_named(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.page.click("#hold-form button")
    tab.says("found-text", "4 entries found.")


def test_a_kind_on_a_day_is_found_by_reading_little(tab, served, long, story):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.page.select_option("#zone", "UTC")
    tab.page.select_option("#kind", "hold.")
    tab.page.fill("#kind-day", "2025-10-14")
    tab.page.click("#kind-form button")
    tab.says("found-title", "hold.*, written on 2025-10-14")
    said = tab.says("found-text", "3 entries found.")
    assert "Read: 256 entries" in said or "Read: 512 entries" in said


def test_a_list_is_shown_page_by_page(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.page.select_option("#kind", "deletion.intended")
    tab.page.click("#kind-form button")
    tab.says("found-text", "240 entries found.")
    expect(tab.page.locator("#found tbody tr")).to_have_count(100)
    tab.page.click("text=100 after")
    tab.page.click("text=100 after")
    expect(tab.page.locator("#found tbody tr")).to_have_count(40)


# -- proofs ----------------------------------------------------------------------------


def test_an_entry_is_shown_with_its_proof(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.show(300)
    said = tab.says("entry", "PROVEN")
    assert re.search(
        r"PROVEN: \d+ hashes lead from this entry to the signed head", said
    )
    tab.picture("entry")


def test_each_entry_leads_to_the_head(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    for number in (0, 255, 256, 511, 699):
        tab.show(number)
        tab.says("entry", "PROVEN")


def test_what_somebody_wrote_into_the_log_is_text_on_the_page(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.show(5)
    tab.says("entry", HOSTILE)
    assert tab.page.locator("#entry img").count() == 0


def test_a_row_is_shown_with_its_proof_which_others_check(
    tab, served, real, tmp_path, capsys
):
    tab.open(served(real), real.key).says("verdict", "SIGNED")
    tab.about("1101", AT[:10], 12)
    tab.page.click("#found tbody button")
    tab.says("entry", "PROVEN: all")
    tab.page.get_by_role("button", name="Proof of row 0", exact=True).click()
    tab.says("entry", "PROVEN: row 0 leads by")
    tab.picture("row")
    with tab.page.expect_download() as saved:
        tab.page.get_by_role("button", name="Save the proof of row 0").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    kinds = outsider.kinds_of((real.directory / "FORMAT.md").read_text())
    shown = outsider.verify_proof(file.read_text(), real.key, kinds)
    assert (shown["id"], shown["outcome"]) == ("1101", "deleted")
    assert cli.run(["audit", "verify", str(file), "--key", real.key]) == 0
    assert "Proven: the recording of camera 1101" in capsys.readouterr().out


def test_the_proof_of_an_entry_can_be_handed_on(tab, served, long, tmp_path, capsys):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    tab.show(300)
    with tab.page.expect_download() as saved:
        tab.page.get_by_role("button", name="Save the proof").click()
    saved.value.save_as(tmp_path / "300.tlog-proof")
    words = ["audit", "verify", str(tmp_path / "300.tlog-proof"), "--key", long.key]
    assert cli.run(words) == 0


# -- what is refused -------------------------------------------------------------------


def flip(path, at=-40):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_changed_head_is_refused(tab, served, long, tmp_path):
    log = long.copy(tmp_path / "log")
    flip(log.directory / "checkpoint", len(NAME) + 1)
    tab.open(served(log), log.key)
    assert "The signature of the head is wrong" in tab.says("refused", "REFUSED")
    tab.says("verdict", "NOT PROVEN")


@pytest.mark.parametrize("path", ["tile/0/002.p/188", "tile/1/000.p/2"])
def test_a_changed_tile_at_the_edge_is_refused(tab, served, long, tmp_path, path):
    log = long.copy(tmp_path / "log")
    flip(log.directory / path)
    tab.open(served(log), log.key)
    assert "do not lead to the signed root" in tab.says("refused", "REFUSED")


def test_a_changed_tile_is_refused(tab, served, long, tmp_path):
    log = long.copy(tmp_path / "log")
    flip(log.directory / "tile/0/001")
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.page.fill("#number", "300")
    tab.page.click("#number-form button")
    assert "The tile tile/0/001 was changed" in tab.says("refused", "REFUSED")
    tab.says("verdict", "NOT PROVEN")
    expect(tab.page.locator("#entry-section")).to_be_hidden()


def test_a_changed_bundle_is_refused(tab, served, long, tmp_path):
    log = long.copy(tmp_path / "log")
    data = (log.directory / "tile/entries/001").read_bytes()
    changed = data.replace(b'"rescued":1', b'"rescued":0', 1)
    assert changed != data
    (log.directory / "tile/entries/001").write_bytes(changed)
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.page.click("#hold-form button")
    said = tab.says("refused", "REFUSED")
    assert re.search(r"Entry \d+ \(in tile/entries/001\) was changed", said)
    assert tab.page.inner_text("#found") == ""
    tab.idle().picture("changed-bundle")


def test_a_changed_row_file_is_refused(tab, served, real, tmp_path):
    log = real.copy(tmp_path / "log")
    for path in (log.directory / "rows").rglob("*"):
        if path.is_file():
            flip(path, -1)
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.page.fill("#camera", "1101")
    tab.page.fill("#camera-day", AT[:10])
    tab.page.select_option("#camera-hour", "12")
    tab.page.click("#camera-form button")
    said = tab.says("refused", "REFUSED")
    assert re.search(r"row file rows/\d+ of entry \d+ was changed", said)
    assert tab.page.inner_text("#found") == ""


def test_checking_everything_finds_a_changed_row_file(tab, served, long, tmp_path):
    log = long.copy(tmp_path / "log")
    flip(
        sorted(one for one in (log.directory / "rows").rglob("*") if one.is_file())[30]
    )
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.page.click("#all-form button")
    tab.says("refused", "REFUSED")
    assert "CHECKED" not in tab.page.inner_text("#verdict")


def test_a_row_file_that_aged_out_is_not_called_changed(tab, served, long, tmp_path):
    log = long.copy(tmp_path / "log")
    (log.directory / "rows/007").unlink()
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.show(7)
    tab.says("refused", "NOT HERE: The row file rows/007 is not here")
    tab.says("verdict", "SIGNED")
    assert [one for one in tab.told if "404" in one]
    tab.told.clear()


def test_a_log_that_grew_since_its_head_was_read_is_read_to_the_head(
    tab, served, long, tmp_path
):
    """The partial files are gone once the full ones are there."""
    log = long.copy(tmp_path / "log")
    for level in ("entries", "0"):
        part = log.directory / f"tile/{level}/002.p/188"
        more = bytes(32 * 68) if level == "0" else b"\0\1x" * 68
        (log.directory / f"tile/{level}/002").write_bytes(part.read_bytes() + more)
        part.unlink()
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.show(699)
    tab.says("entry", "PROVEN")
    tab.told.clear()


# -- for everybody ---------------------------------------------------------------------


def test_the_pages_ask_for_nothing_elsewhere(tab, served, real):
    address = served(real)
    tab.open(address, real.key).says("verdict", "SIGNED")
    tab.about("1101", AT[:10], 12)
    assert {url for url in tab.asked if not url.startswith(address)} == set()


def test_nothing_that_the_policy_forbids_is_in_the_pages(tab, served, real):
    tab.open(served(real))
    content = tab.page.get_attribute("meta[http-equiv]", "content")
    assert content == explorer.POLICY
    text = explorer.pages()["index.html"].decode()
    assert not re.search(r"\sstyle=|\son\w+=|<script>|<style|https?://", text)
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', text)) < set(explorer.pages())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(tab, served, long, scheme):
    tab.page.emulate_media(color_scheme=scheme)
    tab.open(served(long))
    assert tab.violations() == []
    tab.give(long.key).says("verdict", "SIGNED")
    tab.bring("kept", (long.directory / "checkpoint").read_bytes())
    tab.says("older-found", "CONSISTENT")
    tab.page.select_option("#kind", "deletion.intended")
    tab.page.click("#kind-form button")
    tab.says("found-text", "240 entries found.")
    tab.show(7)
    tab.page.get_by_role("button", name="Proof of row 1", exact=True).click()
    tab.says("entry", "PROVEN: row 1")
    tab.page.fill("#number", "99999")
    tab.page.evaluate("showEntry(99999)")
    tab.says("refused", "There is no entry 99999")
    assert tab.violations() == []
    tab.picture(f"all-{scheme}")


def test_everything_is_done_with_the_keyboard_alone(tab, served, long):
    tab.open(served(long))
    press, focused = tab.page.keyboard.press, tab.page.locator(":focus")

    def go_to(name):
        for _ in range(60):
            if focused.count() and focused.get_attribute("id") == name:
                return
            press("Tab")
        raise AssertionError(f"no way to {name}")

    press("Tab")
    expect(focused).to_have_text("To the log")
    go_to("key")
    tab.page.keyboard.type(long.key)
    press("Enter")
    tab.says("verdict", "SIGNED")
    go_to("hold")
    tab.page.keyboard.type("2")
    press("Enter")
    tab.says("found-title", "Hold 2: its life")
    expect(focused).to_have_id("found-title")
    for _ in range(5):
        press("Tab")
        if "Show entry" in (focused.get_attribute("aria-label") or ""):
            break
    press("Enter")
    tab.says("entry", "PROVEN")
    expect(focused).to_have_id("entry-title")


# -- what came back under no head ------------------------------------------------------


@pytest.fixture
def restored(tmp_path):
    """A log in which a deletion came back after a restore: anybody may have written it."""
    story = Story()
    story.add(
        "camera.added", camera=1, id="1001", kind="public_space", custody="council",
        source="list",
    )  # fmt: skip
    row = story.row()
    batch = story.intend(row)
    first = story.size
    story.complete(batch, (row,), {})
    story.add(
        "catalogue.restored", old_size=first, size=first + 1, holds=0, recordings=0
    )
    directory = publish(tmp_path / "restored", story.entries)
    explorer.write(directory)
    return Log(directory, VERIFIER.vkey, story.size), batch, row


def test_what_came_back_unsigned_is_marked_and_completes_nothing(
    tab, served, restored, tmp_path, capsys
):
    log, batch, _ = restored
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    assert "1 min: open" in tab.about("1001", "2025-09-15", 11)
    tab.page.select_option("#kind", "recordings.deleted")
    tab.page.click("#kind-form button")
    tab.says("found", "recordings.deleted (came back unsigned)")
    tab.show(batch + 1)
    assert "It has no effect." in tab.says("entry", "CAME BACK UNSIGNED")
    assert tab.violations() == []
    tab.picture("came-back")
    with tab.page.expect_download() as saved:
        tab.page.get_by_role("button", name="Save the proof").click()
    saved.value.save_as(tmp_path / "one.tlog-proof")
    words = ["audit", "verify", str(tmp_path / "one.tlog-proof"), "--key", log.key]
    cli.run(words)
    assert "CAME BACK UNSIGNED" in capsys.readouterr().out


def test_in_a_large_log_it_is_said_that_this_was_not_looked_at(tab, served, restored):
    log, batch, _ = restored
    tab.page.route(
        "**/main.js",
        lambda route: route.fulfill(
            body=explorer.pages()["main.js"].replace(b"SMALL = 20000", b"SMALL = 1"),
            content_type="text/javascript",
        ),
    )
    tab.open(served(log), log.key).says("verdict", "SIGNED")
    tab.show(batch + 1)
    tab.says("entry", "Not looked at yet")
    tab.page.click("text=Read the whole log")
    tab.says("entry", "CAME BACK UNSIGNED")


def test_on_a_page_that_came_unsafely_it_is_said_what_to_do(tab, served, long):
    """Browsers have no cryptography there."""
    tab.open(served(long).replace("127.0.0.1", browsers.UNSAFE), long.key)
    tab.says("refused", "NOT DONE: This browser checks signatures only on pages")


def test_what_takes_long_can_be_stopped(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    held = []
    tab.page.route(
        "**/rows/**", lambda one: held.append(one)
    )  # a server that does not answer
    tab.page.click("#all-form button")
    tab.says("doing-text", "Checking every entry")
    tab.page.click("#stop")
    tab.says("refused", "NOT DONE: Stopped.")
    tab.idle()
    assert "CHECKED" not in tab.page.inner_text("#verdict")
    tab.says("verdict", "SIGNED")
    for route in held:
        route.continue_()


def test_who_asks_anew_sees_the_answer_to_that(tab, served, long):
    tab.open(served(long), long.key).says("verdict", "SIGNED")
    held = []
    tab.page.route("**/rows/007", lambda one: held.append(one))
    tab.page.fill("#number", "7")
    tab.page.click("#number-form button")
    tab.says("entry-title", "Entry 7:")
    tab.show(4)
    for route in held:
        route.continue_()
    tab.idle()
    assert "PROVEN: all" not in tab.page.inner_text("#entry")
