"""A copy for the public: it verifies, and nothing in it tells of a hold."""

import json
import os
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from retention.catalogue import log
from retention.catalogue.db import Priority
from retention.control import in_force
from retention.holds.place import hold_place
from retention.holds.release import hold_release, note_cooled
from retention.model.errors import PublicationError, VerificationError
from retention.model.localtime import format_local, format_utc
from retention.model.values import Rows
from retention.publication.copy import Copy, PublicCopy
from retention.register.register import camera_renumber
from retention.reports.published_copy import PublishedCopy
from retention.service.housekeeping import beat
from retention.tlog import format, tiles
from retention.tlog.canonical import decode
from retention.tlog.declare import Public
from retention.tlog.directory import Published
from retention.tlog.kinds import KINDS
from retention.tlog.public import PublicPart, can_be_guessed
from retention.tlog.tiles import WIDTH, Tile
from retention.tlog.unsigned import Stretch
from retention.tlog.verify.published import verify_directory
from tests.interop import outsider
from tests.support import publishing
from tests.support.bookkeeping import ACTOR, DAY, HOUR, MINUTE, NOW, SECOND, Bookkeeper
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.logs import ANNA, cooled, released
from tests.support.press import Press, heartbeat, intent, rows

OLD = NOW // DAY * DAY - 40 * DAY + 6 * HOUR
HELD = OLD + 20 * MINUTE
WORDS = ("RX 4711", "a fight at the station", "DC Smith")


@pytest.fixture(scope="module", autouse=True)
def entries_alone():
    """These sites have entries that no row of the catalogue stands for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_force, "refuse_less", lambda *_: None)
        yield


def nothing(done: int, size: int) -> None:
    """Nobody is told."""


def public_copy(source: Path, target: Path) -> Path:
    PublicCopy(source, target).to_head(nothing)
    return target


def verified(directory: Path, depth: str = "deep"):
    report = verify_directory(directory, publishing.VERIFIER, depth=depth)
    assert report.ok, report.faults
    assert report.strangers == []
    return report


def entries_of(directory: Path) -> list[bytes]:
    """What a reader of the format finds, withheld ones empty."""
    size = int((directory / "checkpoint").read_text().splitlines()[1])
    there, found = Published(directory), []
    for number in range(-(-size // WIDTH)):
        tile = Tile("entries", number, min(size - number * WIDTH, WIDTH))
        found += tiles.unbundled(there.tile(tile), tile.width)
    return found


def files_of(directory: Path) -> dict[str, Path]:
    return {
        str(p.relative_to(directory)): p for p in directory.rglob("*") if p.is_file()
    }


# -- two sites that differ in a hold ----------------------------------------------------


def live(directory: Path, *, held: bool) -> Bookkeeper:
    """Some weeks of a site: with a hold on camera a, or without."""
    keeper = Bookkeeper(directory)
    keeper.site.by_hand = True
    alone = {"release_requires_two_people": False}
    retention = keeper.settings.retention.model_copy(update=alone)
    keeper.settings = keeper.settings.model_copy(update={"retention": retention})
    for camera in "ab":
        for minute in range(40):
            keeper.write(camera, OLD + minute * MINUTE)
    keeper.scan()
    keeper.roll_up()
    if held:
        hold_place(
            by_anna(keeper), cameras=["a"], since=format_utc(HELD),
            until=format_utc(HELD + 3 * MINUTE), kind="police", margin="0",
            reference=WORDS[0], reason=WORDS[1], officer=WORDS[2], force="GMP",
        )  # fmt: skip
    keeper.cycle()
    keeper.remove(keeper.path("a", HELD))
    keeper.scan()
    administrator = replace(ACTOR, uid=1009, role="administrator")
    camera_renumber(replace(keeper.context(), actor=administrator), old="a", new="a2")
    written(keeper, Dated("policy.changed", keeper.now, ACTOR, *periods(2)))
    if held:
        hold_release(by_anna(keeper), hold=1, reason="over")
    for _ in range(9):
        keeper.now += DAY
        note_cooled(keeper.site.catalogue, keeper.site.log.by(ACTOR, keeper.now))
        keeper.cycle()
        hourly(keeper)
    assert not list((directory / "footage").rglob("*.mp4"))
    return keeper


def by_anna(keeper: Bookkeeper):
    return replace(keeper.context(), actor=ANNA)


def periods(version: int):
    return (
        {"version": version, "days": 28, "cameras": None},
        Rows(("camera", "days", "old_days"), [(1, 31, None), (2, None, 30)]),
    )


def written(keeper: Bookkeeper, entry: Dated) -> None:
    with keeper.site.catalogue.write(Priority.HOLD) as tx:
        append_dated(keeper.site.log, tx, entry)


def hourly(keeper: Bookkeeper) -> None:
    counts = dict.fromkeys(("recordings", "overdue", "held_cameras", "holds"), 0)
    fields = {**counts, "wall": keeper.now, "boottime": 1}
    author = keeper.site.log.by(ACTOR, keeper.now)
    with keeper.site.catalogue.write(Priority.SCAN, author) as tx:
        beat(tx, fields)


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """By whether there was a hold: all entries of the site, and its public copy."""
    found = {}
    for held in (False, True):
        directory = tmp_path_factory.mktemp("site")
        keeper = live(directory / "site", held=held)
        whole = keeper.publish(directory / "log")
        with keeper.site.catalogue.read() as tx:
            entries = log.stored(tx, 0, log.size(tx))
        keeper.close()
        began = time.time_ns()
        found[held] = entries, public_copy(whole, directory / "public"), began
    return found


def test_the_story_has_all_that_could_tell(sites):
    kinds = [decode(one.data)["kind"] for one in sites[True][0]]
    for kind in (
        "hold.placed", "hold.released", "hold.cooled", "deletion.intended",
        "recordings.lost", "camera.under_hold", "alarm.raised", "heartbeat",
    ):  # fmt: skip
        assert kind in kinds
    late = [decode(one.data) for one in sites[True][0]]
    lateness = [
        one["fields"]["lateness"] for one in late if one["kind"] == "recordings.deleted"
    ]
    assert max(lateness) > 7 * DAY


def said(directory: Path) -> list[tuple[str, int, str]]:
    """What the public entries of a copy say, without their places in the log, and where
    the footage of the test lies."""
    found = [decode(one) for one in entries_of(directory) if one]
    here = str(directory.parent)
    return [
        (one["kind"], one["at"], json.dumps(one["fields"], sort_keys=True))
        for one in json.loads(json.dumps(found).replace(here, ""))
    ]


def test_two_sites_that_differ_in_a_hold_say_the_same_to_the_public(sites):
    (without, nobody, _), (with_hold, police, _) = sites[False], sites[True]
    assert len(with_hold) > len(without)
    assert said(police) == said(nobody)
    assert {kind for kind, _, _ in said(police)} >= {
        "camera.renumbered",
        "policy.changed",
    }


def test_no_file_of_it_shows_camera_time_or_words_of_the_hold(sites):
    _, copy, _ = sites[True]
    start, end = HELD, HELD + 3 * MINUTE
    times = [start, end, *(HELD + n * MINUTE for n in range(3))]
    forms = [*WORDS, '"hold', "held", "rescued"]
    for at in times:
        forms += [str(at), str(at // SECOND), str(at // 1000), format_utc(at)]
        forms += [format_utc(at)[:16], format_local(at, "Europe/London")[:21]]
    forms += [f"a/{format_utc(at)[:10]}" for at in times]
    for name, path in files_of(copy).items():
        if name.startswith("FORMAT"):
            continue
        data = path.read_bytes()
        if name.startswith("rows/"):
            data = zlib.decompress(data)
        shown = [one for one in forms if one.encode() in data or one in name]
        assert shown == [], name


def test_its_files_tell_by_name_size_and_time_no_more_than_those_of_the_other(sites):
    """Tiles are as many as entries; bundles have what is public; nothing is dated by
    what it was copied from."""
    sizes = {}
    for held, (entries, copy, began) in sites.items():
        files = files_of(copy)
        assert min(one.stat().st_mtime_ns for one in files.values()) >= began - 10**9
        assert not [name for name in files if name.startswith("tile/entries")]
        (policy,) = [
            n for n, one in enumerate(entries) if b"policy.changed" in one.data
        ]
        assert [n for n in files if n.startswith("rows/")] == [tiles.row_path(policy)]
        bundle = files[f"public/000.p/{len(entries)}"].stat().st_size
        sizes[held] = bundle - 2 * len(entries)
    assert abs(sizes[True] - sizes[False]) <= 10  # digits of entry numbers


def test_it_verifies_and_says_what_it_withholds(sites):
    entries, copy, _ = sites[True]
    report = verified(copy)
    there = [one for one in entries_of(copy) if one]
    assert (report.size, report.left_out) == (len(entries), len(entries) - len(there))
    assert report.verdict.lawful
    assert report.verdict.withheld == report.left_out
    assert report.verdict.judged == report.size


def test_a_program_that_is_not_ours_verifies_head_and_tiles(sites):
    """Of tlog-tiles it has all but the bundles."""
    entries, copy, _ = sites[True]
    leaves = outsider.hashes_of(copy, len(entries))
    assert leaves == [outsider.leaf(one.data) for one in entries]
    head = (copy / "checkpoint").read_bytes()
    name, size, root = outsider.open_head(head, publishing.VERIFIER.vkey)
    assert (name, size, root) == (publishing.NAME, len(entries), outsider.tree(leaves))


def test_whoever_has_read_the_description_verifies_it(sites, busy, tmp_path):
    for copy, key in (
        (sites[True][1], publishing.VERIFIER.vkey),
        (public_copy(grown(busy, 60), tmp_path / "public"), busy.vkey),
    ):
        found = outsider.PublicCopy(copy, key, format.text())
        there = entries_of(copy)
        assert found.size == len(there)
        assert found.entries == {n: decode(one) for n, one in enumerate(there) if one}


def grown(press: Press, count: int) -> Path:
    press.grow(count)
    return press.published


def test_what_is_withheld_can_not_be_found_by_guessing(sites):
    """Each withheld entry has 128 random bits that are not in the copy."""
    for entries, copy, _ in sites.values():
        withheld = [
            one.data
            for one, there in zip(entries, entries_of(copy), strict=True)
            if not there
        ]
        assert withheld
        salted = [b'"salt":"', b'"sd":{"', b'"rows_root":"']
        for data in withheld:
            assert any(mark in data for mark in salted), data


# -- which entries ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_was_decided_of_every_kind_whether_it_is_public(kind):
    assert isinstance(KINDS[kind].public, Public)


def test_nothing_about_holds_people_or_recordings_is_public():
    begins = (
        "hold.",
        "recording",
        "ruling.",
        "deletion.",
        "access.",
        "alarm.",
        "guard.",
    )
    for name, kind in KINDS.items():
        if name.startswith(begins) or "hold" in name or "request" in name:
            assert kind.public.value.startswith("withheld"), name


def test_a_kind_of_a_newer_program_is_withheld():
    assert PublicPart().entry(0, b'{"fields":{},"kind":"hold.lent"}') is None


class Register:
    """Asks of entries about cameras, one after the other."""

    def __init__(self) -> None:
        self.decision, self.number = PublicPart(), -1

    def __call__(self, kind: str, /, **fields) -> bool:
        self.number += 1
        entry = json.dumps({"kind": kind, "fields": fields}, separators=(",", ":"))
        return self.decision.entry(self.number, entry.encode()) is not None


def test_a_camera_is_in_it_as_far_as_it_is_published():
    public = Register()
    assert public("camera.added", camera=1, id="1", kind="public_space", location="x")
    assert public("stream.opened", stream=1, camera=1, name="market-place")
    assert not public("camera.added", camera=2, id="2", kind="anpr", location="A6")
    assert public("camera.added", camera=3, id="3", kind="anpr", location=None)
    assert public("camera.renumbered", camera=2, old="2", new="9")
    assert not public("stream.opened", stream=2, camera=2, name="a6-north")
    hidden = {"kind": "public_space", "location": "y", "published": "no"}
    assert not public("camera.added", camera=4, id="4", **hidden)
    assert not public("camera.renumbered", camera=4, old="4", new="8")
    assert not public("camera.retired", camera=77, id="77")


def test_a_camera_that_is_published_no_more_is_in_it_no_more():
    public = Register()
    assert public("camera.added", camera=1, id="1", kind="public_space", location="x")
    changes = {"published": [None, "number"]}
    assert public("camera.changed", camera=1, id="1", changes=changes)
    moved = {"lon": ["1", "2"]}
    assert not public("camera.moved", camera=1, id="1", changes=moved)
    assert public("camera.retired", camera=1, id="1")
    changes = {"published": ["number", "no"]}
    assert not public("camera.changed", camera=1, id="1", changes=changes)
    assert not public("camera.retired", camera=1, id="1")
    assert not public("camera.replaced", id="1", old=1, new=5)


def test_what_came_back_unsigned_is_withheld():
    entry = b'{"fields":{"version":9},"kind":"policy.changed"}'
    decision = PublicPart([Stretch(4, 6)])
    assert [decision.entry(n, entry) is None for n in range(3, 7)] == [
        False, True, True, False,
    ]  # fmt: skip


def test_an_entry_of_an_older_program_that_could_be_guessed_is_counted(press, tmp_path):
    assert can_be_guessed(b'{"fields":{"hold":1},"kind":"hold.cooled"}')
    assert not can_be_guessed(b'{"fields":{},"kind":"hold.cooled","salt":"x"}')
    press.append(cooled())
    press.publish()
    copy = PublicCopy(press.published, tmp_path / "public")
    copy.to_head(nothing)
    assert copy.guessable == 0


# -- a copy that goes on ------------------------------------------------------------------


@pytest.fixture
def busy(press):
    """Entries of both sorts, some bundles of them."""

    def grow(count: int) -> int:
        with press.catalogue.write(Priority.HOLD) as tx:
            for number in range(count):
                some = (
                    intent(rows(2)), released(),
                    Dated("policy.changed", NOW, ACTOR, *periods(number + 1)),
                )  # fmt: skip
                less = (released(), cooled(), Dated("service.stopped", NOW, ACTOR))
                for entry in (cooled(), heartbeat(), *(less if number > 2 else some)):
                    append_dated(press.log, tx, entry)
        return press.publish()

    press.grow = grow
    return press


def check(press: Press, directory: Path) -> int:
    report = verify_directory(directory, press.vkey, depth="deep")
    assert report.ok, report.faults
    assert report.left_out
    return report.size


def test_a_copy_goes_on_from_an_earlier_one_and_is_like_a_fresh_one(busy, tmp_path):
    for count in (3, 60, 1, 60):
        size = busy.grow(count)
        again = public_copy(busy.published, tmp_path / "again")
        assert check(busy, again) == size
    fresh = public_copy(busy.published, tmp_path / "fresh")
    for name, path in files_of(fresh).items():
        assert (again / name).read_bytes() == path.read_bytes(), name


def test_a_copy_that_was_broken_off_goes_on(busy, tmp_path, monkeypatch):
    busy.grow(60)
    public_copy(busy.published, tmp_path / "public")
    size = busy.grow(60)

    def full(*_):
        raise PublicationError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(PublicCopy, "_copy_edge", full)
        with pytest.raises(PublicationError):
            public_copy(busy.published, tmp_path / "public")
    report = verify_directory(tmp_path / "public", busy.vkey)
    assert report.ok
    assert report.size < size
    assert check(busy, public_copy(busy.published, tmp_path / "public")) == size


def test_a_whole_log_and_a_public_copy_are_never_mixed(busy, tmp_path):
    busy.grow(2)
    public = public_copy(busy.published, tmp_path / "public")
    whole = tmp_path / "whole"
    Copy(busy.published, whole).to_head(nothing)
    with pytest.raises(PublicationError, match="is a public copy: name another"):
        Copy(busy.published, public).to_head(nothing)
    with pytest.raises(PublicationError, match="is a public copy: name another"):
        Copy(busy.published, public).follow()
    with pytest.raises(PublicationError, match="no whole log"):
        Copy(public, tmp_path / "other").to_head(nothing)
    with pytest.raises(PublicationError, match="holds a whole log"):
        public_copy(busy.published, whole)
    assert not (public / "tile" / "entries").exists()
    assert not (whole / "public").exists()


def test_a_public_copy_is_copied_as_one(busy, tmp_path):
    busy.grow(60)
    public = public_copy(busy.published, tmp_path / "public")
    again = public_copy(public, tmp_path / "again")
    same = {name: path.read_bytes() for name, path in files_of(public).items()}
    assert {name: path.read_bytes() for name, path in files_of(again).items()} == same


def test_of_a_log_that_can_not_be_read_no_copy_is_made(busy, tmp_path):
    busy.grow(1)
    bundle = max(
        (busy.published / "tile/entries/000.p").iterdir(), key=lambda p: int(p.name)
    )
    found = tiles.unbundled(bundle.read_bytes(), int(bundle.name))
    found[5] = b'{"kind":"policy.changed"'
    bundle.write_bytes(tiles.bundle(found))
    with pytest.raises(VerificationError, match="can't be understood"):
        public_copy(busy.published, tmp_path / "public")


def test_heads_within_a_day_stay_behind(busy, tmp_path):
    """They were signed when people changed something."""
    busy.grow(1)
    second = tmp_path / "second"
    second.mkdir()
    copy = Copy(busy.published, second)
    copy.follow(head=True)
    busy.grow(1)
    Copy(busy.published, tmp_path / "usb").to_head(nothing)
    kept = tmp_path / "usb" / "checkpoints"
    kept.mkdir(exist_ok=True)
    for path in (second / "checkpoints").iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    public = public_copy(tmp_path / "usb", tmp_path / "public")
    assert not [name for name in files_of(public) if "to-entry" in name]
    check(busy, public)


# -- what was altered -----------------------------------------------------------------------


@pytest.fixture
def altered(busy, tmp_path):
    busy.grow(60)
    return public_copy(busy.published, tmp_path / "public")


def faults(press: Press, directory: Path) -> list[str]:
    report = verify_directory(directory, press.vkey, depth="deep")
    assert not report.ok
    return [one.sentence for one in report.faults]


def change(directory: Path, number: int, entry: bytes) -> None:
    path = directory / "public" / "000"
    found = tiles.unbundled(path.read_bytes(), WIDTH)
    found[number] = entry
    path.write_bytes(tiles.bundle(found))


def test_an_entry_that_was_changed_is_named(busy, altered):
    entry = entries_of(altered)[5]
    change(altered, 5, entry.replace(b'"days":28', b'"days":29'))
    assert "entry 5 was changed (in public/000)" in faults(busy, altered)


def test_an_entry_in_the_place_of_a_withheld_one_is_named(busy, altered):
    change(altered, 6, entries_of(altered)[5])
    assert "entry 6 was changed (in public/000)" in faults(busy, altered)


def test_the_hash_of_a_withheld_entry_can_not_be_changed(busy, altered):
    path = altered / "tile" / "0" / "000"
    data = bytearray(path.read_bytes())
    data[6 * 32] ^= 1
    path.write_bytes(bytes(data))
    assert faults(busy, altered)


@pytest.mark.parametrize("damage", [b"", b"\0", b"\0\0" * 255, b"\0\0" * 257])
def test_a_bundle_that_is_none_is_named(busy, altered, damage):
    (altered / "public" / "000").write_bytes(damage)
    (first, *_) = faults(busy, altered)
    assert first.startswith("entry 0 or one up to 255 was changed")


def test_a_bundle_that_is_missing_is_named(busy, altered):
    os.unlink(altered / "public" / "000")
    assert "are missing: public/000 is not there" in faults(busy, altered)[0]


def test_rows_that_are_public_may_not_be_missing(busy, altered):
    os.unlink(altered / tiles.row_path(5))
    assert faults(busy, altered) == ["entry 5 lacks its row file"]


def test_rows_of_a_withheld_entry_are_told(busy, altered):
    path = altered / tiles.row_path(3)
    path.write_bytes((busy.published / tiles.row_path(3)).read_bytes())
    assert faults(busy, altered) == ["entry 3 has a row file that it does not speak of"]


def test_a_clock_that_was_set_back_is_not_called_unlawful_where_its_guard_is_withheld(
    press, tmp_path
):
    press.append(
        Dated("service.started", NOW + HOUR, ACTOR,
              {"pid": 1, "version": "1", "settings_digest": "x"}),
        Dated("guard.tripped", NOW, ACTOR,
              {"guard": "clock", "scope": "", "detail": "set back"}),
        Dated("service.stopped", NOW, ACTOR),
    )  # fmt: skip
    press.publish()
    report = verify_directory(
        public_copy(press.published, tmp_path / "public"), press.vkey, depth="deep"
    )
    assert report.ok
    assert report.verdict.lawful
    assert report.verdict.unchecked["time"]


def test_a_law_that_a_public_entry_breaks_is_told(press, tmp_path):
    press.append(
        Dated("policy.changed", NOW, ACTOR, {"version": 1, "days": 31, "cameras": {}}),
        Dated("policy.changed", NOW, ACTOR, {"version": 2, "days": 5, "cameras": {}}),
    )
    press.publish()
    report = verify_directory(
        public_copy(press.published, tmp_path / "public"), press.vkey, depth="deep"
    )
    assert "approval" in [one.law for one in report.verdict.violations]


# -- reading it -----------------------------------------------------------------------------


def test_readers_say_what_is_withheld(sites):
    _, copy, _ = sites[True]
    read = PublishedCopy(copy)
    withheld = len([one for one in entries_of(copy) if not one])
    asked = {"at": format_utc(HELD)}
    found = read.find(NOW + 9 * DAY, **asked)
    assert found.summary.startswith("not known: withheld from this public copy")
    assert (found.recordings, found.holds, found.withheld) == ([], [], withheld)
    balance = read.balance(NOW + 9 * DAY)
    assert (balance.balanced, balance.withheld) == (None, withheld)
    assert "withheld" in balance.summary
